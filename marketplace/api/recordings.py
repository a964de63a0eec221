"""Recordings: what somebody played of one, its language, and taking it out of a version."""

from typing import Any, ClassVar

from commonhold.sentences import _
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion.archive import recordings
from ingestion.archive.versions import VersionClosed
from ingestion.models import File, Recording, Version
from ingestion.review import hearing
from marketplace.api import sight
from marketplace.api.acts import DecisionJson
from marketplace.api.permissions import require_dataset
from marketplace.api.resource import Resource, caller, find_version
from marketplace.api.version_json import FileJson, original

CHANGE = "ingestion.change_dataset"


class Played(serializers.Serializer[Any]):
    """What was played just now: [start, end] in ms of the original, the end not included."""

    ranges = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        max_length=hearing.MOST_RANGES,
    )


class HeardJson(serializers.Serializer[Any]):
    """What the caller has played of a recording so far."""

    ranges = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    duration_ms = serializers.IntegerField(allow_null=True)


class SayLanguage(serializers.Serializer[Any]):
    """The language that is spoken in a recording; empty where it is the dataset's."""

    language = serializers.CharField(allow_blank=True, help_text="BCP 47 tag, or its name.")


class Heard(Resource):
    """What was played of a recording: the evidence behind the word “heard”."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=Played, responses=HeardJson)
    def post(self, request: Request, recording_id: int) -> Response:
        """Note what the caller played of the original, beside what they played before."""
        found: QuerySet[Recording] = Recording.objects.select_related("dataset__organization")
        own = sight.own(request, "dataset__organization")
        recording = get_object_or_404(found, own, pk=recording_id)
        require_dataset(request, CHANGE, recording)
        asked = Played(data=request.data)
        asked.is_valid(raise_exception=True)
        heard = hearing.note(
            recording=recording, ranges=asked.validated_data["ranges"], by=caller(request)
        )
        shown = {"ranges": heard.ranges, "duration_ms": recording.duration_ms}
        return Response(HeardJson(shown).data)


class Place(Resource):
    """A recording's place in a version."""

    scopes: ClassVar = {"PATCH": (Scope.CONTRIBUTE,), "DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(request=SayLanguage, responses=FileJson)
    def patch(
        self, request: Request, org: str, slug: str, number: int, recording_id: int
    ) -> Response:
        """Say which language is spoken in a recording; it is transcribed anew in that one."""
        place = self.find(request, org, slug, number, recording_id)
        require_draft(place.version)
        asked = SayLanguage(data=request.data)
        asked.is_valid(raise_exception=True)
        language = asked.validated_data["language"]
        recordings.say_language(recording=place.recording, language=language, by=caller(request))
        place = self.find(request, org, slug, number, recording_id)
        return Response(FileJson(original(place)).data)

    @extend_schema(request=None, responses=DecisionJson)
    def delete(
        self, request: Request, org: str, slug: str, number: int, recording_id: int
    ) -> Response:
        """Take a recording out of a version that is open; undoing it puts it back as it was."""
        place = self.find(request, org, slug, number, recording_id)
        return Response(DecisionJson(recordings.remove(file=place, by=caller(request))).data)

    def find(self, request: Request, org: str, slug: str, number: int, recording_id: int) -> File:
        """Return a recording's place in a version that the caller may change; else 404 or 403."""
        version = find_version(request, org, slug, number, CHANGE)
        places = version.files.select_related("version", "recording__blob", "recording__dataset")
        return get_object_or_404(places, recording=recording_id)


def require_draft(version: Version) -> None:
    """Raise VersionClosed for the address of a version in which no language can change."""
    if version.state != Version.State.DRAFT:
        sentence = _("Languages change while a version is a draft; version %(number)s is none.")
        raise VersionClosed(sentence, number=version.number)
