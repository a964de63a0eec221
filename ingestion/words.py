"""Words of a segment: a corrected text keeps the times of the words that stayed."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

WORD = re.compile(r"\S+")


def retime(*, words: Sequence[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Return the words of `text`; those that also stood in `words` keep their times.

    A new word lies somewhere between its timed neighbors; it is `timed` false, so that whatever is
    redacted in it silences the whole segment rather than too little.
    """
    found: list[dict[str, Any]] = [
        {
            "text": match[0],
            "start_char": match.start(),
            "end_char": match.end(),
            "start_ms": None,
            "end_ms": None,
            "timed": False,
            "confidence": None,
        }
        for match in WORD.finditer(text)
    ]
    matcher = difflib.SequenceMatcher(
        a=[word["text"].casefold() for word in words],
        b=[word["text"].casefold() for word in found],
        autojunk=False,
    )
    for old, new, length in matcher.get_matching_blocks():
        for offset in range(length):
            kept = words[old + offset]
            found[new + offset] |= {
                key: kept[key] for key in ("start_ms", "end_ms", "timed", "confidence")
            }
    return found
