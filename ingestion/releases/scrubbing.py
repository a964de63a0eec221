"""What was looked for in a version's texts, and what nobody looked for, by language."""

from collections.abc import Iterable, Sequence
from typing import Any

from commonhold.sentences import Sentence, _

from ingestion.models import Recording, StepRun
from ingestion.pipeline.detectors import registry

Row = dict[str, Any]
KINDS = {
    "address": _("addresses"),
    "birth-date": _("dates of birth"),
    "card": _("card numbers"),
    "description": _("descriptions by which somebody can be known"),
    "email": _("email addresses"),
    "handle": _("account names"),
    "iban": _("bank accounts"),
    "id-number": _("identity numbers"),
    "ip": _("network addresses"),
    "name": _("names of people"),
    "number-plate": _("number plates"),
    "phone": _("phone numbers"),
    "url": _("web addresses"),
}
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


def kind_name(kind: str) -> Sentence:
    """Name a kind of personal data, in the plural."""
    return KINDS.get(kind) or Sentence(kind.replace("-", " "))


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
