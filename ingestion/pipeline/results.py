"""From a run's outputs to rows that a person reviews."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from ingestion.consent import in_force
from ingestion.consent.naming import by_label, wait_for_turn, who
from ingestion.models import (
    Finding,
    PipelineRun,
    Recording,
    Segment,
)


def write_down(*, run: PipelineRun) -> None:
    """Make the segments and findings of a recording from the outputs of its intake.

    From here on they are the ones that count; those of an earlier intake stay on record.
    """
    outputs = {step.name: step.output or {} for step in run.steps.all()}
    text, detected = outputs["text"], outputs["detect"]
    reasons = {row["segment"]: row["reason"] for row in detected["not_checked"]}
    recording = run.recording
    wait_for_turn([recording.pk])
    speakers = by_label(dataset=recording.dataset)
    scopes = in_force(recordings=[recording.pk]).get(recording.pk, [])
    segments: dict[int, Segment] = {}
    rows: list[Segment] = []
    for number, stretch in in_order(text["segments"], text["untranscribed"]):
        row = Segment(recording=recording, run=run, position=len(rows))
        if number is None:
            row.start_ms, row.end_ms = stretch
            row.unwritten = row.needs_review = True
        else:
            segment = text["segments"][number]
            segments[number] = row
            row.start_ms, row.end_ms = segment["start_ms"], segment["end_ms"]
            row.label = (segment.get("speaker") or "")[:160]
            row.speaker = who(
                label=row.label,
                start_ms=row.start_ms,
                end_ms=row.end_ms,
                speakers=speakers,
                scopes=scopes,
            )
            row.text, row.words = segment["text"], segment["words"]
            row.needs_review = number in reasons
            row.review_reason = reasons.get(number, "")[:200]
        rows.append(row)
    Segment.objects.bulk_create(rows)
    write_findings(detected["findings"], segments)
    Recording.objects.filter(pk=recording.pk).update(intake=run)


def write_findings(findings: Sequence[Mapping[str, Any]], segments: Mapping[int, Segment]) -> None:
    """Make the findings in segments, which are known by their numbers in the run's outputs."""
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
        for row in findings
    )


def in_order(
    segments: Sequence[Mapping[str, Any]], unwritten: Sequence[Sequence[int]]
) -> list[tuple[int | None, tuple[int, int]]]:
    """Lay segments, by their numbers, and unwritten stretches (None) out in the order of time.

    A segment without times stays behind the one before it.
    """
    laid: list[tuple[int, int, int | None, tuple[int, int]]] = []
    at = 0
    for number, segment in enumerate(segments):
        at = at if segment["start_ms"] is None else segment["start_ms"]
        laid.append((at, 0, number, (at, at)))
    laid += [(start, 1, None, (start, end)) for start, end in unwritten]
    laid.sort(key=itemgetter(0, 1))
    return [(number, stretch) for _, _, number, stretch in laid]
