"""Which stretches of a recording are silenced, and what the text says in their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingestion.pipeline.transcripts import Segment, reach_in_time

UNWRITTEN = "unwritten"
"""The kind of a bar over speech that the text leaves out: nothing of the text stands for it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A stretch of a segment's text (half-open characters) to be redacted.

    The times, where they are given, are silenced whatever the words' own times say: a person may
    have corrected the text since.
    """

    segment: int
    kind: str
    start_char: int
    end_char: int
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the recording (half-open ms) to be silenced."""

    start_ms: int
    end_ms: int
    kind: str


def bars_of(
    segments: Sequence[Segment],
    decisions: Sequence[Decision],
    *,
    pad_ms: int,
    duration_ms: int,
    unwritten: Sequence[tuple[int, int]] = (),
) -> list[Bar]:
    """Return the recording's bars in order, padded, clamped and merged where they touch.

    A decision with an untimed word silences all from the timed word before to the one after.
    `unwritten` are stretches (ms) whose speech the text leaves out. Bars that touch bear the kind
    of the longest of them that covers something found.
    """
    found = [
        Bar(max(0, start - pad_ms), min(duration_ms, end + pad_ms), UNWRITTEN)
        for start, end in unwritten
        if start < duration_ms
    ]
    labels = settled(decisions)
    # Each decision counts on its own: one between words silences more than the whole it is part of.
    for decision in decisions:
        start, end = silenced(decision, segments, duration_ms)
        if start is not None and end is not None:
            first, last = max(0, start - pad_ms), min(duration_ms, end + pad_ms)
            found.append(Bar(first, max(first + 1, last), _label(decision, labels)))
    return _merged(found)


def silenced(
    decision: Decision, segments: Sequence[Segment], duration_ms: int
) -> tuple[int | None, int | None]:
    """Return from when to when a decision's sound is silenced, before the pad."""
    start, end, _ = reach_in_time(
        segments,
        decision.segment,
        start_char=decision.start_char,
        end_char=decision.end_char,
        duration_ms=duration_ms,
    )
    starts = [time for time in (start, decision.start_ms) if time is not None]
    ends = [time for time in (end, decision.end_ms) if time is not None]
    return min(starts, default=None), max(ends, default=None)


def _merged(bars: Sequence[Bar]) -> list[Bar]:
    merged: list[Bar] = []
    longest = 0
    for bar in sorted(bars, key=lambda bar: (bar.start_ms, bar.end_ms)):
        length = 0 if bar.kind == UNWRITTEN else bar.end_ms - bar.start_ms
        if merged and bar.start_ms <= merged[-1].end_ms:
            last = merged[-1]
            kind = bar.kind if length > longest else last.kind
            merged[-1] = Bar(last.start_ms, max(last.end_ms, bar.end_ms), kind)
            longest = max(longest, length)
        else:
            merged.append(bar)
            longest = length
    return merged


def settled(decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions in order, those that overlap in a segment's text joined into one.

    A joined decision bears the kind of its longest part: its label and its bar say the same.
    """
    joined: list[Decision] = []
    longest = 0
    for one in sorted(decisions, key=lambda one: (one.segment, one.start_char, one.end_char)):
        last = joined[-1] if joined else None
        length = one.end_char - one.start_char
        if last and last.segment == one.segment and one.start_char < last.end_char:
            kind = one.kind if length > longest else last.kind
            end = max(last.end_char, one.end_char)
            joined[-1] = Decision(one.segment, kind, last.start_char, end)
            longest = max(longest, length)
        else:
            joined.append(one)
            longest = length
    return joined


def _label(decision: Decision, labels: Sequence[Decision]) -> str:
    """Return the kind of the joined decision that a decision is part of."""
    whole = (
        label.kind
        for label in labels
        if label.segment == decision.segment
        and label.start_char <= decision.start_char < label.end_char
    )
    return next(whole, decision.kind)


def redacted_text(text: str, decisions: Sequence[Decision]) -> str:
    """Return a segment's text with `[KIND]` in place of its decisions; overlaps become one."""
    result, position = "", 0
    for decision in settled(decisions):
        start, end = max(0, decision.start_char), min(len(text), decision.end_char)
        if start < end:
            result += f"{text[position:start]}[{decision.kind.upper()}]"
            position = end
    return result + text[position:]


def by_segment(decisions: Sequence[Decision]) -> Mapping[int, list[Decision]]:
    """Return the decisions of each segment that has any."""
    found: dict[int, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.segment, []).append(decision)
    return found
