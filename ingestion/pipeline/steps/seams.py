"""Where the text and the sound part: the words beside the seam, placed once more.

The chain of words has no way around speech that nobody wrote but through its breaks, so the words
beside such speech are drawn into it: "before" lands on the first figure of a number that the text
leaves out. Heard once more with breaks around the seam, they fall into their own places.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ingestion.pipeline.steps import unwritten
from ingestion.pipeline.steps.align import RATE, Aligner, read_analysis
from ingestion.pipeline.steps.places import Placed, usual_fit
from ingestion.pipeline.steps.vad import Window

WORDS = 6
"""Heard once more on each side of a seam."""
DRAWN = 2
"""Words on each side that the other speech may have drawn to itself."""
ISLAND_MS = 1_500
"""Words that stand no further than this between two voices without words are doubted."""
VOICE_MS = 300
"""Voice between two words of a phrase: more than a sound drawn out, where a pause is none."""
LONGEST_MS = 24_000
REACH_MS = 8_000
"""How much of a longer seam is heard beside the words on each side of it."""


def resettled(
    placed: Sequence[Placed | None],
    tokens: Sequence[str],
    *,
    aligner: Aligner,
    analysis: Path,
    voiced: Sequence[Window],
    is_row: bool = False,
) -> list[Placed | None]:
    """Return the places with those beside speech that no word was placed in heard once more.

    What still stands alone in such speech is taken back: nobody knows that it is not a part of it.
    Of a row that says when it is said only what lies between its words is looked at.
    """
    found = list(placed)
    usual = usual_fit(placed)
    for before, after in seams(placed, voiced, is_row=is_row):
        for (start_ms, end_ms), near, near_seams in windows(found, before, after):
            start = start_ms * RATE // 1000
            audio = read_analysis(analysis, start, (end_ms - start_ms) * RATE // 1000)
            said = [tokens[one] for one in near]
            heard = aligner.place_beside(audio, said, seams=near_seams, usual=usual)
            for token, place in zip(near, heard, strict=True):
                found[token] = place and moved(place, start_ms)
    return without_islands(found, voiced, is_row=is_row)


def without_islands(
    placed: Sequence[Placed | None], voiced: Sequence[Window], *, is_row: bool = False
) -> list[Placed | None]:
    """Take the few words back that stand between two voices without words."""
    found = list(placed)
    for before, after in seams(placed, voiced, is_row=is_row):
        for index, step in ((before, -1), (after, 1)):
            for token in island(placed, index, step=step, voiced=voiced):
                found[token] = None
    return found


def island(
    placed: Sequence[Placed | None], index: int | None, *, step: int, voiced: Sequence[Window]
) -> list[int]:
    """Return the tokens from the edge of a seam to the next voice without words, if it is near."""
    passed: list[int] = []
    for here in around(placed, index, step=step):
        if passed:
            one, other = sorted((passed[-1], here))
            between = (end_of(placed[one]), start_of(placed[other]))
            if voice_in(voiced, *between) >= VOICE_MS:
                return passed
        passed.append(here)
        if abs(start_of(placed[here]) - start_of(placed[passed[0]])) > ISLAND_MS:
            return []
    return []


def start_of(place: Placed | None) -> int:
    """Return where a token begins."""
    return place.start_ms if place else 0


def end_of(place: Placed | None) -> int:
    """Return where a token ends."""
    return place.end_ms if place else 0


def voice_in(voiced: Sequence[Window], start: int, end: int) -> int:
    """Return how many ms of a stretch are voiced."""
    return sum(
        min(last, end) - max(first, start) for first, last in unwritten.voices(voiced, start, end)
    )


def seams(
    placed: Sequence[Placed | None], voiced: Sequence[Window], *, is_row: bool = False
) -> list[tuple[int | None, int | None]]:
    """Return the tokens before and after each stretch that is voiced and holds no placed word.

    Of a row only those between two of its words: others are said before and after it.
    """
    known = [(index, token) for index, token in enumerate(placed) if token]
    if not known:
        return []
    sides: list[tuple[int | None, int, int | None, int]] = []
    previous: int | None = None
    position = 0
    for index, token in known:
        if token.start_ms > position:
            sides.append((previous, position, index, token.start_ms))
        previous, position = index, max(position, token.end_ms)
    sides.append((previous, position, None, max(position, voiced[-1][1] if voiced else 0)))
    return [
        (before, after)
        for before, start, after, end in sides
        if not (is_row and (before is None or after is None))
        and end > start
        and unwritten.in_gap(unwritten.voices(voiced, start, end), start, end)
    ]


def windows(
    placed: Sequence[Placed | None], before: int | None, after: int | None
) -> list[tuple[Window, list[int], list[int]]]:
    """Return the stretches (ms) to hear around a seam, with the tokens that are said in each.

    The last of the three says before which of those tokens the seam may lie.
    """
    left = around(placed, before, step=-1)[::-1]
    right = around(placed, after, step=1)
    starts = [one.start_ms for one in (placed[index] for index in left) if one]
    ends = [one.end_ms for one in (placed[index] for index in right) if one]
    if starts and ends and ends[-1] - starts[0] <= LONGEST_MS:
        middle = range(max(1, len(left) - DRAWN), min(len(left) + DRAWN, len(left + right) - 1) + 1)
        return [((starts[0], ends[-1]), [*left, *right], list(middle))]
    found: list[tuple[Window, list[int], list[int]]] = []
    if left:
        last = placed[left[-1]]
        found.append(((starts[0], (last.end_ms if last else 0) + REACH_MS), left, [len(left)]))
    if right:
        first = placed[right[0]]
        found.append(((max(0, (first.start_ms if first else 0) - REACH_MS), ends[-1]), right, [0]))
    return found


def around(placed: Sequence[Placed | None], index: int | None, *, step: int) -> list[int]:
    """Return the nearest placed tokens from one on, in a direction."""
    found: list[int] = []
    while index is not None and 0 <= index < len(placed) and len(found) < WORDS:
        if placed[index]:
            found.append(index)
        index += step
    return found


def moved(place: Placed, by_ms: int) -> Placed:
    """Return a place in the recording, given one in a stretch of it."""
    return replace(place, start_ms=place.start_ms + by_ms, end_ms=place.end_ms + by_ms)
