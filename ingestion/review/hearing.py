"""“Heard” means heard: what each reviewer has played, and what of a release nobody has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ingestion.consent.scopes import gaps_in
from ingestion.models import Hearing, Recording
from ingestion.review.voices import Piece, length

MOST_RANGES = 500
"""Ranges that one report may hold."""
MOST_KEPT = 5000
"""Ranges that are kept of a person and a recording, the longest of them."""
JOIN_MS = 250
"""Players tell of time in steps: ranges that lie closer than this are one."""
Range = tuple[int, int]


class HearingInvalid(CommonholdError):
    """What was reported can't have been played."""

    code = "hearing-invalid"
    status = 422


@dataclass(frozen=True)
class Heard:
    """How much of what is published somebody has played, in ms of the original."""

    heard_ms: int
    unheard_ms: int


@transaction.atomic
def note(*, recording: Recording, ranges: Iterable[Sequence[int]], by: User) -> Hearing:
    """Add stretches [start_ms, end_ms) of an original that a person has played just now.

    Raises HearingInvalid; nothing is noted then.
    """
    played = [check(one, recording) for one in ranges]
    if not played or len(played) > MOST_RANGES:
        sentence = _("Report 1 to %(most)s stretches at a time.")
        raise HearingInvalid(sentence, field="ranges", most=MOST_RANGES)
    Recording.objects.select_for_update().get(pk=recording.pk)
    hearing, _made = Hearing.objects.get_or_create(recording=recording, user=by)
    known = [(first, last) for first, last in hearing.ranges]
    longest = sorted(merged([*known, *played]), key=length, reverse=True)[:MOST_KEPT]
    hearing.ranges = [list(one) for one in sorted(longest)]
    hearing.updated_at = timezone.now()
    hearing.save(update_fields=["ranges", "updated_at"])
    return hearing


def check(one: Sequence[int], recording: Recording) -> Range:
    """Return a stretch of the recording, cut to its length, or raise HearingInvalid."""
    whole = recording.duration_ms or 0
    if len(one) != 2 or not all(type(value) is int for value in one):
        raise HearingInvalid(_("A stretch is two numbers of milliseconds."), field="ranges")
    start, end = one[0], min(one[1], whole)
    if not 0 <= start < end:
        sentence = _("«%(path)s» is %(length)s ms long; a stretch lies inside it.")
        raise HearingInvalid(sentence, field="ranges", path=recording.name, length=whole)
    return start, end


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that overlap or nearly touch, in order."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1] + JOIN_MS:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def ranges_of(*, recordings: Iterable[int]) -> dict[int, list[Range]]:
    """Return what anybody has played, by the recordings' primary keys."""
    found: dict[int, list[Range]] = {}
    for hearing in Hearing.objects.filter(recording__in=list(recordings)):
        found.setdefault(hearing.recording_id, []).extend(
            (first, last) for first, last in hearing.ranges
        )
    return {pk: merged(ranges) for pk, ranges in found.items()}


def unheard(piece: Piece, played: Sequence[Range]) -> int:
    """Return how many ms of a piece nobody has played; 0 for a row of a text."""
    if piece.start_ms is None or piece.end_ms is None:
        return 0
    return sum(end - start for start, end in gaps_in(played, piece.start_ms, piece.end_ms))


def of_pieces(pieces: Sequence[Piece]) -> Heard:
    """Add up how much of what would be published was played."""
    return total(by_recording(pieces).values())


def total(found: Iterable[Heard]) -> Heard:
    """Add figures up."""
    rows = [(one.heard_ms, one.unheard_ms) for one in found]
    return Heard(sum(row[0] for row in rows), sum(row[1] for row in rows))


def by_recording(pieces: Sequence[Piece]) -> dict[int, Heard]:
    """Return the same of each recording, by its primary key; in one query."""
    groups: dict[int, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.segment.recording_id, []).append(piece)
    played = ranges_of(recordings=groups)
    return {pk: measured(group, played.get(pk, [])) for pk, group in groups.items()}


def measured(pieces: Sequence[Piece], played: Sequence[Range]) -> Heard:
    """Return how much of the pieces of one recording lies in what was played of it."""
    total = sum(piece.duration_ms for piece in pieces)
    missing = sum(unheard(piece, played) for piece in pieces)
    return Heard(heard_ms=total - missing, unheard_ms=missing)


def by_person(*, recording: Recording) -> dict[int, list[Range]]:
    """Return what each person has played of a recording, by their primary keys."""
    return {
        hearing.user_id: [(first, last) for first, last in hearing.ranges]
        for hearing in Hearing.objects.filter(recording=recording)
    }
