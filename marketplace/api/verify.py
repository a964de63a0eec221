"""Verifying a manifest that somebody holds: a vector, never one boolean."""

import re
from typing import Any, ClassVar

from commonhold.errors import CommonholdError
from commonhold.trust import read_trusted_root
from commonhold.verify import Documents, verify_documents
from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion import keys
from licensing import status
from marketplace.api.resource import OPEN, Resource

MAX_DOCUMENT = 16 * 1024 * 1024
MAX_REQUEST = 4 * MAX_DOCUMENT
STATUS_PATH = re.compile(r"/status/(consent|grant)/(\d{1,9})")
FIELDS = {
    "manifest": "manifest.dsse.json",
    "sigstore": "manifest.sigstore.json",
    "proof": "manifest.tlog-proof",
    "consent_status": "consent-status.jwt",
    "trusted_root": "trusted_root.json",
}


class DocumentTooLarge(CommonholdError):
    """The file is no manifest."""

    code = "document-too-large"
    status = 413


class NotOurs(CommonholdError):
    """A status list is kept somewhere else."""

    code = "status-elsewhere"
    status = 502


class VerifyDocuments(serializers.Serializer[Any]):
    """The papers of a release: at least a manifest (DSSE envelope or Sigstore bundle)."""

    manifest = serializers.FileField()
    sigstore = serializers.FileField(required=False)
    proof = serializers.FileField(required=False)
    consent_status = serializers.FileField(required=False)


class CheckJson(serializers.Serializer[Any]):
    """How one check ended."""

    state = serializers.ChoiceField(["ok", "warning", "failed", "unknown"])
    sentence = serializers.CharField()
    details = serializers.DictField()


class VectorJson(serializers.Serializer[Any]):
    """The vector."""

    signature = CheckJson()
    logged = CheckJson()
    files = CheckJson()
    license = CheckJson()
    consent = CheckJson()


class ReportJson(serializers.Serializer[Any]):
    """What a verification found. `passed` means that nothing failed."""

    passed = serializers.BooleanField()
    checks = VectorJson()
    trust = CheckJson()
    about = serializers.DictField()


class Verify(Resource):
    """The verifier: the same code as `commonhold verify`, with this site's keys."""

    scopes: ClassVar = {"POST": OPEN}
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": VerifyDocuments}, responses=ReportJson)
    def post(self, request: Request) -> Response:
        """Check signature, log, license and consent of a manifest against this site's keys.

        Files may be sent under the field names of the schema or under their own file names.
        """
        report = verify_documents(
            papers(request),
            trust=read_trusted_root(keys.trusted_root()),
            fetch=status_list,
        )
        return Response(report.as_dict())


def papers(request: Request) -> Documents:
    """Read the papers from a request, wherever their names stand."""
    if int(request.headers.get("Content-Length") or 0) > MAX_REQUEST:
        message = "The papers of a release are far smaller than this. Leave the data out."
        raise DocumentTooLarge(message)
    found: dict[str, bytes] = {}
    for field, file in request.FILES.items():
        if file.size is None or file.size > MAX_DOCUMENT:
            message = f"«{file.name}» is far too large to be a manifest."
            raise DocumentTooLarge(message, file=file.name)
        data = file.read()
        name = FIELDS.get(field, field)
        if file.name in FIELDS.values():
            name = str(file.name)
        elif name == "manifest.dsse.json" and b'"dsseEnvelope"' in data:
            name = "manifest.sigstore.json"
        found[name] = data
    return Documents.of(found)


def status_list(url: str) -> bytes:
    """Return a status list of this site as it is now, without a request to ourselves."""
    found = STATUS_PATH.fullmatch(url.removeprefix(settings.SITE_URL))
    if found is None:
        message = f"The status list {url} is not kept here, so the latest state can't be asked."
        raise NotOurs(message)
    lists = {"consent": status.consent_list, "grant": status.grant_list}
    return lists[found[1]](number=int(found[2])).encode()
