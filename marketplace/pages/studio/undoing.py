"""Offering to take an act back, in the message that says it is done."""

from urllib.parse import urlencode

from django.contrib import messages

from ingestion.models import Decision
from marketplace.pages.studio.access import StudioRequest, Work

TABS = frozenset({"files", "review", "seal"})


def offer(
    request: StudioRequest, work: Work, decision: Decision, sentence: str, *, back: str
) -> None:
    """Say that an act is done, with a button that undoes it and leads back to `back` (see `place`).

    The button is a form of its own (pages/studio/dataset.html), so it needs no scripts.
    """
    messages.success(request, sentence, extra_tags=address(work, decision, back=back))


def place(work: Work, name: str) -> str:
    """Return the page that a form names: a tab, or `recording:` and its primary key."""
    key = room(name)
    if key is not None:
        return work.url("recording", key)
    return work.url(name if name in TABS else "review")


def room(name: str) -> int | None:
    """Return the primary key of the recording that a form names; None where it names a tab."""
    kind, _, key = name.partition(":")
    return int(key) if kind == "recording" and key.isdecimal() else None


def address(work: Work, decision: Decision, *, back: str) -> str:
    """Return where an act is undone from a tab."""
    return f"{work.url('undo', decision.pk)}?{urlencode({'from': back})}"
