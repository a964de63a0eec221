"""The steps of a run as pages tell them: in a sentence each, without reading what they made.

What a step made can be megabytes (every word of an hour), and a live page asks every two seconds:
the few figures that are told are read out of it by the database.
"""

from typing import Any

from django.db.models import Func, IntegerField, Prefetch
from django.db.models.fields.json import KT, KeyTransform

from ingestion.models import PipelineRun, StepRun

NAMES = {
    "decode": "Open the recording",
    "vad": "Find where somebody speaks",
    "text": "Set the words beside the sound",
    "detect": "Look for personal data",
    "redact": "Scrub it from words and sound",
    "strip": "Take out hidden tags and pictures",
    "quality": "Measure the quality",
}
KNOTS = {
    StepRun.State.PENDING: ("waiting", "Waiting"),
    StepRun.State.RUNNING: ("active", "Working"),
    StepRun.State.DONE: ("done", "Done"),
    StepRun.State.FAILED: ("refused", "Stopped"),
}
WAYS = {
    "aligned": "your transcript, set to the sound",
    "transcribed": "written down by the machine",
    "read": "as you wrote it",
}


def length(name: str) -> Func:
    """Return how many entries the output's list `name` has, as a database expression."""
    return Func(
        KeyTransform(name, "output"), function="jsonb_array_length", output_field=IntegerField()
    )


def of_runs() -> "Prefetch[str]":
    """Return the prefetch of the steps of runs, light enough for a page of them."""
    light = StepRun.objects.defer("output", "files", "parameters").order_by("position")
    return Prefetch("steps", queryset=light)


def told_of_runs() -> "Prefetch[str]":
    """Return the same with the figures that `told` says."""
    told_steps = (
        StepRun.objects.defer("output", "files", "parameters")
        .annotate(
            codec=KT("output__codec"),
            rate=KT("output__sample_rate"),
            channels=KT("output__channels"),
            windows=length("windows"),
            segments=length("segments"),
            method=KT("output__method"),
            grade=KT("output__grade"),
            found=length("findings"),
            unsure=length("not_checked"),
        )
        .order_by("position")
    )
    return Prefetch("steps", queryset=told_steps)


def row(step: Any, run: PipelineRun) -> dict[str, Any]:
    """Return a step of `told_of_runs` as the component and the table of its record show it."""
    knot, word = KNOTS[StepRun.State(step.state)]
    took = None
    if step.started_at and step.ended_at:
        took = int((step.ended_at - step.started_at).total_seconds() * 1000)
    said_above = step.error and step.error == run.error
    return {
        "step": step,
        "name": NAMES.get(step.name, step.name),
        "state": knot,
        "word": word,
        "duration_ms": took,
        "detail": "" if said_above else step.error or told(step),
    }


def told(step: Any) -> str:
    """Say in a sentence what a step found; empty for those whose work shows elsewhere."""
    match step.name:
        case "decode" if step.codec:
            return f"{step.codec}, {int(step.rate):,} Hz, {many(int(step.channels), 'channel')}"
        case "vad" if step.windows is not None:
            return f"{many(step.windows, 'stretch', 'stretches')} of speech"
        case "text" if step.segments is not None:
            draft = "; a draft, so a person reads all of it" if step.grade == "draft" else ""
            way = WAYS.get(step.method, step.method)
            return f"{many(step.segments, 'stretch', 'stretches')}, {way}{draft}"
        case "detect" if step.found is not None:
            needs = "needs" if step.unsure == 1 else "need"
            rest = f"; {many(step.unsure, 'stretch', 'stretches')} {needs} a person"
            return f"{step.found:,} found{rest if step.unsure else ''}"
        case _:
            return ""


def many(count: int, one: str, several: str = "") -> str:
    """Count something in words."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
