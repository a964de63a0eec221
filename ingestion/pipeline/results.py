"""From a run's outputs to rows that a person reviews."""

from collections.abc import Mapping, Sequence
from typing import Any

from commonhold.paths import path_key

from ingestion.consent import cover, in_force
from ingestion.models import (
    ConsentScope,
    Finding,
    PipelineRun,
    Recording,
    Segment,
    Speaker,
)


def write_down(*, run: PipelineRun) -> None:
    """Make the segments and findings of a recording from the outputs of its intake.

    From here on they are the ones that count; those of an earlier intake stay on record.
    """
    outputs = {step.name: step.output or {} for step in run.steps.all()}
    text, detected = outputs["text"], outputs["detect"]
    reasons = {row["segment"]: row["reason"] for row in detected["not_checked"]}
    recording = run.recording
    speakers = known_speakers(recording=recording)
    scopes = in_force(recordings=[recording.pk]).get(recording.pk, [])
    segments = Segment.objects.bulk_create(
        Segment(
            recording=recording,
            run=run,
            position=position,
            start_ms=segment["start_ms"],
            end_ms=segment["end_ms"],
            speaker=who(segment=segment, speakers=speakers, scopes=scopes),
            text=segment["text"],
            words=segment["words"],
            needs_review=position in reasons,
            review_reason=reasons.get(position, "")[:200],
        )
        for position, segment in enumerate(text["segments"])
    )
    Finding.objects.bulk_create(
        Finding(
            segment=segments[row["segment"]],
            kind=row["kind"],
            start_char=row["start_char"],
            end_char=row["end_char"],
            start_ms=row["start_ms"],
            end_ms=row["end_ms"],
            detector=row["detector"],
            confidence=row["confidence"],
        )
        for row in detected["findings"]
    )
    Recording.objects.filter(pk=recording.pk).update(intake=run)


def known_speakers(*, recording: Recording) -> dict[str, Speaker]:
    """Return the dataset's speakers by every label a transcript may use for them."""
    found = {}
    for speaker in recording.dataset.speakers.all():
        found[path_key(speaker.name)] = speaker
        found[path_key(speaker.pseudonym)] = speaker
    return found


def who(
    *,
    segment: Mapping[str, Any],
    speakers: Mapping[str, Speaker],
    scopes: Sequence[ConsentScope],
) -> Speaker | None:
    """Tell who speaks: whom the transcript names, else the only one whose consent lies here."""
    label = segment.get("speaker")
    if label and path_key(label) in speakers:
        return speakers[path_key(label)]
    covering = cover(scopes=scopes, start_ms=segment["start_ms"], end_ms=segment["end_ms"])
    heard = {record.speaker for record in covering.records}
    return heard.pop() if len(heard) == 1 else None
