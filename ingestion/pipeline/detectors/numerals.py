"""Numbers as they are said: "double four", "quatre-vingt-douze", "einundzwanzig", "mia mbili"."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingestion.pipeline.detectors.lexicon import Language, language_of
from ingestion.pipeline.detectors.tokens import Token, token_of

HUNDRED = 100
STARTS = frozenset({"figures", "d", "n", "t", "h", "c", "s", "g", "q"})
ARTICLES = frozenset({"un", "une", "una", "uma", "ein", "eine"})
HYPHENS = frozenset("-\u2010\u2011")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number's figures, the token after it, and whether it counts something (thousands)."""

    figures: str
    stop: int
    quantity: bool = False
    spoken: bool = True


def numeral_at(tokens: Sequence[Token], at: int, language: Language) -> Numeral | None:
    """Return the number that begins at a token."""
    token = tokens[at]
    if token.role in {"", "f", "j", "u", "b", "p"}:
        return _unglued(token, at, language) if language.glued and not token.role else None
    if token.role == "d" and _stands_alone(tokens, at + 1):
        return Numeral(str(token.word.value), at + 1)
    if token.role == "x":
        return _repeated(tokens, at)
    if token.role == "figures":
        if _role(tokens, at + 1) == "s":
            return Numeral(token.plain, at + 2, quantity=True, spoken=False)
        return Numeral(token.plain, at + 1, spoken=False)
    return _Reader(tokens, language).thousands(at)


def _role(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].role if at < len(tokens) else ""


def _stands_alone(tokens: Sequence[Token], at: int) -> bool:
    """Tell a figure that nothing is added to: most are read singly."""
    return at >= len(tokens) or (
        tokens[at].role not in {"c", "s", "j"} and not tokens[at].word.joined
    )


def _repeated(tokens: Sequence[Token], at: int) -> Numeral | None:
    """Return "double four" as 44."""
    if _role(tokens, at + 1) not in {"d", "figures"}:
        return None
    token = tokens[at + 1]
    once = token.plain if token.role == "figures" else str(token.word.value)
    return Numeral(once * tokens[at].word.value, at + 2)


def _unglued(token: Token, at: int, language: Language) -> Numeral | None:
    said = glued(token.plain, language.code)
    return Numeral(said[0], at + 1, quantity=said[1]) if said else None


@lru_cache(maxsize=20_000)
def glued(word: str, code: str) -> tuple[str, bool] | None:
    """Return the figures of number words written as one, and whether they count something."""
    language = language_of(code)
    pieces = _pieces(word, language)
    if len(pieces) < 2:
        return None
    tokens = tuple(token_of(piece, 0, 0, language.words[piece]) for piece in pieces)
    figures, quantity, at = "", False, 0
    while at < len(tokens):
        found = _Reader(tokens, language).thousands(at)
        if found is None:
            return None
        figures, at = figures + found.figures, found.stop
        quantity = quantity or found.quantity
    return figures, quantity


def _pieces(word: str, language: Language) -> list[str]:
    """Split a word into number words, the longest first; nothing when some of it is none."""
    if not word:
        return []
    for length in range(min(len(word), 12), 2, -1):
        known = language.words.get(word[:length])
        if known and known.role and known.role in "dnthcsj":
            rest = _pieces(word[length:], language)
            if rest or length == len(word):
                return [word[:length], *rest]
    return []


@dataclass(frozen=True, slots=True)
class _Reader:
    """Puts a number together from its words. Each method reads what is below its name."""

    tokens: Sequence[Token]
    language: Language

    def thousands(self, at: int) -> Numeral | None:
        total, quantity, begun = 0, False, at
        while True:
            part = self.thousand(at)
            value, at = part or (0, at)
            if _role(self.tokens, at) != "s":
                total += value
                break
            scale = self.tokens[at].word.value
            quantity, at = True, at + 1
            if self.language.numbers_follow and part is None:
                value, at = self.thousand(at) or (1, at)
                total += value * scale
            else:
                total += (value if part else 1) * scale
            following = self._after_joiner(at)
            if _role(self.tokens, following) not in STARTS - {"figures"}:
                break
            at = following
        if at == begun:
            return None
        return Numeral(str(total), at, quantity=quantity)

    def thousand(self, at: int) -> tuple[int, int] | None:
        """Read hundreds and what follows them."""
        role = _role(self.tokens, at)
        if role in {"h", "c"}:
            value, at = self.tokens[at].word.value, at + 1
            unit = _role(self.tokens, at) == "d" and self.tokens[at].word.value
            if role == "c" and self.language.numbers_follow and unit:
                value, at = unit * HUNDRED, at + 1
            return self._rest(value, at)
        below = self.hundred(at)
        if below and 0 < below[0] < HUNDRED and not self.language.numbers_follow:
            value, at = below
            if _role(self.tokens, at) == "c":
                return self._rest(value * HUNDRED, at + 1)
        return below

    def _rest(self, hundreds: int, at: int) -> tuple[int, int]:
        """Add tens and units to hundreds; what is said with a zero is another number."""
        below = self.hundred(self._after_joiner(at))
        if below is None or not below[0] or _role(self.tokens, below[1]) == "c":
            return hundreds, at
        return hundreds + below[0], below[1]

    def hundred(self, at: int) -> tuple[int, int] | None:
        """Read tens and units."""
        role = _role(self.tokens, at)
        if role == "n":
            return self.tokens[at].word.value, at + 1
        if role == "t":
            return self._tens(self.tokens[at].word.value, at + 1)
        if role != "d":
            return None
        unit = self.tokens[at].word.value
        ten = self._joined(at + 1)
        if self.language.units_first and unit and ten and _role(self.tokens, ten) == "t":
            return unit + self.tokens[ten].word.value, ten + 1
        return unit, at + 1

    def _tens(self, tens: int, at: int) -> tuple[int, int]:
        if self.language.units_first or at >= len(self.tokens):
            return tens, at
        joined = self._joined(at)
        following = joined or (at + 1 if self.tokens[at].plain in HYPHENS else at)
        if following >= len(self.tokens):
            return tens, at
        token = self.tokens[following]
        if (
            token.role == "d"
            and token.word.value
            and (following > at or token.plain not in ARTICLES)
        ):
            return tens + token.word.value, following + 1
        if token.role == "n" and tens in self.language.teens_after:
            return tens + token.word.value, following + 1
        return tens, at

    def _joined(self, at: int) -> int:
        """Return the token after "and"; 0 where nothing is joined."""
        if _role(self.tokens, at) == "j":
            return at + 1
        return at if at < len(self.tokens) and self.tokens[at].word.joined else 0

    def _after_joiner(self, at: int) -> int:
        return self._joined(at) or at
