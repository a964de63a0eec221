"""A text as words, figures and signs, with phrases ("guion bajo", "quatre-vingt") as one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ingestion.pipeline.detectors.lexicon import NUMBERS, Language, Word, language_of, word_of

MARKS = "\u0300-\u036f\u064b-\u065f\u0670"
TOKEN = re.compile(rf"\d+|[^\W\d_]+(?:[{MARKS}'\u2019]+[^\W\d_]+)*[{MARKS}]*|[^\w\s]|_")
INSIDE_PHRASES = frozenset("-.\u2010\u2011")
SOFT = frozenset(".,;-\u060c\u061b\u2010\u2011\u2012\u2013\u2014\u2026/()")


class Token(NamedTuple):
    """A word, a run of figures or a sign, with its half-open characters, and what it means."""

    text: str
    start: int
    end: int
    word: Word
    plain: str
    role: str

    @property
    def is_word(self) -> bool:
        """Tell a word or figures from a sign."""
        return self.text[0].isalnum()

    @property
    def letter(self) -> str:
        """Return the letter that is spelled, alone or by its name."""
        return self.plain if len(self.plain) == 1 and self.plain.isalpha() else self.word.letter


def token_of(text: str, start: int, end: int, word: Word) -> Token:
    """Return a token; its word's plain form and role stand beside it, being asked for most."""
    return Token(text, start, end, word, word.plain, word.role)


@lru_cache(maxsize=4)
def tokens_of(text: str, language: str) -> Sequence[Token]:
    """Split a text into words, figures and signs; the detectors read the same tokens in turn."""
    table = language_of(language)
    tokens = [
        token_of(match[0], match.start(), match.end(), word_of(match[0], language))
        for match in TOKEN.finditer(text)
    ]
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        after_number = bool(found) and found[-1].role in NUMBERS.values()
        token, at = _phrase(tokens, at, table, after_number=after_number)
        found.append(token)
    return tuple(found)


def _phrase(
    tokens: Sequence[Token], at: int, language: Language, *, after_number: bool
) -> tuple[Token, int]:
    """Return the longest phrase that begins at a token, else the token, and what follows it.

    A unit ("e meia", half past) is one after a number alone.
    """
    first = tokens[at]
    for parts, word in language.phrases.get(first.plain, ()):
        if word.role == "u" and not after_number:
            continue
        stop = _follows(tokens, at + 1, parts)
        if stop:
            return _merged(tokens, at, stop, word), stop
    if len(first.plain) == 1 and first.plain.isalpha() and at + 2 < len(tokens):
        stop = _example(tokens, at, language)
        if stop:
            return _merged(tokens, at, stop, Word(first.plain)), stop
    return first, at + 1


def _follows(tokens: Sequence[Token], at: int, parts: Sequence[str]) -> int:
    """Return the token after the words, which hyphens and full stops may part; 0 for others."""
    for part in parts:
        while at < len(tokens) and tokens[at].plain in INSIDE_PHRASES:
            at += 1
        if at >= len(tokens) or tokens[at].plain != part:
            return 0
        at += 1
    return at


def _example(tokens: Sequence[Token], at: int, language: Language) -> int:
    """Return the token after "a as in apple": the example begins with the letter."""
    link = at + 1
    if tokens[link].plain == "," and link + 2 < len(tokens):
        link += 1
    stop = link + 1
    if tokens[link].plain == "as" and tokens[stop].plain == "in":
        stop += 1
    elif tokens[link].plain not in language.as_in:
        return 0
    if stop < len(tokens) and len(tokens[stop].plain) > 1:
        return stop + 1 if tokens[stop].plain.startswith(tokens[at].plain) else 0
    return 0


def _merged(tokens: Sequence[Token], at: int, stop: int, word: Word) -> Token:
    text = " ".join(token.text for token in tokens[at:stop])
    return token_of(text, tokens[at].start, tokens[stop - 1].end, word)


def is_filler(token: Token) -> bool:
    """Tell what is said in between and means nothing."""
    return token.plain in SOFT or token.role == "f"
