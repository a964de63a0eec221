"""Verifying a manifest that somebody holds: a vector, never one boolean."""

from typing import Any, ClassVar

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.trust import read_trusted_root
from commonhold.verify import Documents, verify_documents
from commonhold.vouching import Source, Vouched
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.resource import OPEN, Resource
from marketplace.http.statuses import status_list
from notary import keys

MAX_DOCUMENT = 1024 * 1024
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
    """What a verification found. `passed`: nothing failed, and somebody vouches for the keys."""

    passed = serializers.BooleanField()
    checks = VectorJson()
    trust = CheckJson()
    about = serializers.DictField()


class Verify(Resource):
    """The verifier: the same code as `commonhold verify`, with this site's keys."""

    scopes: ClassVar = {"POST": OPEN}
    kinds: ClassVar = {"POST": "verify"}
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": VerifyDocuments}, responses=ReportJson)
    def post(self, request: Request) -> Response:
        """Check signature, log, license and consent of a manifest against this site's keys.

        Files may be sent under the field names of the schema or under their own file names.
        """
        report = verify_documents(
            papers(request),
            trust=Vouched(read_trusted_root(keys.trusted_root()), Source.OWN),
            fetch=status_list,
        )
        return Response(report.as_dict())


def papers(request: Request) -> Documents:
    """Read the papers from a request, wherever their names stand."""
    found: dict[str, bytes] = {}
    for field, file in request.FILES.items():
        if file.size is None or file.size > MAX_DOCUMENT:
            sentence = _("«%(file)s» is far too large to be one of the papers of a release.")
            raise DocumentTooLarge(sentence, file=file.name)
        data = file.read()
        name = FIELDS.get(field, field)
        if file.name in FIELDS.values():
            name = str(file.name)
        elif name == "manifest.dsse.json" and b'"dsseEnvelope"' in data:
            name = "manifest.sigstore.json"
        found[name] = data
    return Documents.of(found)
