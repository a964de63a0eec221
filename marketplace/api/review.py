"""The person's part of the pipeline: findings, segments, decisions."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import review
from ingestion.models import Finding, Segment
from ingestion.storage import blob_store
from marketplace.api import ranges
from marketplace.api.permissions import require_dataset
from marketplace.api.resource import Collection, Resource, caller, find_version


class FindingJson(serializers.Serializer[Any]):
    """Personal data found in a segment, with the words around it."""

    id = serializers.IntegerField()
    path = serializers.CharField(source="segment.file.path")
    segment = serializers.IntegerField(source="segment_id")
    kind = serializers.CharField()
    text = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()
    confidence = serializers.IntegerField(allow_null=True, help_text="Permille.")
    audio_url = serializers.SerializerMethodField(allow_null=True)

    def get_audio_url(self, finding: Finding) -> str | None:
        """Return where the original is heard, at the finding (W3C Media Fragments §4.2.1)."""
        if finding.start_ms is None or finding.end_ms is None:
            return None
        path = reverse("api:segment-audio", args=[finding.segment_id])
        url = self.context["request"].build_absolute_uri(path)
        return f"{url}#t={seconds(finding.start_ms)},{seconds(finding.end_ms)}"


class FindingFilter(serializers.Serializer[Any]):
    """Which findings are asked for; all of them when nothing is said."""

    state = serializers.ChoiceField(Finding.State.choices, required=False)


class SegmentJson(serializers.Serializer[Any]):
    """A stretch of speech, or a row of a text."""

    id = serializers.IntegerField()
    path = serializers.CharField(source="file.path")
    position = serializers.IntegerField()
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    speaker = serializers.SerializerMethodField(allow_null=True)
    text = serializers.CharField()
    needs_review = serializers.BooleanField()
    reviewed = serializers.SerializerMethodField()
    excluded = serializers.BooleanField()
    covered = serializers.SerializerMethodField()

    def get_speaker(self, segment: Segment) -> str | None:
        return segment.speaker.pseudonym if segment.speaker else None

    def get_reviewed(self, segment: Segment) -> bool:
        return segment.reviewed_at is not None

    def get_covered(self, segment: Segment) -> bool:
        """Return whether consent in force covers it; what is left out needs none."""
        return segment.pk not in self.context["uncovered"]


class Decision(serializers.Serializer[Any]):
    """What a person decided about a finding."""

    decision = serializers.ChoiceField(["confirm", "reject"])


class NewFinding(serializers.Serializer[Any]):
    """Words that a person marked, counted from 0, both included."""

    first_word = serializers.IntegerField()
    last_word = serializers.IntegerField()
    kind = serializers.CharField()


class SegmentReview(serializers.Serializer[Any]):
    """What a person says about a segment that they heard and read."""

    text = serializers.CharField(required=False, allow_blank=True)
    excluded = serializers.BooleanField(required=False)


def bare(segments: Sequence[Segment]) -> set[int]:
    """Return which segments no consent in force covers, by their primary keys."""
    return {segment.pk for segment in review.without_consent(found=segments)}


def seconds(milliseconds: int) -> str:
    """Write milliseconds as seconds, exactly."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def find_finding(request: Request, finding_id: int) -> Finding:
    """Return a finding whose dataset the caller may change; else 404 or 403."""
    found: QuerySet[Finding] = Finding.objects.select_related(
        "segment__file__version__dataset__organization", "segment__speaker"
    )
    finding = get_object_or_404(found, pk=finding_id)
    require_dataset(request, "ingestion.change_dataset", finding)
    return finding


def find_segment(request: Request, segment_id: int, permission: str) -> Segment:
    """Return a segment if the caller may do this with it; else 404 or 403."""
    found: QuerySet[Segment] = Segment.objects.select_related(
        "file__version__dataset__organization", "file__blob", "speaker"
    )
    segment = get_object_or_404(found, pk=segment_id)
    require_dataset(request, permission, segment)
    return segment


class Findings(Collection):
    """What was found in a version."""

    @extend_schema(
        responses=FindingJson(many=True),
        parameters=[OpenApiParameter("state", str, enum=Finding.State.values)],
    )
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return the findings in the order in which they are heard."""
        version = find_version(request, org, slug, number, "ingestion.view_originals")
        found = review.findings(version=version)
        asked = FindingFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = found.filter(**asked.validated_data)
        return self.pages(request, found, FindingJson)


class Segments(Collection):
    """What was said in a version."""

    @extend_schema(responses=SegmentJson(many=True))
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return the segments in the order of the files."""
        version = find_version(request, org, slug, number, "ingestion.view_originals")
        return self.pages(request, review.segments(version=version), SegmentJson)

    def context(self, rows: Sequence[Segment]) -> dict[str, object]:
        """Lay the consents over a page of segments at once."""
        return {"uncovered": bare(rows)}


class Decide(Resource):
    """A decision about a finding."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=Decision, responses=FindingJson)
    @transaction.atomic
    def post(self, request: Request, finding_id: int) -> Response:
        """Confirm a finding (it will be redacted) or reject it (it stays)."""
        finding = find_finding(request, finding_id)
        asked = Decision(data=request.data)
        asked.is_valid(raise_exception=True)
        redact = asked.validated_data["decision"] == "confirm"
        decided = review.decide(finding=finding, redact=redact, by=caller(request))
        return Response(FindingJson(decided, context={"request": request}).data)


class SegmentFindings(Resource):
    """Findings that a person adds."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=NewFinding, responses={201: FindingJson})
    @transaction.atomic
    def post(self, request: Request, segment_id: int) -> Response:
        """Mark words of a segment for redaction."""
        segment = find_segment(request, segment_id, "ingestion.change_dataset")
        asked = NewFinding(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        finding = review.add_finding(segment=segment, by=caller(request), **data)
        shown = FindingJson(finding, context={"request": request}).data
        return Response(shown, status=status.HTTP_201_CREATED)


class ReviewSegment(Resource):
    """A segment, heard and read by a person."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=SegmentReview, responses=SegmentJson)
    @transaction.atomic
    def post(self, request: Request, segment_id: int) -> Response:
        """Say that a segment is read; with its text corrected, or left out."""
        segment = find_segment(request, segment_id, "ingestion.change_dataset")
        asked = SegmentReview(data=request.data)
        asked.is_valid(raise_exception=True)
        data: dict[str, Any] = asked.validated_data
        done = review.review_segment(segment=segment, by=caller(request), **data)
        return Response(SegmentJson(done, context={"uncovered": bare([done])}).data)


class SegmentAudio(Resource):
    """The original that a segment was cut from, for the ears of its contributors."""

    @extend_schema(responses={(200, "audio/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, segment_id: int) -> HttpResponseBase:
        """Return the recording, unscrubbed, whole or in part (Range)."""
        segment = find_segment(request, segment_id, "ingestion.view_originals")
        file = segment.file
        content = ranges.Content(
            file=blob_store().open(file.blob_id),
            size=file.blob.size,
            sha256=file.blob_id,
            media_type=file.media_type,
            name=file.path.rpartition("/")[2],
            inline=True,
        )
        return ranges.respond(request._request, content)  # noqa: SLF001 - Django's own request
