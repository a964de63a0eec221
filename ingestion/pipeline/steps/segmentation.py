"""Where to cut speech into segments: at pauses and sentence ends, 3 to 15 s, never over 30 s."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from ingestion.pipeline.transcripts import EDGE_MS, Segment, Word, cut_to_words

SHORT_MS, LONG_MS, LONGEST_MS = 3_000, 15_000, 30_000
LEAST_MS = 100
SENTENCE_END = (".", "!", "?", "\u2026", "\u3002", "\u0964", "\u1362", "\u061f")
CLAUSE_END = (",", ";", ":", "\u2014", "\u1363", "\u060c")
UNTIMED_REACH_MS = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the transcript with its words placed in time; `start_ms` where the row says it."""

    text: str
    words: tuple[Word, ...]
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


def segments_of(lines: Sequence[Line], *, duration_ms: int) -> list[Segment]:
    """Cut lines into segments in the order of time, each cut to its words.

    A line of at most 15 s stays whole. A line without a placed word that doesn't say when it is has
    no times: it stays in its place among the others.
    """
    found: list[Segment] = []
    for index, line in enumerate(lines):
        for piece in _pieces(line):
            found.append(_bounded(piece, found, lines[index + 1 :], duration_ms))
    apart = [cut_to_words(segment) for segment in _apart(found, duration_ms)]
    return [segment for segment in apart if segment.text]


def _pieces(line: Line) -> list[Line]:
    timed = [word for word in line.words if word.timed]
    if not timed or (timed[-1].end_ms or 0) - (timed[0].start_ms or 0) <= LONG_MS:
        return [line]
    pieces = []
    for first, stop in _ranges(line):
        start = line.words[first].start_char if first else 0
        end = line.words[stop].start_char if stop < len(line.words) else len(line.text)
        # An opening quotation mark belongs to the words after it.
        text = (
            line.text[start:end].rstrip(" \"'(\u00ab\u201c\u2018\u00bf\u00a1")
            if (stop < len(line.words))
            else line.text[start:end]
        )
        words = tuple(
            replace(word, start_char=word.start_char - start, end_char=word.end_char - start)
            for word in line.words[first:stop]
        )
        pieces.append(Line(text, words, line.speaker))
    return pieces


def _ranges(line: Line) -> list[tuple[int, int]]:
    """Return the cheapest division of a line's words, as half-open ranges (dynamic programming)."""
    count = len(line.words)
    starts, ends = _known_times(line.words)
    best = [0.0] + [math.inf] * count
    came_from = [0] * (count + 1)
    for stop in range(1, count + 1):
        cut = _cut_cost(line, stop)
        for first in range(stop - 1, -1, -1):
            length = ends[stop - 1] - starts[first]
            if length > LONGEST_MS and first < stop - 1:
                break
            cost = best[first] + cut + _length_cost(length)
            if cost < best[stop]:
                best[stop], came_from[stop] = cost, first
    ranges = []
    stop = count
    while stop:
        ranges.append((came_from[stop], stop))
        stop = came_from[stop]
    return ranges[::-1]


def _known_times(words: Sequence[Word]) -> tuple[list[int], list[int]]:
    """Return starts and ends in ms, an untimed word's taken from the word before it."""
    starts: list[int] = []
    ends: list[int] = []
    for word in words:
        last = ends[-1] if ends else 0
        starts.append(word.start_ms if word.timed and word.start_ms is not None else last)
        ends.append(word.end_ms if word.timed and word.end_ms is not None else last)
    return starts, ends


def _cut_cost(line: Line, stop: int) -> float:
    """Return what a cut after word `stop - 1` costs: nothing at a long pause after a sentence."""
    if stop == len(line.words):
        return 0.0
    before, after = line.words[stop - 1], line.words[stop]
    pause = (after.start_ms or 0) - (before.end_ms or 0) if before.timed and after.timed else 0
    between = line.text[before.end_char : after.start_char]
    cost = 2.0 - 1.2 * min(pause, 1000) / 1000
    if any(mark in between for mark in SENTENCE_END):
        return cost - 0.8
    return cost - 0.3 if any(mark in between for mark in CLAUSE_END) else cost


def _length_cost(length_ms: int) -> float:
    if length_ms < SHORT_MS:
        return 2 * (SHORT_MS - length_ms) / SHORT_MS
    return max(0.0, (length_ms - LONG_MS) / 5000)


def _bounded(
    piece: Line, before: Sequence[Segment], after: Sequence[Line], duration_ms: int
) -> Segment:
    """Give a piece its times: its row's, or its words' with what may be said beside them."""
    starts = [word.start_ms for word in piece.words if word.timed and word.start_ms is not None]
    ends = [word.end_ms for word in piece.words if word.timed and word.end_ms is not None]
    start, end = piece.start_ms, piece.end_ms
    if start is None or end is None:
        if not starts:
            return Segment(piece.text.strip(), piece.words, speaker=piece.speaker)
        previous = next((one.end_ms for one in reversed(before) if one.end_ms is not None), 0)
        following = next(
            (word.start_ms for line in after for word in line.words if word.timed), None
        )
        first_timed = bool(starts) and piece.words[0].timed
        last_timed = bool(ends) and piece.words[-1].timed
        floor = min(starts) - UNTIMED_REACH_MS
        ceiling = max(ends) + UNTIMED_REACH_MS
        start = min(starts) if first_timed else max(floor, min([previous or 0, *starts]))
        end = max(ends) if last_timed else min(ceiling, max([following or duration_ms, *ends]))
    end = min(max(end, start + LEAST_MS), duration_ms)
    return Segment(
        text=piece.text.strip(),
        words=piece.words,
        start_ms=max(0, min(start, end - 1)),
        end_ms=end,
        speaker=piece.speaker,
    )


def _apart(segments: list[Segment], duration_ms: int) -> list[Segment]:
    """Widen each segment by up to 150 ms into the silence around it, at most half way.

    Those without times follow the one that they stood behind.
    """
    ordered = in_time(segments)
    timed = [segment for segment in ordered if segment.start_ms is not None]
    places = {id(segment): index for index, segment in enumerate(timed)}
    result = []
    for segment in ordered:
        if id(segment) not in places:
            result.append(segment)
            continue
        index = places[id(segment)]
        start, end = segment.start_ms or 0, segment.end_ms or 0
        floor = timed[index - 1].end_ms or 0 if index else 0
        ceiling = timed[index + 1].start_ms or 0 if index + 1 < len(timed) else duration_ms
        if floor < start:
            start = max(start - EDGE_MS, (start + floor + 1) // 2 if index else 0)
        if ceiling > end:
            end = min(end + EDGE_MS, (end + ceiling) // 2 if index + 1 < len(timed) else ceiling)
        result.append(replace(segment, start_ms=start, end_ms=end))
    return result


def in_time(segments: Sequence[Segment]) -> list[Segment]:
    """Return segments in the order of time; one without times stays behind the one before it."""
    keyed: list[tuple[int, int, Segment]] = []
    last = (0, 0)
    for segment in segments:
        if segment.start_ms is not None:
            last = (segment.start_ms, segment.end_ms or 0)
        keyed.append((*last, segment))
    return [segment for _, _, segment in sorted(keyed, key=itemgetter(0, 1))]
