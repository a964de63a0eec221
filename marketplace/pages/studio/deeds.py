"""What was done last in a review, told in sentences, with the way to take it back."""

from typing import Any

from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from ingestion.models import Decision, Finding
from ingestion.review import acts
from ingestion.review.acts import Deed
from marketplace.pages.studio import undoing
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

Act = Decision.Act
Row = dict[str, Any]
SHOWN = 80
"""Characters of what was found that a sentence shows."""
SENTENCES = {
    Act.CORRECT: gettext_lazy("Words corrected"),
    Act.READ: gettext_lazy("Read as right"),
    Act.LEAVE_OUT: gettext_lazy("A stretch left out"),
    Act.BRING_BACK: gettext_lazy("A stretch brought back"),
    Act.WRITE: gettext_lazy("Missing words written down"),
    Act.KEEP_UNWRITTEN: gettext_lazy("Speech without text: nothing more is said there"),
    Act.PLACE: gettext_lazy("A line of text placed in the recording"),
    Act.LEAVE_OUT_SPEAKER: gettext_lazy("%(speaker)s left out of this version"),
    Act.BRING_BACK_SPEAKER: gettext_lazy("%(speaker)s brought back"),
    Act.REMOVE: gettext_lazy("A recording removed from this version"),
}
FOUND = {
    Finding.State.CONFIRMED: gettext_lazy("«%(words)s» will be redacted"),
    Finding.State.REJECTED: gettext_lazy("«%(words)s» stays in"),
}


def newest(work: Work, *, back: str) -> list[Row]:
    """Return the last acts of everybody in a version; each is undone from the tab `back`."""
    return [row(work, one, back=back) for one in acts.newest(version=work.version)]


def last(work: Work, *, by: User, back: str) -> Row | None:
    """Return a person's own last act that stands in a version, or None."""
    mine = acts.last(version=work.version, by=by)
    return row(work, mine, back=back) if mine else None


def undone(work: Work, pk: str, *, back: str) -> Row | None:
    """Return an act that was taken back just now, by its primary key; None for any other."""
    found = acts.undone(version=work.version, pk=int(pk)) if pk.isdecimal() else None
    return row(work, found, back=back) if found else None


def room_of(recording: int) -> str:
    """Name the room of a recording as a place to come back to."""
    return f"recording:{recording}"


def row(work: Work, deed: Deed, *, back: str) -> Row:
    """Return an act as a list tells it."""
    decision = deed.decision
    return {
        "sentence": sentence(deed),
        "recording": decision.recording,
        "url": passage_url(work, deed),
        "at": None if deed.start_ms is None else wording.timecode(deed.start_ms),
        "by": decision.by,
        "when": decision.at,
        "is_undone": deed.is_undone,
        "undo_url": undoing.address(work, decision, back=back) if deed.can_be_undone else "",
    }


def sentence(deed: Deed) -> str:
    """Say what was done."""
    if deed.words:
        words = deed.words if len(deed.words) <= SHOWN else f"{deed.words[:SHOWN]}…"
        return FOUND[Finding.State(deed.state)] % {"words": words}
    if deed.decision.act == Act.LEAVE_OUT_UNCOVERED:
        count = len(deed.segments)
        told = ngettext(
            "%(count)s stretch without consent left out",
            "%(count)s stretches without consent left out",
            count,
        )
        return told % {"count": wording.number(count)}
    if deed.decision.act == Act.LEAVE_OUT_UNWRITTEN:
        count = len(deed.segments)
        told = ngettext(
            "%(count)s stretch of speech without text left out",
            "%(count)s stretches of speech without text left out",
            count,
        )
        return told % {"count": wording.number(count)}
    known = SENTENCES.get(Act(deed.decision.act))
    return known % {"speaker": deed.speaker} if known else deed.decision.get_act_display()


def passage_url(work: Work, deed: Deed) -> str:
    """Return where the passage of an act is read; nothing for one that touched many or none."""
    if deed.decision.recording_id is None or not deed.segments:
        return ""
    return at_passage(work, deed.decision.recording_id, deed.segments[0])


def at_passage(work: Work, recording: int, segment: int) -> str:
    """Return where a passage is read, wherever in the lists it stands."""
    return f"{work.url('recording', recording)}?at={segment}#s-{segment}"
