"""Finishing a review: its decisions as they stand become the inputs of runs that apply them."""

from typing import Any

from commonhold import canonical
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from ingestion.models import File, Finding, PipelineRun, Segment, Version
from ingestion.pipeline import jobs, recipes
from ingestion.review.decisions import NotInReview, lock
from ingestion.review.progress import require_complete
from ingestion.review.voices import Piece, Scene, scenes, with_findings


@transaction.atomic
def finish(*, version: Version, by: User) -> list[PipelineRun]:
    """Close the review and make the runs that apply its decisions; the seal follows them.

    A recording whose decisions are those of an earlier run keeps its results. Returns the runs to
    be done. Raises NotInReview, UploadsUnfinished, ReviewUnfinished (which names the first thing
    left to do).
    """
    version = lock(version.pk)
    jobs.require_uploads_finished(version)
    if version.files.to_process().filter(recording__intake__isnull=True).exists():
        sentence = _(
            "Version %(number)s has recordings that were not processed yet. Start processing first."
        )
        raise NotInReview(sentence, number=version.number)
    require_complete(version=version)
    version.state = Version.State.REVIEW
    version.review_finished_at, version.review_finished_by = timezone.now(), by
    version.seal_error = None
    version.save(update_fields=["state", "review_finished_at", "review_finished_by", "seal_error"])
    audit.note(
        by=by, verb="review.finished", about=(version, version.dataset), version=str(version)
    )
    stage = scenes(version=version)
    with_findings(stage)
    places = {place.recording_id: place for place in version.files.select_related("final")}
    runs = [apply(scene=scene, place=places[scene.recording.pk]) for scene in stage]
    return [run for run in runs if run is not None and run.state != PipelineRun.State.DONE]


def apply(*, scene: Scene, place: File) -> PipelineRun | None:
    """Give a place the run that applies the decisions; None where nothing is published of it."""
    inputs = decided(scene)
    run = None
    if len(inputs["excluded"]) < len(inputs["segments"]):
        sha256 = canonical.digest(inputs)
        run = same_run(scene=scene, sha256=sha256) or jobs.make_final(
            recording=scene.recording, inputs=inputs, sha256=sha256
        )
    place.final = run
    place.save(update_fields=["final"])
    return run


def same_run(*, scene: Scene, sha256: str) -> PipelineRun | None:
    """Return a run that applied, or applies, the very same decisions by the recipe of today."""
    recipe = recipes.choose(recording=scene.recording, phase=PipelineRun.Phase.FINAL)
    return (
        scene.recording.runs.filter(
            phase=PipelineRun.Phase.FINAL,
            after=scene.recording.intake_id,
            recipe=recipe,
            inputs_sha256=sha256,
        )
        .exclude(state=PipelineRun.State.FAILED)
        .exclude(state__in=["pending", "running"], superseded_at__isnull=False)
        .order_by("-created_at")
        .first()
    )


def decided(scene: Scene) -> dict[str, Any]:
    """Return what is to be published of a recording, redacted in it, and left out of it.

    What is left out stands among the segments too: a bar in it may reach into its neighbor.
    `unwritten` is silenced wherever it is heard: speech of which nobody said that it may stay, or
    somebody that it may not.
    """
    segments: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    excluded: list[int] = []
    unwritten = [[one.start_ms, one.end_ms] for one in scene.segments if one.is_barred]
    for segment in scene.segments:
        if segment.unwritten:
            continue
        pieces = scene.pieces(segment)
        if not pieces or pieces[0].part:
            excluded.append(len(segments))
            decisions += decisions_of(segment, number=len(segments))
            segments.append(described(segment))
        for piece in pieces:
            decisions += decisions_of(segment, number=len(segments), piece=piece)
            segments.append(described(segment, piece=piece))
    return {
        "segments": segments,
        "decisions": decisions,
        "excluded": excluded,
        "unwritten": unwritten,
    }


def described(segment: Segment, *, piece: Piece | None = None) -> dict[str, Any]:
    """Return a segment, or a piece of it, as the pipeline's steps have it."""
    speaker = piece.speaker if piece else segment.speaker
    shift = piece.first_char if piece else 0
    words = piece.words if piece else segment.words
    return {
        "position": segment.position,
        "part": piece.part if piece else 0,
        "start_ms": piece.start_ms if piece else segment.start_ms,
        "end_ms": piece.end_ms if piece else segment.end_ms,
        "text": piece.text if piece else segment.text,
        "speaker": speaker.pseudonym if speaker else None,
        "words": [
            word
            | {
                "start_char": word["start_char"] - shift,
                "end_char": word["end_char"] - shift,
            }
            for word in words
        ],
    }


def decisions_of(
    segment: Segment, *, number: int, piece: Piece | None = None
) -> list[dict[str, Any]]:
    """Return what is redacted in a segment, or in a piece of it: all that nobody rejected."""
    first, last = (piece.first_char, piece.last_char) if piece else (0, len(segment.text))
    found = []
    for one in sorted(segment.findings.all(), key=lambda one: (one.start_char, one.pk)):
        start, end = max(one.start_char, first), min(one.end_char, last)
        if one.state != Finding.State.REJECTED and start < end:
            found.append(
                {
                    "segment": number,
                    "kind": one.kind,
                    "start_char": start - first,
                    "end_char": end - first,
                    "start_ms": one.start_ms,
                    "end_ms": one.end_ms,
                }
            )
    return found
