"""The person's part of the pipeline: findings and segments, heard, decided and read."""

from collections.abc import Sequence
from typing import Any, ClassVar

from commonhold.sentences import _
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope, User
from ingestion import review
from ingestion.archive import blobs
from ingestion.consent.scopes import gaps_in
from ingestion.models import Finding, Segment, Version
from ingestion.review import hearing, voices
from marketplace.api import sight
from marketplace.api.permissions import require_dataset
from marketplace.api.resource import Collection, Resource, caller, django_request, find_version
from marketplace.http import ranges

TEXT_WAS = "The text that you read: nothing is done if it is another one by now."


class FindingJson(serializers.Serializer[Any]):
    """Personal data found in a segment, with the words around it."""

    id = serializers.IntegerField()
    path = serializers.CharField(source="segment.recording.name")
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
    path = serializers.CharField(source="recording.name")
    position = serializers.IntegerField()
    start_ms = serializers.IntegerField(allow_null=True)
    end_ms = serializers.IntegerField(allow_null=True)
    speaker = serializers.SerializerMethodField(allow_null=True)
    text = serializers.CharField()
    needs_review = serializers.BooleanField()
    reviewed = serializers.SerializerMethodField()
    excluded = serializers.BooleanField()
    covered = serializers.SerializerMethodField()
    published = serializers.SerializerMethodField()
    unwritten = serializers.BooleanField(
        help_text="Somebody speaks here and the text leaves it out."
    )
    unplaced = serializers.BooleanField(
        source="is_unplaced", help_text="Text of a recording of which nobody knows when it is said."
    )
    heard = serializers.SerializerMethodField(allow_null=True)
    audio_url = serializers.SerializerMethodField(allow_null=True)
    recording = serializers.IntegerField(source="recording_id")

    def get_speaker(self, segment: Segment) -> str | None:
        return segment.speaker.pseudonym if segment.speaker else None

    def get_reviewed(self, segment: Segment) -> bool:
        return segment.reviewed_at is not None

    def get_covered(self, segment: Segment) -> bool:
        """Return whether consent in force covers it; what is left out needs none."""
        uncovered: set[int] = self.context["uncovered"]
        return segment.pk not in uncovered

    def get_published(self, segment: Segment) -> bool:
        """Return whether anything of it is published: not if it, or who speaks, is left out."""
        published: set[int] = self.context["published"]
        return segment.pk in published

    def get_heard(self, segment: Segment) -> bool | None:
        """Return whether somebody has played all of it; null for a row of a text."""
        if segment.start_ms is None or segment.end_ms is None:
            return None
        played = self.context["played"].get(segment.recording_id, [])
        return not gaps_in(played, segment.start_ms, segment.end_ms)

    def get_audio_url(self, segment: Segment) -> str | None:
        """Return where the original is heard, at the segment (W3C Media Fragments §4.2.1)."""
        if segment.start_ms is None or segment.end_ms is None:
            return None
        path = reverse("api:segment-audio", args=[segment.pk])
        url = self.context["request"].build_absolute_uri(path)
        return f"{url}#t={seconds(segment.start_ms)},{seconds(segment.end_ms)}"


class Decision(serializers.Serializer[Any]):
    """What a person decided about a finding."""

    decision = serializers.ChoiceField(["confirm", "reject"])


class NewFinding(serializers.Serializer[Any]):
    """Words that a person marked, counted from 0, both included."""

    first_word = serializers.IntegerField()
    last_word = serializers.IntegerField()
    kind = serializers.CharField()
    text_was = serializers.CharField(required=False, allow_blank=True, help_text=TEXT_WAS)


class SegmentReview(serializers.Serializer[Any]):
    """What a person says about a segment that they heard and read."""

    text = serializers.CharField(required=False, allow_blank=True)
    text_was = serializers.CharField(required=False, allow_blank=True, help_text=TEXT_WAS)
    excluded = serializers.BooleanField(required=False)
    nothing_said = serializers.BooleanField(
        required=False, help_text="Of speech without text: nothing is said there that is missing."
    )
    start_ms = serializers.IntegerField(
        required=False, min_value=0, help_text="Of text without a place: when it is said."
    )
    end_ms = serializers.IntegerField(required=False, min_value=0)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what says several things at once: one of them would be done, the rest dropped."""
        times = {"start_ms", "end_ms"} & attrs.keys()
        said = {"text", "excluded"} & attrs.keys()
        if len(times) == 1:
            sentence = _("Say when it begins and when it ends.")
            raise review.DecisionInvalid(sentence, field=({"start_ms", "end_ms"} - times).pop())
        if bool(times) + bool(said) + attrs.get("nothing_said", False) > 1:
            sentence = _(
                "Say one thing at a time: the text or that it is left out, that nothing is said, "
                "or when it is said."
            )
            raise review.DecisionInvalid(sentence, field="text")
        return attrs


def standing(found: Sequence[Segment], *, version: Version) -> dict[str, object]:
    """Return what a SegmentJson is told of segments, reading the recordings on a page at once."""
    recordings = {one.recording_id: one.recording for one in found}
    out = frozenset(version.left_out.values_list("speaker_id", flat=True))
    stage = voices.read(recordings=list(recordings.values()), left_out=out)
    pieces = [piece for scene in stage for piece in scene.published()]
    return {
        "uncovered": {piece.segment.pk for piece in pieces if not piece.is_covered},
        "published": {piece.segment.pk for piece in pieces},
        "played": hearing.ranges_of(recordings=recordings),
    }


def settled(
    segment: Segment,
    *,
    by: User,
    text: str | None = None,
    text_was: str | None = None,
    excluded: bool | None = None,
    nothing_said: bool = False,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> Segment:
    """Do what a review asks of a segment, and return the one that has its text now."""
    if start_ms is not None and end_ms is not None:
        return review.place(segment=segment, start_ms=start_ms, end_ms=end_ms, by=by)
    if nothing_said:
        return review.keep_unwritten(segment=segment, by=by)
    if segment.unwritten and text is not None and not excluded:
        return review.write_down(segment=segment, text=text, by=by)
    return review.review_segment(
        segment=segment, by=by, text=text, text_was=text_was, excluded=excluded
    )


def newest_version(segment: Segment) -> Version:
    """Return the version in which a segment is being decided about."""
    places = segment.recording.files.select_related("version").order_by("-version__number")
    place = places.first()
    if place is None:
        raise Http404
    return place.version


def seconds(milliseconds: int) -> str:
    """Write milliseconds as seconds, exactly."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def find_finding(request: Request, finding_id: int) -> Finding:
    """Return a finding whose dataset the caller may change; else 404 or 403."""
    found: QuerySet[Finding] = Finding.objects.select_related(
        "segment__recording__dataset__organization", "segment__speaker"
    )
    own = sight.own(request, "segment__recording__dataset__organization")
    finding = get_object_or_404(found, own, pk=finding_id)
    require_dataset(request, "ingestion.change_dataset", finding)
    return finding


def find_segment(request: Request, segment_id: int, permission: str) -> Segment:
    """Return a segment if the caller may do this with it; else 404 or 403."""
    found: QuerySet[Segment] = Segment.objects.select_related(
        "recording__dataset__organization", "recording__blob", "speaker"
    )
    own = sight.own(request, "recording__dataset__organization")
    segment = get_object_or_404(found, own, pk=segment_id)
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
        asked = FindingFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = Finding.objects.of(version).filter(**asked.validated_data)
        return self.pages(request, found, FindingJson)


class Segments(Collection):
    """What was said in a version."""

    version: Version

    @extend_schema(responses=SegmentJson(many=True))
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return the segments in the order of the recordings."""
        self.version = find_version(request, org, slug, number, "ingestion.view_originals")
        return self.pages(request, Segment.objects.of(self.version), SegmentJson)

    def context(self, rows: Sequence[Segment]) -> dict[str, object]:
        """Lay the consents over a page of segments at once."""
        return standing(rows, version=self.version)


class Decide(Resource):
    """A decision about a finding."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=Decision, responses=FindingJson)
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
    def post(self, request: Request, segment_id: int) -> Response:
        """Say that a segment is read; with its text corrected, or left out.

        Of speech without text: what is said there (the answer is the segment that has it then), or
        that nothing is; of text without a place: when it is said.
        """
        segment = find_segment(request, segment_id, "ingestion.change_dataset")
        asked = SegmentReview(data=request.data)
        asked.is_valid(raise_exception=True)
        done = settled(segment, by=caller(request), **asked.validated_data)
        context = standing([done], version=newest_version(done)) | {"request": request}
        return Response(SegmentJson(done, context=context).data)


class SegmentAudio(Resource):
    """The original that a segment was cut from, for the ears of its contributors."""

    @extend_schema(responses={(200, "audio/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, segment_id: int) -> HttpResponseBase:
        """Return the recording, unscrubbed, whole or in part (Range)."""
        segment = find_segment(request, segment_id, "ingestion.view_originals")
        recording = segment.recording
        if recording.blob is None:
            raise Http404
        content = ranges.Content(
            file=blobs.read(recording.blob.pk),
            size=recording.blob.size,
            sha256=recording.blob.pk,
            media_type=recording.media_type,
            name=recording.name.rpartition("/")[2],
            inline=True,
            is_private=True,
        )
        return ranges.respond(django_request(request), content)
