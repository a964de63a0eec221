"""Before the seal: what a version would publish, who is heard in it, which licenses it allows."""

from typing import Any

from commonhold.sentences import _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.archive.versions import VersionClosed
from ingestion.models import Version
from ingestion.releases import outlook
from ingestion.releases.outlook import Differences, Outlook
from licensing import outlook as licenses
from marketplace.api.resource import Resource, find_version


class ShareJson(serializers.Serializer[Any]):
    """What a version holds of one speaker, or would hold if they were not left out."""

    speaker = serializers.CharField(source="speaker.pseudonym")
    left_out = serializers.BooleanField(source="is_left_out")
    clips = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    records = serializers.SerializerMethodField(help_text="The consents that it rests on.")

    def get_records(self, share: outlook.Share) -> list[str]:
        return [str(record.pk) for record in share.records]


class BlockJson(serializers.Serializer[Any]):
    """What of a license one speaker did not agree to."""

    speaker = serializers.CharField(source="speaker.pseudonym")
    purpose = serializers.CharField()
    lack = serializers.CharField(help_text="excluded, not-given or taken-back.")
    clips = serializers.IntegerField()
    duration_ms = serializers.IntegerField()


class ColumnJson(serializers.Serializer[Any]):
    """A license profile, and who stands in its way."""

    profile = serializers.CharField(source="profile.slug")
    name = serializers.CharField(source="profile.name")
    possible = serializers.BooleanField(source="is_possible")
    blocks = BlockJson(many=True)


class ReviewedJson(serializers.Serializer[Any]):
    """A recording about which something was decided anew."""

    path = serializers.CharField()
    decisions = serializers.IntegerField()


class DifferencesJson(serializers.Serializer[Any]):
    """How a version differs from the sealed one that it began from."""

    begun_from = serializers.IntegerField()
    none = serializers.BooleanField(help_text="Whether it says the very same.")
    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    reviewed = ReviewedJson(many=True)
    consents = serializers.ListField(
        child=serializers.UUIDField(), help_text="Given, narrowed or ended since."
    )
    left_out = serializers.ListField(child=serializers.CharField())
    brought_back = serializers.ListField(child=serializers.CharField())


class OutlookJson(serializers.Serializer[Any]):
    """What would be sealed now."""

    clips = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    heard_ms = serializers.IntegerField(help_text="How much of it somebody has played.")
    unheard_ms = serializers.IntegerField()
    without_consent = serializers.IntegerField(help_text="Clips that no consent covers whole.")
    speakers = ShareJson(many=True)
    licenses = ColumnJson(many=True)
    differences = DifferencesJson(allow_null=True)


class VersionOutlook(Resource):
    """What would be sealed now."""

    @extend_schema(responses=OutlookJson)
    def get(self, request: Request, org: str, slug: str, number: int) -> Response:
        """Return what sealing would publish, each speaker's part, and whom which license excludes.

        `differences` is null for a version that began with nothing.
        """
        version = find_version(request, org, slug, number, "ingestion.view_originals")
        require_open(version)
        found = outlook.of(version=version)
        shown = {
            **totals(found),
            "speakers": found.shares,
            "licenses": licenses.columns(outlook=found),
            "differences": told(outlook.differences(version=version)),
        }
        return Response(OutlookJson(shown).data)


def require_open(version: Version) -> None:
    """Raise VersionClosed for a version whose outlook is over."""
    if not version.is_open:
        sentence = _("Version %(number)s is sealed; what it holds stands in its release.")
        raise VersionClosed(sentence, number=version.number)


def totals(found: Outlook) -> dict[str, int]:
    """Return the sums of an outlook."""
    return {
        "clips": found.clips,
        "duration_ms": found.duration_ms,
        "heard_ms": found.heard.heard_ms,
        "unheard_ms": found.heard.unheard_ms,
        "without_consent": sum(not piece.is_covered for piece in found.pieces),
    }


def told(found: Differences | None) -> dict[str, Any] | None:
    """Return the members of a DifferencesJson."""
    if found is None:
        return None
    return {
        "begun_from": found.start.number,
        "none": found.are_none,
        "added": [one.name for one in found.added],
        "removed": [one.name for one in found.removed],
        "reviewed": [{"path": one.name, "decisions": count} for one, count in found.reviewed],
        "consents": [one.pk for one in found.consents],
        "left_out": [one.pseudonym for one in found.left_out],
        "brought_back": [one.pseudonym for one in found.brought_back],
    }
