"""From a run's outputs to rows that a person reviews, and from decisions back to parameters."""

from collections.abc import Mapping
from typing import Any

from commonhold.paths import path_key

from ingestion.consent import cover
from ingestion.models import (
    ConsentRecord,
    ConsentScope,
    File,
    Finding,
    PipelineRun,
    Segment,
    Speaker,
    StepRun,
)


def write_down(*, run: PipelineRun) -> None:
    """Make the segments and findings of a file from the outputs of its intake."""
    outputs = {step.name: step for step in run.steps.all()}
    text, detected = outputs["text"].output or {}, outputs["detect"].output or {}
    reasons = {row["segment"]: row["reason"] for row in detected["not_checked"]}
    speakers = known_speakers(file=run.file)
    scopes = list(
        ConsentScope.objects.filter(
            file=run.file, record__in=ConsentRecord.objects.in_force()
        ).select_related("record__speaker")
    )
    segments = Segment.objects.bulk_create(
        Segment(
            file=run.file,
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


def known_speakers(*, file: File) -> dict[str, Speaker]:
    """Return the dataset's speakers by every label a transcript may use for them."""
    found = {}
    for speaker in file.version.dataset.speakers.all():
        found[path_key(speaker.name)] = speaker
        found[path_key(speaker.pseudonym)] = speaker
    return found


def who(
    *, segment: Mapping[str, Any], speakers: Mapping[str, Speaker], scopes: list[ConsentScope]
) -> Speaker | None:
    """Tell who speaks: whom the transcript names, else the only one whose consent lies here."""
    label = segment.get("speaker")
    if label and path_key(label) in speakers:
        return speakers[path_key(label)]
    covering = cover(scopes=scopes, start_ms=segment["start_ms"], end_ms=segment["end_ms"])
    heard = {record.speaker for record in covering.records}
    return heard.pop() if len(heard) == 1 else None


def review_parameters(*, step: StepRun, earlier: Mapping[str, StepRun]) -> dict[str, Any]:
    """Return what review tells a step beside its recipe: what to redact, which words to count.

    Before review everything that was found is redacted; afterwards what a person confirmed.
    """
    if step.name == "quality" and step.run.phase == PipelineRun.Phase.FINAL:
        return {"segments": decided(file=step.run.file)["segments"]}
    if step.name != "redact":
        return {}
    if step.run.phase == PipelineRun.Phase.INTAKE:
        text, detected = earlier["text"].output or {}, earlier["detect"].output or {}
        keys = ("segment", "kind", "start_char", "end_char")
        return {
            "segments": text["segments"],
            "decisions": [{key: row[key] for key in keys} for row in detected["findings"]],
            "excluded": [],
        }
    return decided(file=step.run.file)


def decided(*, file: File) -> dict[str, Any]:
    """Return a file's reviewed segments, what is to be redacted in them, and what is left out."""
    segments = list(file.segments.select_related("speaker"))
    confirmed = Finding.objects.filter(segment__file=file).exclude(state=Finding.State.REJECTED)
    return {
        "segments": [
            {
                "start_ms": segment.start_ms,
                "end_ms": segment.end_ms,
                "text": segment.text,
                "speaker": segment.speaker.pseudonym if segment.speaker else None,
                "words": segment.words,
            }
            for segment in segments
        ],
        "decisions": [
            {
                "segment": finding.segment.position,
                "kind": finding.kind,
                "start_char": finding.start_char,
                "end_char": finding.end_char,
            }
            for finding in confirmed.select_related("segment").order_by(
                "segment__position", "start_char", "pk"
            )
        ],
        "excluded": [segment.position for segment in segments if segment.excluded],
    }
