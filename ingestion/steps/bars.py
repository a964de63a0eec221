"""Which stretches of a recording are silenced, and what the text says in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingestion.transcripts import Segment, span_in_time


@dataclass(frozen=True, slots=True)
class Decision:
    """A stretch of a segment's text (half-open characters) to be redacted."""

    segment: int
    kind: str
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the recording (half-open ms) to be silenced."""

    start_ms: int
    end_ms: int
    kind: str


def bars_of(
    segments: Sequence[Segment], decisions: Sequence[Decision], *, pad_ms: int, duration_ms: int
) -> list[Bar]:
    """Return the recording's bars in order, padded, clamped and merged where they touch.

    A decision with an untimed word silences its whole segment. A merged bar bears the kind of its
    longest part.
    """
    found = []
    for decision in decisions:
        segment = segments[decision.segment]
        start, end, _ = span_in_time(
            segment, start_char=decision.start_char, end_char=decision.end_char
        )
        if start is not None and end is not None:
            first, last = max(0, start - pad_ms), min(duration_ms, end + pad_ms)
            found.append(Bar(first, max(first + 1, last), decision.kind))
    return _merged(found)


def _merged(bars: Sequence[Bar]) -> list[Bar]:
    merged: list[Bar] = []
    longest = 0
    for bar in sorted(bars, key=lambda bar: (bar.start_ms, bar.end_ms)):
        length = bar.end_ms - bar.start_ms
        if merged and bar.start_ms <= merged[-1].end_ms:
            last = merged[-1]
            kind = bar.kind if length > longest else last.kind
            merged[-1] = Bar(last.start_ms, max(last.end_ms, bar.end_ms), kind)
            longest = max(longest, length)
        else:
            merged.append(bar)
            longest = length
    return merged


def redacted_text(text: str, decisions: Sequence[Decision]) -> str:
    """Return a segment's text with `[KIND]` in place of its decisions; overlaps become one.

    An overlap bears the kind of its longest part, as its bar does.
    """
    spans: list[list[int]] = []
    kinds: list[tuple[int, str]] = []
    for decision in sorted(decisions, key=lambda one: (one.start_char, one.end_char)):
        start, end = max(0, decision.start_char), min(len(text), decision.end_char)
        if start >= end:
            continue
        if spans and start < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
            kinds[-1] = max(kinds[-1], (end - start, decision.kind), key=lambda pair: pair[0])
        else:
            spans.append([start, end])
            kinds.append((end - start, decision.kind))
    result, position = "", 0
    for (start, end), (_, kind) in zip(spans, kinds, strict=True):
        result += f"{text[position:start]}[{kind.upper()}]"
        position = end
    return result + text[position:]


def by_segment(decisions: Sequence[Decision]) -> Mapping[int, list[Decision]]:
    """Return the decisions of each segment that has any."""
    found: dict[int, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.segment, []).append(decision)
    return found
