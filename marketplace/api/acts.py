"""A reviewer's acts on a version: who is left out of it, and taking back what was done."""

from typing import Any, ClassVar

from commonhold.sentences import _
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Scope
from ingestion import review
from ingestion.models import Decision, Version
from marketplace.api.resource import Collection, Resource, caller, find_version
from marketplace.api.versions import find_speakers

CHANGE = "ingestion.change_dataset"


class DecisionJson(serializers.Serializer[Any]):
    """An act of a reviewer that can be taken back while nobody has built upon it."""

    id = serializers.IntegerField()
    act = serializers.CharField()
    path = serializers.CharField(source="recording.name", default=None, allow_null=True)
    by = serializers.CharField(source="by.email")
    at = serializers.DateTimeField()
    undone = serializers.SerializerMethodField()

    def get_undone(self, decision: Decision) -> bool:
        return hasattr(decision, "undone")


class LeftOutJson(serializers.Serializer[Any]):
    """A speaker who is left out of a version."""

    speaker = serializers.CharField(source="speaker.pseudonym")
    by = serializers.CharField(source="by.email")
    at = serializers.DateTimeField()


class LeaveOut(serializers.Serializer[Any]):
    """Who is left out."""

    speaker = serializers.CharField(help_text="A pseudonym, such as p-0001.")


class Undo(serializers.Serializer[Any]):
    """What is taken back: the caller's last act unless one is named."""

    decision = serializers.IntegerField(required=False, allow_null=True, default=None)


class SegmentsJson(serializers.Serializer[Any]):
    """How many segments an act touched."""

    segments = serializers.IntegerField()


class LeftOut(Collection):
    """The speakers who are left out of a version."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(operation_id="version_left_out_list", responses=LeftOutJson(many=True))
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return who is left out of a version."""
        version = find_version(request, org, slug, number, "ingestion.view_originals")
        found = version.left_out.select_related("speaker", "by").order_by("speaker__pseudonym")
        return self.pages(request, found, LeftOutJson)

    @extend_schema(request=LeaveOut, responses={201: DecisionJson})
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Leave a speaker out: their segments, and what they say in those that they share."""
        version = find_version(request, org, slug, number, CHANGE)
        asked = LeaveOut(data=request.data)
        asked.is_valid(raise_exception=True)
        (speaker,) = find_speakers(version.dataset, [asked.validated_data["speaker"]])
        done = review.leave_out_speaker(version=version, speaker=speaker, by=caller(request))
        return Response(DecisionJson(done).data, status=status.HTTP_201_CREATED)


class OneLeftOut(Resource):
    """A speaker who is left out of a version."""

    scopes: ClassVar = {"DELETE": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses=DecisionJson)
    def delete(
        self, request: Request, org: str, slug: str, number: int, pseudonym: str
    ) -> Response:
        """Have a speaker in the version again who was left out."""
        version = find_version(request, org, slug, number, CHANGE)
        speaker = get_object_or_404(version.dataset.speakers, pseudonym=pseudonym)
        done = review.bring_back_speaker(version=version, speaker=speaker, by=caller(request))
        return Response(DecisionJson(done).data)


class LeaveOutUncovered(Resource):
    """Everything that has no consent, left out in one act."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses=SegmentsJson)
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Leave out the segments that no consent in force covers."""
        version = find_version(request, org, slug, number, CHANGE)
        count = review.leave_out_uncovered(version=version, by=caller(request))
        return Response(SegmentsJson({"segments": count}).data)


class LeaveOutUnwritten(Resource):
    """All speech that the text leaves out and nobody has settled, left out in one act."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=None, responses=SegmentsJson)
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Leave out the stretches in which somebody speaks and the text has no words."""
        version = find_version(request, org, slug, number, CHANGE)
        count = review.leave_out_unwritten(version=version, by=caller(request))
        return Response(SegmentsJson({"segments": count}).data)


class Decisions(Collection):
    """What was done in a version."""

    @extend_schema(operation_id="version_decisions_list", responses=DecisionJson(many=True))
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return what was decided in a version, the newest first, also what was undone since."""
        version = find_version(request, org, slug, number, "ingestion.view_originals")
        acts = version.decisions.exclude(act=Decision.Act.UNDO).order_by("-pk")
        heavy = ("before", "after", "undone__before", "undone__after")
        found = acts.select_related("recording", "by", "undone").defer(*heavy)
        return self.pages(request, found, DecisionJson)


class UndoOne(Resource):
    """An act taken back."""

    scopes: ClassVar = {"POST": (Scope.CONTRIBUTE,)}

    @extend_schema(request=Undo, responses=DecisionJson)
    def post(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Take an act back: the one that is named, or the caller's last one.

        What it changed is as it was before, unless somebody built upon it since.
        """
        version = find_version(request, org, slug, number, CHANGE)
        asked = Undo(data=request.data)
        asked.is_valid(raise_exception=True)
        decision = named_or_last(request, version, asked.validated_data["decision"])
        review.undo(decision=decision, by=caller(request))
        decision = version.decisions.select_related("recording", "by").get(pk=decision.pk)
        return Response(DecisionJson(decision).data)


def named_or_last(request: Request, version: Version, decision_id: int | None) -> Decision:
    """Return the act to take back. Raises UndoRefused where there is none."""
    if decision_id is None:
        found = review.last(version=version, by=caller(request))
    else:
        found = version.decisions.filter(pk=decision_id).first()
    if found is None:
        sentence = _("There is nothing here that could be taken back.")
        raise review.UndoRefused(sentence)
    return found
