"""A transcript: segments of words with places in the text and, where known, in time.

Django-free: the pipeline's steps write it, the review corrects it.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

EDGE_MS = 150
"""What is heard of a recording before the first and after the last word of a clip."""
TOKEN = re.compile(r"\S+")
# Marks that cling to a word without being said; "@", "#", "+" and "%" are said.
EDGES = (
    "\"'`.,;:!?()[]{}<>-/\\|*_~"
    "\u00a1\u00ab\u00b7\u00bb\u00bf\u060c\u061f\u1362\u1363\u1364"
    "\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2022\u2026"
    "\u3001\u3002\uff01\uff0c\uff1f"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: half-open characters in the segment's text, half-open ms in the recording.

    `timed` says that the place in time was found, not guessed. `confidence` is permille or None.
    """

    text: str
    start_char: int
    end_char: int
    start_ms: int | None = None
    end_ms: int | None = None
    timed: bool = False
    confidence: int | None = None

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read the contract's word object."""
        return cls(**{name: document[name] for name in cls.__slots__ if name in document})

    def as_json(self) -> dict[str, Any]:
        """Return the contract's word object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, or a row of a text document (then without times)."""

    text: str
    words: tuple[Word, ...]
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str | None = None

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read the contract's segment object."""
        return cls(
            text=document["text"],
            words=tuple(Word.from_json(word) for word in document["words"]),
            start_ms=document["start_ms"],
            end_ms=document["end_ms"],
            speaker=document.get("speaker"),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the contract's segment object."""
        return {
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "text": self.text,
            "speaker": self.speaker,
            "words": [word.as_json() for word in self.words],
        }


@dataclass(frozen=True, slots=True)
class Transcript:
    """What an engine heard. `grade` is "reference" or "draft"; `model_sha256` names the model."""

    segments: tuple[Segment, ...]
    grade: str
    engine: str
    engine_version: str
    model_sha256: str | None = None


def words_of(text: str) -> tuple[Word, ...]:
    """Split a text into words without times; marks around a word are not part of it."""
    found = []
    for match in TOKEN.finditer(text):
        stripped = match[0].strip(EDGES)
        if any(char.isalnum() for char in stripped):
            start = match.start() + match[0].index(stripped)
            found.append(Word(stripped, start, start + len(stripped)))
    return tuple(found)


def segment_of(text: str, *, speaker: str | None = None) -> Segment:
    """Return a segment without times."""
    return Segment(text=text, words=words_of(text), speaker=speaker)


def span_in_time(
    segment: Segment, *, start_char: int, end_char: int
) -> tuple[int | None, int | None, bool]:
    """Return (start_ms, end_ms, timed) of a stretch of a segment's text.

    With one word of it untimed, or none under it, the whole segment stands for it and `timed` is
    False. Both are None for a segment without times.
    """
    touched = [
        word for word in segment.words if word.start_char < end_char and start_char < word.end_char
    ]
    starts = [word.start_ms for word in touched if word.timed and word.start_ms is not None]
    ends = [word.end_ms for word in touched if word.timed and word.end_ms is not None]
    if touched and len(starts) == len(ends) == len(touched):
        return min(starts), max(ends), True
    return segment.start_ms, segment.end_ms, False


def reach_in_time(
    segments: Sequence[Segment],
    index: int,
    *,
    start_char: int,
    end_char: int,
    duration_ms: int | None = None,
) -> tuple[int | None, int | None, bool]:
    """Return (start_ms, end_ms, timed): where a stretch of segment `index` may be heard.

    With a word of it untimed nobody knows where it was said: it may be anywhere from the last timed
    word before it to the first timed one after it, in whichever segments these are, because the
    sound of words that could not be placed lies in the clips of those that could. Where there is no
    such word, it is the whole recording's start or end; without `duration_ms` the segments are a
    part of it, and it is theirs. Rows of a text have no times: then both are None.
    """
    segment = segments[index]
    start, end, timed = span_in_time(segment, start_char=start_char, end_char=end_char)
    known = [one for one in segments if one.start_ms is not None and one.end_ms is not None]
    if timed or not (known or duration_ms):
        return start, end, timed
    own_before = [word for word in segment.words if word.end_char <= start_char]
    own_after = [word for word in segment.words if word.start_char >= end_char]
    before = [own_before, *(one.words for one in reversed(segments[:index]))]
    after = [own_after, *(one.words for one in segments[index + 1 :])]
    edges = (known[0].start_ms, known[-1].end_ms) if duration_ms is None else (0, duration_ms)
    first = next((one.end_ms for words in before for one in reversed(words) if one.timed), edges[0])
    last = next((one.start_ms for words in after for one in words if one.timed), edges[1])
    starts = [time for time in (start, first) if time is not None]
    ends = [time for time in (end, last) if time is not None]
    return min(starts), max(ends), False


def cut_to_words(segment: Segment) -> Segment:
    """Return the segment from 150 ms before its first word to 150 ms after its last, at most.

    An edge whose word has no time of its own stays where it is: nobody knows where it is said.
    """
    if segment.start_ms is None or segment.end_ms is None or not segment.words:
        return segment
    start, end = segment.start_ms, segment.end_ms
    first, last = segment.words[0], segment.words[-1]
    if first.timed and first.start_ms is not None:
        start = max(start, first.start_ms - EDGE_MS)
    if last.timed and last.end_ms is not None:
        end = min(end, last.end_ms + EDGE_MS)
    return replace(segment, start_ms=start, end_ms=end) if start < end else segment


def corrected(segment: Segment, *, text: str) -> Segment:
    """Return the segment with a person's text in place of its own.

    Words that stay keep their times. Words put in place of others get the whole stretch between the
    words that stay before and after. Words put where none were have no time of their own: they
    stay untimed, so that a finding in them silences all between the timed words around it.
    """
    fresh = list(words_of(text))
    old = segment.words
    matcher = difflib.SequenceMatcher(
        a=[word.text.casefold() for word in old],
        b=[word.text.casefold() for word in fresh],
        autojunk=False,
    )
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            for offset in range(new_end - new_start):
                source, word = old[old_start + offset], fresh[new_start + offset]
                fresh[new_start + offset] = replace(
                    source, text=word.text, start_char=word.start_char, end_char=word.end_char
                )
        elif tag == "replace":
            around = _stretch(segment, old_start, old_end)
            for index in range(new_start, new_end):
                fresh[index] = replace(fresh[index], **around)
    return replace(segment, text=text, words=tuple(fresh))


def _stretch(segment: Segment, first: int, stop: int) -> dict[str, Any]:
    """Return the times from the word before `first` to the word at `stop`, or nothing."""
    words = segment.words
    if not all(word.timed for word in words[max(0, first - 1) : stop + 1]):
        return {}
    start = words[first - 1].end_ms if first else segment.start_ms
    end = words[stop].start_ms if stop < len(words) else segment.end_ms
    inside = words[first:stop]
    starts = [time for time in (start, *(word.start_ms for word in inside)) if time is not None]
    ends = [time for time in (end, *(word.end_ms for word in inside)) if time is not None]
    return {"start_ms": min(starts), "end_ms": max(ends), "timed": True} if starts and ends else {}
