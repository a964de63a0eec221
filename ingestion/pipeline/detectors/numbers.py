"""Runs of spoken figures in a text: "oh seven double two uh four fifteen" → 072 2 4 15."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingestion.pipeline.detectors.numerals import HOMOPHONES, Meaning, meaning, plain

TOKEN = re.compile(r"\d+|[^\W\d_]+(?:['\u2019][^\W\d_]+)?|[^\w\s]|_")
SOFT = frozenset(".,;-\u2010\u2011\u2012\u2013\u2014\u2026/()")
MAX_FILLERS = 4
UNIT, TEN, HUNDRED = 10, 20, 100


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a run of figures or a sign, with its half-open characters; `plain` has no accents."""

    text: str
    plain: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """One number of a run as it was said, and the figures that it stands for."""

    figures: str
    start: int
    end: int
    spoken: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers said one after another. `quantity`: a word like "thousand" was among them."""

    items: tuple[Item, ...]
    quantity: bool
    plus: bool

    @property
    def figures(self) -> str:
        """Return all figures of the run."""
        return "".join(item.figures for item in self.items)


def tokens_of(text: str) -> list[Token]:
    """Split a text into words, figures and signs."""
    return [
        Token(match[0], plain(match[0]), match.start(), match.end())
        for match in TOKEN.finditer(text)
    ]


def runs_of(text: str, *, language: str) -> list[Run]:
    """Return all runs of numbers, fillers and soft punctuation skipped over."""
    tokens = tokens_of(text)
    found = []
    position = 0
    while position < len(tokens):
        reader = _Reader(tokens, language, position)
        run = reader.read()
        if run is not None:
            found.append(run)
        position = max(reader.position, position + 1)
    return found


class _Reader:
    """Reads one run from a token on. `position` ends at the first token after it."""

    def __init__(self, tokens: Sequence[Token], language: str, position: int) -> None:
        self.tokens = tokens
        self.language = language
        self.position = position
        self.items: list[Item] = []
        self.times = 1
        self.quantity = False

    def read(self) -> Run | None:
        """Return the run that starts here, None when no number does."""
        first = self.position
        plus = self._plain(first) in {"+", "plus", "mas", "jumlisha"}
        if plus:
            self.position += 1
        elif self._number(self.position) is None:
            return None
        fillers = 0
        at = self.position
        while at < len(self.tokens) and fillers <= MAX_FILLERS:
            following = self._take(at)
            if following == at:
                if not self._skippable(at):
                    break
                fillers += self.tokens[at].plain not in SOFT
                at += 1
                continue
            fillers, at = 0, following
            self.position = at
        if not self.items:
            return None
        if plus:
            self.items[0] = replace(self.items[0], start=self.tokens[first].start)
        return Run(tuple(self.items), self.quantity, plus)

    def _plain(self, at: int) -> str:
        return self.tokens[at].plain if at < len(self.tokens) else ""

    def _meaning(self, at: int) -> Meaning | None:
        return meaning(self._plain(at), language=self.language) if at < len(self.tokens) else None

    def _number(self, at: int) -> Meaning | None:
        found = self._meaning(at)
        return found if found and found.role in {"d", "n", "t", "h", "x", "figures"} else None

    def _skippable(self, at: int) -> bool:
        found = self._meaning(at)
        return self._plain(at) in SOFT or (found is not None and found.role in {"f", "j"})

    def _take(self, at: int) -> int:
        """Add the number at a token; return the token after it, or the same one for none."""
        found = self._meaning(at)
        token = self.tokens[at]
        if found is None or found.role in {"f", "j"}:
            return self._take_homophone(at)
        if found.role == "figures":
            self._add(token.text, at, at + 1, spoken=False)
            return at + 1
        if found.role in {"x", "w", "c"}:
            return self._take_modifier(at, found)
        return self._take_words(at, found)

    def _take_modifier(self, at: int, found: Meaning) -> int:
        """Take "double" before a number, "thousand" or "hundred" after one."""
        if found.role == "x":
            if not self._number(at + 1):
                return at
            self.times = found.value
            return at + 1
        if not self.items:
            return at
        self.quantity = self.quantity or found.role == "w"
        return at + 1

    def _take_homophone(self, at: int) -> int:
        """Take "for" for four where numbers stand on both sides of it."""
        figure = HOMOPHONES.get(self._plain(at)) if self.language == "en" else None
        if figure is None or not self.items:
            return at
        after = at + 1
        while self._plain(after) in SOFT:
            after += 1
        following = self._number(after)
        if following is None and self._plain(after) not in HOMOPHONES:
            return at
        if following and following.role == "figures" and not self.items[-1].spoken:
            return at
        self._add(figure, at, at + 1)
        return at + 1

    def _take_words(self, at: int, found: Meaning) -> int:
        """Take a number of one or several words: ciento veinte y cinco, quatre-vingt-dix."""
        value, at_next = found.value, at + 1
        if found.role == "h":
            rest = self._below(at_next, HUNDRED)
            if rest:
                value, at_next = value + rest[0], rest[1]
        elif found.role == "t":
            value, at_next = self._tens(value, at_next)
        elif self.language == "fr" and value == 4 and self._plain(at_next) in {"vingt", "vingts"}:
            value, at_next = self._tens(80, at_next + 1)
        elif self.language == "fr" and value == UNIT and (found.role == "n"):
            unit = self._unit(at_next)
            value, at_next = (10 + unit, at_next + 1) if unit >= 7 else (value, at_next)
        hundred = self._meaning(at_next)
        if hundred and hundred.role == "c":
            value, at_next = value * HUNDRED, at_next + 1
        self._add(str(value), at, at_next)
        return at_next

    def _tens(self, value: int, at: int) -> tuple[int, int]:
        joined = self._meaning(at)
        following = at + 1 if joined and joined.role == "j" else at
        if self._plain(at) == "-":
            following = at + 1
        unit = self._unit(following)
        if unit:
            return value + unit, following + 1
        teen = self._meaning(following)
        if self.language == "fr" and value in {60, 80} and teen and teen.role == "n":
            return value + teen.value, following + 1
        return value, at

    def _unit(self, at: int) -> int:
        found = self._meaning(at)
        return found.value if found and found.role == "d" and self._plain(at) != "un" else 0

    def _below(self, at: int, limit: int) -> tuple[int, int] | None:
        found = self._meaning(at)
        if found is None or found.role not in {"n", "t"} or found.value >= limit:
            return None
        return self._tens(found.value, at + 1) if found.role == "t" else (found.value, at + 1)

    def _add(self, figures: str, at: int, stop: int, *, spoken: bool = True) -> None:
        first, last = self.tokens[at], self.tokens[stop - 1]
        start = first.start
        if self.times > 1 and at:
            start = self.tokens[at - 1].start
        self.items.append(Item(figures * self.times, start, last.end, spoken))
        self.times = 1
