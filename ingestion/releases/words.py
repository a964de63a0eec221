"""The words of a published clip with their places in it: read along on pages, and downloaded."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingestion.pipeline.steps.bars import Decision, settled

Word = dict[str, Any]


def published(
    *, clip: Mapping[str, Any], segment: Mapping[str, Any], decisions: Sequence[Mapping[str, Any]]
) -> list[Word]:
    """Return {"text", "start_ms", "end_ms"} of each published word, in ms of the clip.

    `decisions` are those about the segment. A redaction is one word, its label. Words without a
    time of their own have none, nor has a label over one; where the words don't spell the published
    text, there are none at all.
    """
    barred = labels(decisions)
    found: list[Word] = []
    label: Decision | None = None
    for word in segment["words"]:
        over = covering(barred, word)
        if over is None:
            found.append(placed(word["text"], word, clip))
        elif over is label:
            found[-1] = reaching(found[-1], placed("", word, clip))
        else:
            found.append(placed(f"[{over.kind.upper()}]", word, clip))
        label = over
    return found if letters("".join(one["text"] for one in found)) == letters(clip["text"]) else []


def labels(decisions: Sequence[Mapping[str, Any]]) -> list[Decision]:
    """Return what a label stands for in the published text of the segment of some decisions."""
    return settled(
        [
            Decision(one["segment"], one["kind"], one["start_char"], one["end_char"])
            for one in decisions
        ]
    )


def reaching(label: Word, word: Word) -> Word:
    """Return a label that covers one more word."""
    if label["start_ms"] is None or word["end_ms"] is None:
        return label | {"start_ms": None, "end_ms": None}
    return label | {"end_ms": word["end_ms"]}


def told(words: Sequence[Word]) -> list[Word]:
    """Return published words as metadata.jsonl has them: {"word", "start_ms", "end_ms"}."""
    return [
        {"word": one["text"], "start_ms": one["start_ms"], "end_ms": one["end_ms"]} for one in words
    ]


def covering(barred: Sequence[Decision], word: Word) -> Decision | None:
    """Return the redaction that a word lies in, or None."""
    return next(
        (
            one
            for one in barred
            if one.start_char < word["end_char"] and word["start_char"] < one.end_char
        ),
        None,
    )


def placed(text: str, word: Word, clip: Mapping[str, Any]) -> Word:
    """Return a word in the time of its clip."""
    if not word["timed"] or word["start_ms"] is None:
        return {"text": text, "start_ms": None, "end_ms": None}
    first, last = clip["start_ms"], clip["end_ms"]
    start, end = (min(max(word[edge], first), last) - first for edge in ("start_ms", "end_ms"))
    return {"text": text, "start_ms": start, "end_ms": end}


def letters(text: str) -> str:
    """Return a text without its spaces and punctuation, for comparing what is spelled."""
    return "".join(character for character in text if character.isalnum())
