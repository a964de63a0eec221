"""A version as JSON: its files, the runs over them, what is left to review, what was sealed."""

from typing import Any

from django.db.models import F, Prefetch, Q
from rest_framework import serializers
from rest_framework.request import Request

from ingestion import releases, review
from ingestion.archive.blobs import damaged
from ingestion.models import Blob, File, PipelineRun, Seal, StepRun, Upload, Version
from ingestion.pipeline import jobs
from marketplace.api.permissions import may
from marketplace.http.telling import tell, tell_record


class VersionName(serializers.Serializer[Any]):
    """Which version, and where it stands."""

    number = serializers.IntegerField()
    state = serializers.CharField()


class FileJson(serializers.Serializer[Any]):
    """A file of a version; for its contributors also what is on its way or was refused."""

    path = serializers.CharField()
    kind = serializers.CharField(
        allow_null=True,
        help_text="Of an original: audio, transcript, document; released: clip, text, description.",
    )
    size = serializers.IntegerField()
    sha256 = serializers.CharField(allow_null=True)
    state = serializers.CharField(help_text="complete, open, refused, erased or damaged.")
    error = serializers.CharField(allow_null=True)
    recording = serializers.IntegerField(
        allow_null=True, help_text="Of an original: the recording, the same in every version."
    )
    language = serializers.CharField(allow_null=True, help_text="Of an original: BCP 47 tag.")
    duration_ms = serializers.IntegerField(allow_null=True)


class StepJson(serializers.Serializer[Any]):
    """One step of a run."""

    name = serializers.CharField()
    state = serializers.CharField()
    tool = serializers.CharField()
    tool_version = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()


class RunJson(serializers.Serializer[Any]):
    """One execution of a recipe over one recording."""

    path = serializers.CharField(source="recording.name")
    phase = serializers.CharField()
    state = serializers.CharField()
    error = serializers.SerializerMethodField()
    steps = StepJson(many=True)

    def get_error(self, run: PipelineRun) -> str:
        """Return why it stopped, as a sentence; empty while nothing went wrong."""
        return tell_record(run.error)


class ReviewJson(serializers.Serializer[Any]):
    """What is left for a person to do."""

    open_findings = serializers.IntegerField()
    unreviewed_segments = serializers.IntegerField()
    uncovered_segments = serializers.IntegerField()
    unsettled_segments = serializers.IntegerField(
        help_text="Speech that the text leaves out, and text that has no place in its recording."
    )


class ReleaseJson(serializers.Serializer[Any]):
    """What was sealed."""

    root = serializers.CharField()  # type: ignore[assignment]  # a field, no property
    index_sha256 = serializers.CharField()
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    log_index = serializers.IntegerField(
        allow_null=True, help_text="Null for the seconds until the log has taken it in."
    )


class VersionJson(VersionName):
    """A version. Who may not see originals gets the released files, and no runs or review."""

    begun_from = serializers.IntegerField(allow_null=True)
    consent_state = serializers.CharField(
        allow_null=True, help_text="given, withdrawn or expired; null until it is sealed."
    )
    files = FileJson(many=True)
    runs = RunJson(many=True)
    review = ReviewJson(
        allow_null=True, help_text="Null unless somebody can work on it, or finish it, now."
    )
    left_out = serializers.ListField(
        child=serializers.CharField(), help_text="Pseudonyms of speakers who are left out."
    )
    release = ReleaseJson(allow_null=True)
    seal_error = serializers.CharField(
        allow_null=True, help_text="Why it could not be sealed, when it was tried last."
    )


def show(request: Request, version: Version) -> dict[str, Any]:
    """Return a version as JSON, with what the caller may see of it."""
    owner = version.dataset.organization
    inside = may(request, "ingestion.view_originals", version, owner=owner)
    return dict(
        VersionJson(
            {
                "number": version.number,
                "state": version.state,
                "begun_from": version.begun_from.number if version.begun_from else None,
                "consent_state": version.consent_state or None,
                "files": originals(version) if inside else released(version),
                "runs": runs(version) if inside else [],
                "review": review.progress(version=version) if inside and in_hand(version) else None,
                "left_out": left_out(version) if inside else [],
                "release": release_of(version),
                "seal_error": (tell_record(version.seal_error) or None) if inside else None,
            }
        ).data
    )


def in_hand(version: Version) -> bool:
    """Tell whether a person can work on it: in review, or carried over with nothing to process."""
    if version.state != Version.State.DRAFT:
        return version.state == Version.State.REVIEW and version.is_in_hand
    places = version.files.to_process()
    return places.exists() and not places.filter(recording__intake__isnull=True).exists()


def originals(version: Version) -> list[dict[str, Any]]:
    """Return the originals, and the uploads that did not become one."""
    places = version.files.in_order().select_related("recording__blob", "recording__dataset")
    unfinished = version.uploads.filter(state__in=[Upload.State.OPEN, Upload.State.REFUSED])
    here = [original(place) for place in places]
    coming = [
        {
            "path": upload.path,
            "kind": None,
            "size": upload.size,
            "sha256": upload.sha256 or None,
            "state": upload.state,
            "error": tell_record(upload.error) or None,
            "recording": None,
            "language": None,
            "duration_ms": None,
        }
        for upload in unfinished.order_by("created_at")
    ]
    return here + coming


def original(place: File) -> dict[str, Any]:
    """Return a recording in its place as JSON."""
    recording = place.recording
    return {
        "path": recording.name,
        "kind": recording.kind,
        "size": recording.blob.size if recording.blob else 0,
        "sha256": recording.blob_id,
        **standing(recording.blob),
        "recording": recording.pk,
        "language": recording.spoken,
        "duration_ms": recording.duration_ms,
    }


def standing(blob: Blob | None) -> dict[str, str | None]:
    """Return how the bytes of a file are, and what is wrong with them."""
    if blob is None:
        return {"state": "erased", "error": None}
    if blob.damaged_at is not None:
        return {"state": "damaged", "error": tell(damaged(blob.pk))}
    return {"state": "complete", "error": None}


def released(version: Version) -> list[dict[str, Any]]:
    """Return the published files, without what is told inside them."""
    files = releases.files(version=version).only(
        "path", "kind", "blob_id", "blob__size", "blob__damaged_at"
    )
    return [
        {
            "path": file.path,
            "kind": file.kind,
            "size": file.blob.size,
            "sha256": file.blob_id,
            **standing(file.blob),
            "recording": None,
            "language": None,
            "duration_ms": None,
        }
        for file in files
    ]


def runs(version: Version) -> list[PipelineRun]:
    """Return the runs that the version takes its results from, with their steps, in order."""
    intake = jobs.of(version, phase=PipelineRun.Phase.INTAKE)
    final = jobs.of(version, phase=PipelineRun.Phase.FINAL)
    found = PipelineRun.objects.filter(Q(pk__in=intake.values("pk")) | Q(pk__in=final.values("pk")))
    steps = StepRun.objects.defer("parameters", "output", "files").order_by("position")
    return list(
        found.select_related("recording")
        .defer("inputs")
        .prefetch_related(Prefetch("steps", steps))
        .order_by(F("recording__number").asc(nulls_last=True), "recording__name_key", "-phase")
    )


def left_out(version: Version) -> list[str]:
    """Return who is left out of a version, by their pseudonyms."""
    found = version.left_out.values_list("speaker__pseudonym", flat=True)
    return sorted(found)


def release_of(version: Version) -> dict[str, Any] | None:
    """Return what was sealed, from the signed release; its consents and clips are not read."""
    if version.seal_id is None:
        return None
    sealed = Seal.objects.filter(pk=version.seal_id)
    files, log_index = sealed.values_list("release__files", "statement__entry__index").get()
    return {
        "root": version.merkle_root,
        "index_sha256": files["index"]["digest"]["sha256"],
        "files": files["count"],
        "bytes": files["bytes"],
        "log_index": log_index,
    }
