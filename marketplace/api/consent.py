"""Consent: the records of a dataset, and bringing in many at once. For contributors alone."""

from typing import Any, ClassVar
from uuid import UUID

from commonhold.sentences import _
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import consent
from ingestion.archive.versions import VersionClosed
from ingestion.consent import evidence, imports, tables
from ingestion.models import ConsentRecord, ConsentScope, Dataset, Version
from marketplace.api.resource import OPEN, Collection, Resource, caller, find_dataset
from marketplace.tasks import follow_news_task

CHANGE = "ingestion.change_dataset"


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
    """Where the speaker is heard; without times, all of the recording."""

    file = serializers.CharField(source="recording.name")
    recording = serializers.IntegerField(source="recording_id")
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
    withdrawn_purposes = serializers.ListField(
        child=serializers.CharField(), help_text="Taken back one by one; they stand in purposes."
    )
    voided_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was struck out as a mistake, which is no withdrawal."
    )
    void_reason = serializers.CharField()
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


class ImportedJson(serializers.Serializer[Any]):
    """What an import made, and what it found written down already."""

    speakers = serializers.IntegerField()
    records = serializers.IntegerField()
    scopes = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Consents that were recorded before.")
    voided = serializers.IntegerField(help_text="Struck out as mistakes before: they stay so.")


class WithdrawConsent(serializers.Serializer[Any]):
    """What is taken back: single purposes, or without them all of it."""

    purposes = serializers.ListField(child=serializers.CharField(), required=False)


class VoidConsent(serializers.Serializer[Any]):
    """Why a record should never have been entered."""

    reason = serializers.CharField(allow_blank=True)


class WithdrawnJson(serializers.Serializer[Any]):
    """The consents of a speaker that ended, or of which purposes were taken back."""

    speaker = serializers.CharField()
    withdrawn = serializers.ListField(child=serializers.UUIDField())


def version_of(dataset: Dataset) -> Version:
    """Return the version whose recordings a table names: the open one, else the newest."""
    version = dataset.versions.select_related("dataset__organization").newest()
    if version is None:
        sentence = _("«%(dataset)s» has no version yet. Open one and upload its recordings first.")
        raise VersionClosed(sentence, dataset=str(dataset))
    return version


def records(dataset: Dataset) -> QuerySet[ConsentRecord]:
    """Return the records of a dataset with what is told of them."""
    scopes = Prefetch("scopes", ConsentScope.objects.select_related("recording").order_by("pk"))
    found = ConsentRecord.objects.filter(dataset=dataset).select_related("speaker")
    return found.prefetch_related(scopes)


def find_record(request: Request, org: str, slug: str, record_id: UUID) -> ConsentRecord:
    """Return a record of a dataset that the caller may change; else 404 or 403."""
    dataset = find_dataset(request, org, slug, CHANGE)
    return get_object_or_404(records(dataset), pk=record_id)


def shown(record: ConsentRecord) -> Response:
    """Answer with a record as it is now."""
    follow_news_task.delay_on_commit()
    return Response(ConsentJson(records(record.dataset).get(pk=record.pk)).data)


class Consents(Collection):
    """The consent records of a dataset."""

    @extend_schema(operation_id="consents_list", responses=ConsentJson(many=True))
    def get(self, request: Request, org: str, slug: str) -> Response:
        """Return the records, the newest first."""
        dataset = find_dataset(request, org, slug, "ingestion.view_originals")
        return self.pages(request, records(dataset).order_by("-created_at", "pk"), ConsentJson)


class OneConsent(Resource):
    """A consent record."""

    @extend_schema(responses=ConsentJson)
    def get(self, request: Request, org: str, slug: str, record_id: UUID) -> Response:
        """Return a record, in force or ended."""
        dataset = find_dataset(request, org, slug, "ingestion.view_originals")
        return Response(ConsentJson(get_object_or_404(records(dataset), pk=record_id)).data)


class Withdrawal(Resource):
    """The end of a consent, or of some of its purposes."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=WithdrawConsent, responses=ConsentJson)
    def post(self, request: Request, org: str, slug: str, record_id: UUID) -> Response:
        """End a consent for its speaker, in every version that rests on it; or single purposes."""
        record = find_record(request, org, slug, record_id)
        asked = WithdrawConsent(data=request.data)
        asked.is_valid(raise_exception=True)
        purposes = asked.validated_data.get("purposes")
        if purposes is None:
            return shown(consent.withdraw(record=record, by=caller(request)))
        narrowed = consent.withdraw_purposes(record=record, purposes=purposes, by=caller(request))
        return shown(narrowed)


class Voiding(Resource):
    """A record struck out."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=VoidConsent, responses=ConsentJson)
    def post(self, request: Request, org: str, slug: str, record_id: UUID) -> Response:
        """Strike out a record that was entered by mistake, saying why; nobody withdrew anything."""
        record = find_record(request, org, slug, record_id)
        asked = VoidConsent(data=request.data)
        asked.is_valid(raise_exception=True)
        reason = asked.validated_data["reason"]
        return shown(consent.void(record=record, reason=reason, by=caller(request)))


class SpeakerWithdrawal(Resource):
    """The end of everything that a speaker agreed to, or of some purposes in all of it."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=WithdrawConsent, responses=WithdrawnJson)
    def post(self, request: Request, org: str, slug: str, pseudonym: str) -> Response:
        """End every consent of a speaker, in every version; or single purposes in all of them."""
        dataset = find_dataset(request, org, slug, CHANGE)
        speaker = get_object_or_404(dataset.speakers, pseudonym=pseudonym)
        asked = WithdrawConsent(data=request.data)
        asked.is_valid(raise_exception=True)
        by, purposes = caller(request), asked.validated_data.get("purposes")
        if purposes is None:
            ended = consent.withdraw_speaker(speaker=speaker, by=by)
        else:
            ended = consent.withdraw_speaker_purposes(speaker=speaker, purposes=purposes, by=by)
        follow_news_task.delay_on_commit()
        told = {"speaker": speaker.pseudonym, "withdrawn": [record.pk for record in ended]}
        return Response(WithdrawnJson(told).data)


class Import(Resource):
    """Many consents at once."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}
    parser_classes = (MultiPartParser,)

    @extend_schema(request={"multipart/form-data": ImportConsent}, responses={201: ImportedJson})
    def post(self, request: Request, org: str, slug: str) -> Response:
        """Import a table of consents: all of it, or nothing and every fault of every row.

        The same table twice changes nothing.
        """
        dataset = find_dataset(request, org, slug, CHANGE)
        asked = ImportConsent(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        tables.require_size(data["csv"].size)
        done = imports.run(
            version=version_of(dataset),
            table=data["csv"].read(),
            notice_text=data["notice"],
            by=caller(request),
            evidence=evidence.keep_all((file.name, file.chunks()) for file in data["evidence"]),
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
        return HttpResponse(imports.template(), content_type=content_type, headers=headers)
