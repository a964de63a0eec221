"""Where something was removed from a transcript: which words a bar covers, and what it says."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from marketplace.templatetags import wording

REDACTED_TOKEN = re.compile(r"\[([A-Z][A-Z0-9_-]*)\]")
LONG_KINDS = frozenset({"address", "email", "url"})
SHORT_KINDS = frozenset({"name", "handle"})


def of_words(words: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return words as the transcript sets them, those that were removed with their bar."""
    return [_word(word) for word in words]


def along(text: str, words: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a text in pieces, its words with their times and all that stands between them.

    Words that don't stand in the text in their order leave it without times.
    """
    pieces: list[dict[str, Any]] = []
    position = 0
    for word in words:
        start = text.find(str(word["text"]), position)
        if start < 0:
            return of_text(text)
        pieces += [*of_text(text[position:start]), _word(word)]
        position = start + len(str(word["text"]))
    return [*pieces, *of_text(text[position:])]


def of_text(text: str) -> list[dict[str, Any]]:
    """Return a text in pieces, each `[PHONE]` in it a bar."""
    parts = REDACTED_TOKEN.split(text)
    pieces: list[dict[str, Any]] = []
    for place, part in enumerate(parts):
        kind = part.lower() if place % 2 else ""
        if part:
            pieces.append(
                {"text": "" if kind else part, "kind": kind, "timed": False, **_bar(kind)}
            )
    return pieces


def _word(word: Mapping[str, Any]) -> dict[str, Any]:
    before, token, after = _split_token(str(word["text"]))
    kind = word.get("redacted") or token.lower()
    timed = word.get("start_ms") is not None and word.get("end_ms") is not None
    around = {"before": before, "after": after} if token else {}
    return {**word, **around, "kind": kind, "timed": timed, **_bar(kind)}


def _split_token(text: str) -> tuple[str, str, str]:
    """Split `([PHONE]),` into the punctuation before, the token's kind and what comes after."""
    found = REDACTED_TOKEN.search(text)
    return (text[: found.start()], found[1], text[found.end() :]) if found else ("", "", "")


def _bar(kind: str) -> dict[str, str]:
    if not kind:
        return {"bar": "", "hidden": ""}
    length = "bar-long" if kind in LONG_KINDS else "bar-short" if kind in SHORT_KINDS else ""
    return {"bar": length, "hidden": wording.redaction(kind)}
