"""The steps of a run as pages tell them: in a sentence each, without reading what they made.

What a step made can be megabytes (every word of an hour), and a live page asks every two seconds:
the few figures that are told are read out of it by the database.
"""

from typing import Any

from django.db.models import Func, IntegerField, Prefetch
from django.db.models.fields.json import KT, KeyTransform
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ingestion.models import StepRun
from marketplace.templatetags import wording

NAMES = {
    "decode": _("Open the recording"),
    "vad": _("Find where somebody speaks"),
    "text": _("Set the words beside the sound"),
    "detect": _("Look for personal data"),
    "redact": _("Scrub it from words and sound"),
    "strip": _("Take out hidden tags and pictures"),
    "quality": _("Measure the quality"),
}
KNOTS = {
    StepRun.State.PENDING: ("waiting", _("Waiting")),
    StepRun.State.RUNNING: ("active", _("Working")),
    StepRun.State.DONE: ("done", _("Done")),
    StepRun.State.FAILED: ("refused", _("Stopped")),
}
WAYS = {
    "aligned": _("your transcript, set to the sound"),
    "transcribed": _("written down by the machine"),
    "read": _("as you wrote it"),
}


def length(name: str) -> Func:
    """Return how many entries the output's list `name` has, as a database expression."""
    return Func(
        KeyTransform(name, "output"), function="jsonb_array_length", output_field=IntegerField()
    )


def told_of_runs() -> "Prefetch[str]":
    """Return the prefetch of the steps of runs, with the figures that `told` says."""
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


def row(step: Any, *, said_above: str) -> dict[str, Any]:
    """Return a step of `told_of_runs` as the component and the table of its record show it.

    `said_above` is why its run stopped: what was said there is not said again.
    """
    knot, word = KNOTS[StepRun.State(step.state)]
    took = None
    if step.started_at and step.ended_at:
        took = int((step.ended_at - step.started_at).total_seconds() * 1000)
    return {
        "step": step,
        "name": NAMES.get(step.name, step.name),
        "state": knot,
        "word": word,
        "duration_ms": took,
        "detail": told(step) if not step.error or step.error in said_above else step.error,
    }


def told(step: Any) -> str:
    """Say in a sentence what a step found; empty for those whose work shows elsewhere."""
    match step.name:
        case "decode" if step.codec:
            return told_of_sound(step)
        case "vad" if step.windows is not None:
            sentence = ngettext(
                "%(count)s stretch of speech", "%(count)s stretches of speech", step.windows
            )
            return sentence % {"count": wording.number(step.windows)}
        case "text" if step.segments is not None:
            return told_of_text(step)
        case "detect" if step.found is not None:
            return told_of_findings(step)
        case _:
            return ""


def told_of_sound(step: Any) -> str:
    """Say what kind of sound was opened."""
    channels = int(step.channels)
    sentence = ngettext(
        "%(codec)s, %(rate)s Hz, %(channels)s channel",
        "%(codec)s, %(rate)s Hz, %(channels)s channels",
        channels,
    )
    return sentence % {
        "codec": step.codec,
        "rate": wording.number(int(step.rate)),
        "channels": channels,
    }


def told_of_text(step: Any) -> str:
    """Say how the words were come by."""
    sentence = ngettext(
        "%(count)s stretch, %(way)s", "%(count)s stretches, %(way)s", step.segments
    ) % {"count": wording.number(step.segments), "way": WAYS.get(step.method, step.method)}
    draft = gettext("a draft, so a person reads all of it")
    return f"{sentence}; {draft}" if step.grade == "draft" else sentence


def told_of_findings(step: Any) -> str:
    """Say how much was found, and where nothing could be looked for."""
    found = gettext("%(count)s found") % {"count": wording.number(step.found)}
    if not step.unsure:
        return found
    unsure = ngettext(
        "%(count)s stretch needs a person", "%(count)s stretches need a person", step.unsure
    )
    return f"{found}; {unsure % {'count': wording.number(step.unsure)}}"
