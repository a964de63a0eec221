"""What people have really played of a recording, as its page tells it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commonhold.sentences import _ as sentence_of
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from ingestion.consent.scopes import gaps_in
from ingestion.models import Finding, Recording, Segment
from ingestion.review import hearing, voices
from ingestion.review.hearing import Heard, Range
from ingestion.review.voices import Piece
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

Mark = dict[str, Any]
Page = dict[str, Any]


@dataclass(frozen=True)
class Ears:
    """Who has played what of one recording, as it is told to one of them."""

    mine: list[Range]
    others: list[list[Range]]
    together: list[Range]

    def mark(self, name: str, *stretches: Range) -> Mark | None:
        """Say who has heard some stretches, for the element of this name; None for a text."""
        if not stretches:
            return None
        knot, word = self.told(stretches)
        return {"name": name, "knot": knot, "word": word}

    def told(self, stretches: Sequence[Range]) -> tuple[str, str]:
        """Return the knot and the words."""
        if is_untouched(self.together, stretches):
            return "waiting", _("Not heard yet")
        if missing(self.together, stretches):
            return "active", _("Heard in part")
        whole = sum(not missing(one, stretches) for one in self.others)
        if missing(self.mine, stretches):
            parts = [one for one in [self.mine, *self.others] if not is_untouched(one, stretches)]
            people = whole or len(parts)
            sentence = ngettext("Heard by %(count)s person", "Heard by %(count)s people", people)
            return "done", sentence % {"count": wording.number(people)}
        if not whole:
            return "done", _("Heard by you")
        sentence = ngettext(
            "Heard by you and %(count)s other", "Heard by you and %(count)s others", whole
        )
        return "done", sentence % {"count": wording.number(whole)}


def missing(played: Sequence[Range], stretches: Iterable[Range]) -> list[Range]:
    """Return the parts of stretches that were not played."""
    return [gap for one in stretches for gap in gaps_in(played, *one)]


def is_untouched(played: Sequence[Range], stretches: Sequence[Range]) -> bool:
    """Whether nothing of some stretches was played."""
    return missing(played, stretches) == list(stretches)


def read(recording: Recording, *, reader: User) -> Ears:
    """Read who has played what of a recording; one query."""
    ranges = hearing.by_person(recording=recording)
    mine = ranges.pop(reader.pk, [])
    everything = [mine, *ranges.values()]
    return Ears(
        mine=mine,
        others=list(ranges.values()),
        together=hearing.merged(one for ranges in everything for one in ranges),
    )


def head(recording: Recording, pieces: Sequence[Piece], ears: Ears) -> dict[str, Any]:
    """Return what the head of a recording tells of hearing: how much, and where not."""
    stretches = hearing.merged(spoken(pieces))
    return {
        "heard_in_words": in_words(hearing.measured(pieces, ears.together)),
        "heard_line": {
            "duration_ms": recording.duration_ms,
            "heard": [part for one in stretches for part in within(ears.together, one)],
            "unheard": missing(ears.together, stretches),
        },
    }


def spoken(pieces: Iterable[Piece]) -> list[Range]:
    """Return where pieces lie; nothing for rows of a text."""
    return [
        (piece.start_ms, piece.end_ms)
        for piece in pieces
        if piece.start_ms is not None and piece.end_ms is not None
    ]


def told_of(segment: Segment, pieces: Iterable[Piece]) -> list[Range]:
    """Return the stretches of a segment of which it is told who has heard them.

    What is published of it; of speech without text all, for what is decided about it is heard.
    """
    if segment.unwritten and segment.start_ms is not None and segment.end_ms is not None:
        return [(segment.start_ms, segment.end_ms)]
    return spoken(pieces)


def within(ranges: Iterable[Range], frame: Range) -> list[Range]:
    """Return the parts of ranges that lie in a stretch."""
    clipped = [(max(start, frame[0]), min(end, frame[1])) for start, end in ranges]
    return [(start, end) for start, end in clipped if start < end]


def in_words(found: Heard) -> str:
    """Say how much of what would be published was played; nothing where nobody speaks."""
    whole = found.heard_ms + found.unheard_ms
    if not whole:
        return ""
    told = {"heard": wording.duration(found.heard_ms), "whole": wording.duration(whole)}
    if not found.heard_ms:
        return _("Nothing of %(whole)s heard yet") % told
    if not found.unheard_ms:
        return _("All %(whole)s heard") % told
    return _("%(heard)s of %(whole)s heard") % told


def changes(work: Work, recording: Recording, *, played: Sequence[Range], reader: User) -> Page:
    """Return what a page about a recording tells anew after some of it was played."""
    out = frozenset(work.version.left_out.values_list("speaker_id", flat=True))
    scene = voices.read(recordings=[recording], left_out=out, with_texts=False)[0]
    ears = read(recording, reader=reader)
    near = [one for one in scene.segments if touches(played, one.start_ms, one.end_ms)]
    findings = Finding.objects.filter(segment__in=near, start_ms__isnull=False)
    marks = [ears.mark(of_segment(one), *told_of(one, scene.pieces(one))) for one in near]
    marks += [of_finding(ears, one) for one in findings]
    context = head(recording, scene.published(), ears)
    return context | {"recording": recording, "marks": [one for one in marks if one]}


def touches(played: Iterable[Range], start_ms: int | None, end_ms: int | None) -> bool:
    """Whether something of a stretch was played."""
    if start_ms is None or end_ms is None:
        return False
    return any(start < end_ms and start_ms < end for start, end in played)


def of_segment(segment: Segment) -> str:
    """Return the name of the element that says who has heard a segment."""
    return f"heard-{segment.pk}"


def of_finding(ears: Ears, finding: Finding) -> Mark | None:
    """Say who has heard what was found."""
    if finding.start_ms is None or finding.end_ms is None:
        return None
    return ears.mark(f"heard-f{finding.pk}", (finding.start_ms, finding.end_ms))


def reported(body: bytes) -> list[list[int]]:
    """Return the stretches in a page's report. Raises HearingInvalid."""
    try:
        ranges = json.loads(body)["ranges"]
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable() from error
    if not isinstance(ranges, list) or not all(isinstance(one, list) for one in ranges):
        raise unreadable()
    return ranges


def unreadable() -> hearing.HearingInvalid:
    """Make the refusal of a report that is none."""
    return hearing.HearingInvalid(sentence_of("Say what was played as a list of stretches."))
