"""Who is heard where in a recording, and what of it would be published, on whose consent.

A segment is published whole, or, where a speaker is left out of the version, in the pieces that
are left. Labels and times decide who is heard: whom a segment names; else everybody whose consent
lies there. A consent for a whole recording does not put its speaker into what others are named
for, and neither does one for a stretch once segments name that speaker. Whom a transcript names
and nobody knows has agreed to nothing, whoever's consent lies there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any, Generic, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, prefetch_related_objects

from ingestion.consent import Coverage, cover, in_force
from ingestion.consent.scopes import gaps_in
from ingestion.models import (
    ConsentRecord,
    ConsentScope,
    Finding,
    Recording,
    Segment,
    Speaker,
    Version,
)

SHORTEST_MS = 300
"""A piece shorter than this holds no word worth having."""
BRUSH_MS = 200
"""Segments that overlap by less only touch: times of words are no more exact."""

Range = tuple[int, int]
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Piece:
    """What would be published of a segment: all of it (part 0) or one of the parts left."""

    segment: Segment
    part: int
    start_ms: int | None
    end_ms: int | None
    coverage: Coverage
    is_covered: bool
    only: Speaker | None
    """The only one whose consent lies here."""
    left: Sequence[dict[str, Any]] = ()
    """The words of a part."""

    @property
    def speaker(self) -> Speaker | None:
        """Who speaks, where that is known: named, or the only one whose consent lies here."""
        return self.segment.speaker or self.only

    @property
    def words(self) -> Sequence[dict[str, Any]]:
        """Its words, as the segment has them."""
        return self.left if self.part else self.segment.words

    @property
    def first_char(self) -> int:
        """Where its text begins in the segment's."""
        return self.left[0]["start_char"] if self.part and self.left else 0

    @property
    def last_char(self) -> int:
        """Where its text ends in the segment's."""
        return last_char(self.segment, self.left) if self.part else len(self.segment.text)

    @property
    def text(self) -> str:
        """What is said in it."""
        text = self.segment.text[self.first_char : self.last_char]
        return text.rstrip() if self.part else text

    @property
    def duration_ms(self) -> int:
        """How long it is; 0 for a row of a text."""
        return (self.end_ms or 0) - (self.start_ms or 0)

    @property
    def records(self) -> list[ConsentRecord]:
        """The consents that it rests on."""
        return self.coverage.records


class Line(Generic[Thing]):
    """Things that lie on a recording, found by where they lie without asking every one."""

    def __init__(self, laid: Iterable[tuple[int, int, Thing]]) -> None:
        self.laid = sorted(laid, key=itemgetter(0, 1))
        self.starts = [start for start, _, _ in self.laid]
        self.longest = max((end - start for start, end, _ in self.laid), default=0)

    def over(self, start: int, end: int) -> list[Thing]:
        """Return what lies over a part of [start, end), by where it begins."""
        first = bisect_right(self.starts, start - self.longest)
        last = bisect_left(self.starts, end)
        return [thing for _, until, thing in self.laid[first:last] if until > start]


@dataclass
class Scene:
    """A recording with its current segments, the consents over it, and who is left out."""

    recording: Recording
    segments: list[Segment]
    scopes: Sequence[ConsentScope]
    left_out: frozenset[int] = field(default_factory=frozenset)
    """Primary keys of speakers."""

    @cached_property
    def named(self) -> dict[int, list[Range]]:
        """Where segments name a speaker, by the speaker's primary key."""
        found: dict[int, list[Range]] = {}
        for one in self.segments:
            if one.speaker_id and one.start_ms is not None and one.end_ms is not None:
                found.setdefault(one.speaker_id, []).append((one.start_ms, one.end_ms))
        return found

    @cached_property
    def names(self) -> Line[tuple[int, Range]]:
        """The same, by where it is."""
        return Line((*part, (who, part)) for who, parts in self.named.items() for part in parts)

    @cached_property
    def everywhere(self) -> list[tuple[int, ConsentScope]]:
        """The consents for all of it, with their places among all."""
        return [(place, one) for place, one in enumerate(self.scopes) if one.start_ms is None]

    @cached_property
    def somewhere(self) -> Line[tuple[int, ConsentScope]]:
        """The consents for stretches of it, by where they lie, with their places among all."""
        return Line(
            (one.start_ms, one.end_ms, (place, one))
            for place, one in enumerate(self.scopes)
            if one.start_ms is not None and one.end_ms is not None
        )

    def scopes_over(self, stretch: Sequence[Range]) -> list[ConsentScope]:
        """Return the consents over a stretch in the order of all; over a row of a text, all."""
        if not stretch:
            return list(self.scopes)
        over = [*self.everywhere, *self.somewhere.over(*stretch[0])]
        return [scope for _, scope in sorted(over, key=itemgetter(0))]

    def voices(self, segment: Segment) -> dict[int, list[Range]]:
        """Return who is heard in a segment, and where; empty ranges for a row of a text."""
        found: dict[int, list[Range]] = {}
        whole = stretch_of(segment)
        if segment.speaker_id:
            found[segment.speaker_id] = whole
        for scope in self.scopes_over(whole):
            who = scope.record.speaker_id
            if who == segment.speaker_id or not self.may_be_heard(scope, segment):
                continue
            lies = overlap(scope, segment)
            if lies is not None:
                found.setdefault(who, []).extend(lies)
        for who, named in self.names.over(*whole[0]) if whole else ():
            brushes = [part for part in clipped([named], whole) if length(part) >= BRUSH_MS]
            if who != segment.speaker_id and brushes:
                found.setdefault(who, []).extend(brushes)
        return found

    def may_be_heard(self, scope: ConsentScope, segment: Segment) -> bool:
        """Whether a consent can put its speaker into a segment that names nobody or another."""
        if segment.speaker_id is None:
            return True
        return scope.start_ms is not None and scope.record.speaker_id not in self.named

    def is_cut(self, segment: Segment) -> bool:
        """Whether somebody else is left out of a segment, so that a part of it may be left."""
        if (
            segment.excluded
            or segment.unwritten
            or not self.left_out
            or segment.speaker_id in self.left_out
        ):
            return False
        return not self.left_out.isdisjoint(self.voices(segment))

    def pieces(self, segment: Segment) -> list[Piece]:
        """Return what would be published of a segment that nobody left out."""
        if segment.excluded or segment.unwritten or segment.is_unplaced:
            return []
        voices = self.voices(segment)
        out = self.left_out & voices.keys()
        if not out:
            return [self.piece(segment, voices, part=0, stretch=stretch_of(segment))]
        cut = [part for who in out for part in voices[who]]
        if segment.speaker_id in out or segment.start_ms is None or segment.end_ms is None:
            return []
        if not all(word["timed"] for word in segment.words):
            return []  # Nobody can tell which of the words are theirs.
        left = gaps_in(cut, segment.start_ms, segment.end_ms)
        found = [
            self.piece(segment, voices, part=number, stretch=[part])
            for number, part in enumerate(left, start=1)
            if length(part) >= SHORTEST_MS
        ]
        return [piece for piece in found if piece.words]

    def piece(
        self, segment: Segment, voices: dict[int, list[Range]], *, part: int, stretch: list[Range]
    ) -> Piece:
        """Make a piece of a segment."""
        start, end = stretch[0] if stretch else (None, None)
        scopes = [
            scope
            for scope in self.scopes_over(stretch)
            if scope.record.speaker_id in voices and scope.record.speaker_id not in self.left_out
        ]
        coverage = cover(scopes=scopes, start_ms=start, end_ms=end)
        agreed = {record.speaker_id for record in coverage.records}
        stranger = segment.names_stranger
        heard = {
            who
            for who, ranges in voices.items()
            if who not in self.left_out and (not stretch or clipped(ranges, stretch))
        }
        return Piece(
            segment=segment,
            part=part,
            start_ms=start,
            end_ms=end,
            coverage=coverage,
            is_covered=coverage.is_complete and heard <= agreed and not stranger,
            only=coverage.records[0].speaker if len(agreed) == 1 and not stranger else None,
            left=words_in(segment, start or 0, end or 0) if part else (),
        )

    def unsettled(self) -> list[Segment]:
        """Return what keeps something out of the recording until a person has settled it.

        Speech that the text leaves out, and text of which nobody knows when it is said. Where
        nothing is published, and of who is left out, nothing needs to be settled.
        """
        waiting = [one for one in self.segments if self.is_unsettled(one)]
        return waiting if waiting and self.published() else []

    def is_unsettled(self, segment: Segment) -> bool:
        """Whether a person has to say what, or when, is said in a segment."""
        if segment.excluded or not (segment.is_silenced or segment.is_unplaced):
            return False
        heard = self.voices(segment).keys()
        return not heard or not heard <= self.left_out

    def published(self) -> list[Piece]:
        """Return everything that would be published of the recording, in order."""
        return [piece for segment in self.segments for piece in self.pieces(segment)]


def stretch_of(segment: Segment) -> list[Range]:
    """Return a segment's stretch, or nothing for a row of a text."""
    if segment.start_ms is None or segment.end_ms is None:
        return []
    return [(segment.start_ms, segment.end_ms)]


def overlap(scope: ConsentScope, segment: Segment) -> list[Range] | None:
    """Return where a scope lies in a segment, or None if it doesn't."""
    whole = stretch_of(segment)
    if not whole:
        return []
    start, end = whole[0]
    first = max(start, scope.start_ms or 0)
    last = end if scope.end_ms is None else min(end, scope.end_ms)
    return [(first, last)] if first < last else None


def clipped(ranges: Iterable[Range], frame: Sequence[Range]) -> list[Range]:
    """Return the parts of ranges that lie in the one range of a frame."""
    if not frame:
        return []
    start, end = frame[0]
    inside = [(max(start, first), min(end, last)) for first, last in ranges]
    return [(first, last) for first, last in inside if first < last]


def length(part: Range) -> int:
    """Return how long a stretch is, in ms."""
    return part[1] - part[0]


def words_in(segment: Segment, start: int, end: int) -> list[dict[str, Any]]:
    """Return the words of a segment that lie wholly in a stretch."""
    return [word for word in segment.words if start <= word["start_ms"] and word["end_ms"] <= end]


def last_char(segment: Segment, words: Sequence[dict[str, Any]]) -> int:
    """Return where the text of some words ends: with the marks that cling to the last of them."""
    if not words:
        return 0
    after = [word["start_char"] for word in segment.words]
    later = [place for place in after if place > words[-1]["start_char"]]
    return min(later, default=len(segment.text))


def scenes(*, version: Version, with_texts: bool = True) -> list[Scene]:
    """Return a version's recordings as they stand, in order; four or five queries, however many.

    Without texts (see `read`) it is a hundredth of the bytes: enough for counting.
    """
    return read(
        recordings=[
            place.recording
            for place in version.files.to_process().in_order().select_related("recording")
        ],
        left_out=frozenset(version.left_out.values_list("speaker_id", flat=True)),
        with_texts=with_texts,
    )


def scene(*, recording: Recording, version: Version) -> Scene:
    """Return one recording as it stands in a version."""
    left_out = frozenset(version.left_out.values_list("speaker_id", flat=True))
    return read(recordings=[recording], left_out=left_out)[0]


def read(
    *,
    recordings: Sequence[Recording],
    left_out: frozenset[int],
    scopes: Mapping[int, Sequence[ConsentScope]] | None = None,
    with_texts: bool = True,
) -> list[Scene]:
    """Read the segments of recordings, and the consents over them unless they are at hand.

    Each segment has `finding_states`, the states of what is found in it. Without texts, segments
    don't have their speakers at hand either, and only those of which a part is left out their
    words.
    """
    keys = [recording.pk for recording in recordings]
    scopes = in_force(recordings=keys) if scopes is None else scopes
    segments: dict[int, list[Segment]] = {}
    for segment in current(keys, with_texts=with_texts):
        segments.setdefault(segment.recording_id, []).append(segment)
    for recording in recordings:
        for segment in segments.get(recording.pk, []):
            segment.recording = recording
    found = [
        Scene(recording, segments.get(recording.pk, []), scopes.get(recording.pk, []), left_out)
        for recording in recordings
    ]
    if not with_texts:
        read_words(found)
    return found


def current(recordings: Sequence[int], *, with_texts: bool) -> QuerySet[Segment]:
    """Return the segments that count, by recording and in order."""
    states = Finding.objects.filter(segment=OuterRef("pk")).order_by().values("state")
    found = (
        Segment.objects.current()
        .filter(recording__in=recordings)
        .annotate(finding_states=ArraySubquery(states))
        .order_by("recording_id", "position")
    )
    return found.select_related("speaker") if with_texts else found.defer("text", "words")


def read_words(scenes: Iterable[Scene]) -> None:
    """Read the words of segments of which a part is left out, in one query, if there are any."""
    cut = {segment.pk: segment for one in scenes for segment in one.segments if one.is_cut(segment)}
    if cut:
        for whole in Segment.objects.filter(pk__in=cut).only("text", "words"):
            cut[whole.pk].text, cut[whole.pk].words = whole.text, whole.words


def with_findings(scenes: Sequence[Scene]) -> None:
    """Read the findings of the scenes' segments along, in one query."""
    everything = [segment for one in scenes for segment in one.segments]
    if everything:
        prefetch_related_objects(everything, "findings")
