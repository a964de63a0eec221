"""Consent: the records of a dataset, and bringing in many at once. For contributors alone."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import consent_import
from ingestion.datasets import VersionClosed
from ingestion.models import ConsentRecord, ConsentScope, Dataset, Version
from marketplace.api import evidence
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset

MAX_TABLE = 10 * 1024 * 1024


class SpeakerJson(serializers.Serializer[Any]):
    """Who consented. Only the pseudonym is ever published."""

    pseudonym = serializers.CharField()
    name = serializers.CharField()
    contact = serializers.CharField()
    role = serializers.CharField()
    minor = serializers.BooleanField(source="is_minor")


class NoticeJson(serializers.Serializer[Any]):
    """What the speaker was told."""

    language = serializers.CharField(source="notice_language")
    version = serializers.CharField(source="notice_version")
    sha256 = serializers.CharField(source="notice_sha256")


class StretchJson(serializers.Serializer[Any]):
    """Where the speaker is heard; without times, all of the file."""

    file = serializers.CharField(source="file.path")
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)


class ConsentJson(serializers.Serializer[Any]):
    """A consent record."""

    id = serializers.UUIDField()
    speaker = SpeakerJson()
    notice = NoticeJson(source="*")
    purposes = serializers.ListField(child=serializers.CharField())
    excluded_purposes = serializers.ListField(child=serializers.CharField())
    jurisdiction = serializers.CharField()
    given_on = serializers.DateField()
    expires_on = serializers.DateField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    evidence = serializers.CharField(source="evidence_name")
    commitment = serializers.CharField()
    scopes = StretchJson(many=True)


class ImportConsent(serializers.Serializer[Any]):
    """A filled-in template, the notice that was given, and the evidence that its rows name."""

    csv = serializers.FileField(allow_empty_file=True)
    notice = serializers.CharField(required=False, allow_blank=True, default="")
    evidence = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list
    )

    def validate_csv(self, value: Any) -> Any:
        """Refuse a table that no spreadsheet would hold."""
        if value.size > MAX_TABLE:
            message = f"The table has {value.size:,} bytes; {MAX_TABLE:,} can be read."
            raise serializers.ValidationError(message)
        return value


class ImportedJson(serializers.Serializer[Any]):
    """What an import made."""

    speakers = serializers.IntegerField()
    records = serializers.IntegerField()
    scopes = serializers.IntegerField()


def version_of(dataset: Dataset) -> Version:
    """Return the version whose files a table names: the one that is open, else the newest."""
    version = dataset.versions.select_related("dataset__organization").order_by("-number").first()
    if version is None:
        message = f"«{dataset}» has no version yet. Open one and upload its files first."
        raise VersionClosed(message)
    return version


class Consents(Collection):
    """The consent records of a dataset."""

    @extend_schema(responses=ConsentJson(many=True))
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return the records, the newest first."""
        dataset = find_dataset(request, org, slug, "ingestion.view_originals")
        records = ConsentRecord.objects.filter(dataset=dataset).select_related("speaker")
        scopes = Prefetch("scopes", ConsentScope.objects.select_related("file").order_by("pk"))
        found = records.prefetch_related(scopes).order_by("-created_at", "pk")
        return self.pages(request, found, ConsentJson)


class Import(Resource):
    """Many consents at once."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": ImportConsent}, responses={201: ImportedJson})
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Import a table of consents: all of it, or nothing and every fault of every row."""
        dataset = find_dataset(request, org, slug, "ingestion.change_dataset")
        asked = ImportConsent(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        with transaction.atomic(), evidence.kept(data["evidence"]) as blobs:
            done = consent_import.run(
                version=version_of(dataset),
                table=data["csv"].read(),
                notice_text=data["notice"],
                by=caller(request),
                evidence=blobs,
            )
        return Response(ImportedJson(done).data, status=status.HTTP_201_CREATED)


class Template(Resource):
    """The table to fill in."""

    scopes: ClassVar = {"GET": OPEN}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 - DRF's signature
        """Return the CSV template for consents, with one example row."""
        headers = {"Content-Disposition": 'attachment; filename="consent-template.csv"'}
        content_type = "text/csv; charset=utf-8"
        return HttpResponse(consent_import.template(), content_type=content_type, headers=headers)
