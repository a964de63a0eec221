"""Speech that the text leaves out: what the voice detector answers to where no word was placed."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from ingestion.pipeline.steps.vad import PAD_MS, Window
from ingestion.pipeline.transcripts import Segment

LEAST_MS = 400
"""Voice between words that lasts less is a breath, a click or a word's own error in time: in texts
that leave nothing out it lasted 300 ms at most. A number or a sentence lasts longer. Of names of
one word, cut out of running speech, 43 of 60 were found; where the others were ("Ann"), the words
beside them had taken too much to themselves."""
EDGE_MS = 150
"""Voice this close to a word is the word's: its times are no more exact (measured: 95 of 100
starts within 40 to 330 ms, by language). Voice that goes on from there is not."""
PAUSE_MS = 2_000
"""Voices further apart are two stretches, each to be heard by itself."""


def stretches(
    voiced: Iterable[Window], segments: Sequence[Segment], *, duration_ms: int
) -> list[Window]:
    """Return the stretches (ms, in order, apart) in which somebody speaks and no word is placed.

    Words whose place is guessed answer for it: of a script that nobody here can read out the row's
    own times are taken, and a person is asked to read it.
    """
    heard = list(voiced)
    return [
        stretch
        for start, end in gaps(segments, duration_ms=duration_ms)
        for stretch in in_gap(voices(heard, start, end), start, end)
    ]


def voices(voiced: Sequence[Window], start: int, end: int) -> list[Window]:
    """Return the voices, of those in order and apart, that touch a stretch."""
    first = max(0, bisect_left(voiced, (start, 0)) - 1)
    last = bisect_left(voiced, (end, 0))
    return [voice for voice in voiced[first:last] if voice[1] > start]


def gaps(segments: Sequence[Segment], *, duration_ms: int) -> list[Window]:
    """Return where a recording has no words, from its start to its end."""
    found = []
    position = 0
    for start, end in sorted(spoken(segments)):
        if start > position:
            found.append((position, start))
        position = max(position, end)
    return [*found, (position, duration_ms)] if position < duration_ms else found


def spoken(segments: Iterable[Segment]) -> list[Window]:
    """Return where words are, found or guessed."""
    return [
        (word.start_ms, word.end_ms)
        for segment in segments
        for word in segment.words
        if word.start_ms is not None and word.end_ms is not None
    ]


def in_gap(voiced: Iterable[Window], start: int, end: int) -> list[Window]:
    """Return the stretches in one gap between words, from word to word where voice fills it."""
    groups: list[list[Window]] = []
    for first, last in voiced:
        voice = (max(first, start), min(last, end))
        if not inside(voice, start, end):
            continue
        if groups and voice[0] - groups[-1][-1][1] < PAUSE_MS:
            groups[-1].append(voice)
        else:
            groups.append([voice])
    near = EDGE_MS + PAD_MS
    return [
        (
            start if group[0][0] - start <= near else group[0][0] - PAD_MS,
            end if end - group[-1][1] <= near else group[-1][1] + PAD_MS,
        )
        for group in groups
        if max(last - first for first, last in group) >= LEAST_MS
        or sum(inside(voice, start, end) for voice in group) >= LEAST_MS
    ]


def inside(voice: Window, start: int, end: int) -> int:
    """Return how many ms of a voice are not beside the words at the edges of a gap."""
    return max(0, min(voice[1], end - EDGE_MS) - max(voice[0], start + EDGE_MS))
