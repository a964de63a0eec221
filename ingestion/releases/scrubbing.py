"""What was looked for in a version's texts, and what nobody looked for, by language."""

from collections.abc import Iterable, Sequence
from typing import Any

from ingestion.models import Recording, StepRun
from ingestion.pipeline.detectors import registry

Row = dict[str, Any]
EVERYTHING = frozenset({*registry.PRECEDENCE, *registry.NEVER_CHECKED})


def looked_for(recordings: Iterable[Recording]) -> list[Row]:
    """Return {"language", "lookedFor", "lookedForSpoken", "notLookedFor"} by language, sorted.

    Kinds of personal data. Where rules changed between recordings only what was looked for in all
    of a language is said to have been; of a step that did not say, nothing was.
    """
    tags = {one.intake_id: one.spoken for one in recordings if one.intake_id}
    steps = StepRun.objects.filter(run__in=tags, name="detect", state=StepRun.State.DONE)
    outputs = dict(steps.values_list("run_id", "output"))
    found: dict[str, list[Row]] = {}
    for run, tag in tags.items():
        found.setdefault(tag, []).append(outputs.get(run) or {})
    return [row(tag, found[tag]) for tag in sorted(found)]


def row(language: str, outputs: Sequence[Row]) -> Row:
    """Return what was looked for in every text of a language."""
    written, spoken = (
        set.intersection(*(set(one.get(name, ())) for one in outputs))
        for name in ("kinds_checked", "kinds_spoken")
    )
    return {
        "language": language,
        "lookedFor": sorted(written),
        "lookedForSpoken": sorted(spoken),
        "notLookedFor": sorted(EVERYTHING - written - spoken),
    }
