"""Where consent lies over recordings, for drawing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingestion import consent
from ingestion.consent.scopes import gaps_in
from ingestion.models import ConsentRecord, ConsentScope, Recording

Stretches = list[tuple[int, int]]
Scopes = Mapping[int, Sequence[ConsentScope]]


@dataclass(frozen=True)
class Strip:
    """What consent says about one recording or text."""

    recording: Recording
    covered: Stretches
    """Milliseconds [start, end) that a consent in force covers; empty for a text."""
    gaps: Stretches
    ended: Stretches
    """Milliseconds that a withdrawn or expired consent used to cover and none covers now."""
    speakers: int

    @property
    def is_complete(self) -> bool:
        """Whether every millisecond is covered."""
        return bool(self.speakers) and not self.gaps


def strips(recordings: Sequence[Recording]) -> list[Strip]:
    """Return what consent says about each recording, asking the database twice."""
    keys = [recording.pk for recording in recordings]
    in_force, ended = consent.in_force(recordings=keys), scopes_ended(keys)
    return [
        strip(recording, scopes=in_force.get(recording.pk, ()), ended=ended.get(recording.pk, ()))
        for recording in recordings
    ]


def scopes_ended(recordings: Sequence[int]) -> dict[int, list[ConsentScope]]:
    """Return the scopes of withdrawn and expired consents by the key of their recording.

    What was struck out as a mistake never was a consent.
    """
    found: dict[int, list[ConsentScope]] = {}
    scopes = ConsentScope.objects.filter(recording__in=recordings, record__voided_at__isnull=True)
    for scope in scopes.exclude(record__in=ConsentRecord.objects.in_force()):
        found.setdefault(scope.recording_id, []).append(scope)
    return found


def strip(
    recording: Recording, *, scopes: Sequence[ConsentScope], ended: Iterable[ConsentScope] = ()
) -> Strip:
    """Lay the scopes of one recording over its length."""
    length = recording.duration_ms or 0
    gaps = gaps_in(stretches(scopes, length), 0, length)
    before = stretches(ended, length)
    return Strip(
        recording=recording,
        covered=complement(gaps=gaps, length=length),
        gaps=gaps,
        ended=[part for gap in gaps for part in within(before, gap)],
        speakers=len({scope.record.speaker_id for scope in scopes}),
    )


def complement(*, gaps: Stretches, length: int) -> Stretches:
    """Return what lies between the gaps of [0, length)."""
    edges = [0, *(edge for gap in gaps for edge in gap), length]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


def stretches(scopes: Iterable[ConsentScope], length: int) -> Stretches:
    """Return the stretches of scopes, a whole recording being [0, length)."""
    return [
        (scope.start_ms or 0, length if scope.end_ms is None else scope.end_ms) for scope in scopes
    ]


def within(ranges: Stretches, frame: tuple[int, int]) -> Stretches:
    """Return the parts of `ranges` that lie in `frame`."""
    clipped = [(max(start, frame[0]), min(end, frame[1])) for start, end in ranges]
    return [(start, end) for start, end in clipped if start < end]
