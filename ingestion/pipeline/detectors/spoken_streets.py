"""Postal addresses whose numbers are said in words or written: streets, houses, floors, boxes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingestion.pipeline.detectors.finding import Hit
from ingestion.pipeline.detectors.lexicon import CONNECTORS, LANGUAGES, Language, language_of
from ingestion.pipeline.detectors.numerals import STARTS, numeral_at
from ingestion.pipeline.detectors.tokens import SOFT, Token, tokens_of

COMMAS = frozenset(",.\u060c")
MAX_NUMERALS, MAX_NAME, MAX_SHORT = 4, 6, 3
CONFIDENCE = 800


@dataclass(frozen=True, slots=True)
class Part:
    """Half-open tokens of an address. A weak part, as "flat b", counts beside a street only."""

    first: int
    stop: int
    is_strong: bool = True
    is_street: bool = False


class SpokenStreetDetector:
    """Street, house, floor and box with a number, in the order of words of each language."""

    name = "spoken-street/1"
    kinds = ("address",)
    languages = LANGUAGES

    def find(self, text: str, *, language: str) -> Iterable[Hit]:
        """Yield addresses; parts that only signs stand between are one."""
        tokens = tokens_of(text, language)
        reader = _Reader(tokens, language_of(language))
        for group in _groups(reader.parts(), tokens):
            beside = len(group) > 1 and any(part.is_street for part in group)
            if beside or any(part.is_strong for part in group):
                start, end = tokens[group[0].first].start, tokens[group[-1].stop - 1].end
                yield Hit("address", start, end, CONFIDENCE, self.name)


def _groups(parts: Iterable[Part], tokens: Sequence[Token]) -> Iterator[list[Part]]:
    group: list[Part] = []
    for part in parts:
        if group and any(token.is_word for token in tokens[group[-1].stop : part.first]):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


class _Reader:
    """Reads the parts of addresses in a text's tokens."""

    def __init__(self, tokens: Sequence[Token], language: Language) -> None:
        self.tokens = tokens
        self.language = language

    def parts(self) -> Iterator[Part]:
        """Yield the parts in order, none inside another."""
        at = 0
        while at < len(self.tokens):
            part = self._part(at)
            if part:
                yield part
            at = part.stop if part else at + 1

    def _part(self, at: int) -> Part | None:
        token = self.tokens[at]
        place = token.word.place
        if place in {"box", "street_suffix"}:
            return self._numbered(at)
        if place == "unit":
            return self._unit(at)
        if place == "ordinals":
            return Part(at, at + 2, is_strong=False) if self._place(at + 1) == "unit" else None
        if place in {"street_before", "street_first"}:
            return self._street_then_number(at) or self._street_then_unit(at)
        if at and self.tokens[at - 1].role in STARTS:
            return None
        starts = token.role in STARTS or place == "number" or self.language.glued
        return self._number_then_street(at) if starts else None

    def _place(self, at: int) -> str:
        return self.tokens[at].word.place if at < len(self.tokens) else ""

    def _numbered(self, at: int) -> Part | None:
        stop = self._number(at + 1)
        return Part(self._begin(at), stop, is_street=True) if stop else None

    def _unit(self, at: int) -> Part | None:
        """Read "house number nine"; without the word "number" only beside a street."""
        street = self._number_then_street(at + 1)
        if street:
            return Part(at, street.stop, is_street=True)
        stop = self._number(at + 1)
        if stop:
            return Part(at, stop, is_strong=self._place(at + 1) == "number")
        after = at + 1
        if after < len(self.tokens) and self.tokens[after].plain in CONNECTORS:
            after += 1
        if self._place(after) == "ordinals" or (after > at + 1 and self._numerals(after)):
            return Part(at, after + 1, is_strong=False)
        is_letter = after < len(self.tokens) and bool(self.tokens[after].letter)
        return Part(at, after + 1, is_strong=False) if is_letter else None

    def _number(self, at: int) -> int:
        """Return the token after the house number that begins here, 0 for none."""
        while at < len(self.tokens) and (self.tokens[at].plain in {*COMMAS, "#"}):
            at += 1
        if self._place(at) == "number":
            at += 1
            while at < len(self.tokens) and self.tokens[at].plain in {".", "#"}:
                at += 1
        stop = self._numerals(at)
        if not stop or (stop < len(self.tokens) and self.tokens[stop].role == "u"):
            return 0
        return self._past_suffix(stop)

    def _numerals(self, at: int) -> int:
        stop = 0
        for _ in range(MAX_NUMERALS):
            found = numeral_at(self.tokens, at, self.language) if at < len(self.tokens) else None
            if found is None:
                break
            stop = at = found.stop
        return stop

    def _past_suffix(self, stop: int) -> int:
        """Read "3 b", "45 bis", "32-15"."""
        if stop < len(self.tokens):
            token = self.tokens[stop]
            if token.word.place == "street_number":
                return stop + 1
            if token.plain in {"-", "/", "#"} or token.word.sign == "dash":
                return self._numerals(stop + 1) or stop
            own_word = token.plain in self.language.sentence or token.role == "j"
            if len(token.plain) == 1 and token.plain.isalpha() and not own_word:
                return stop + 1
        return stop

    def _street_then_number(self, at: int) -> Part | None:
        """Read "calle del Sol, número cinco"; without "number" the phrase must end there."""
        name = self._name_until(at, lambda name: self._place(name) == "number")
        # "rua sete de setembro, dez": a number that the name goes on after is the name's own.
        name = name or self._name_until(at, lambda name: self._is_last_number(name, of_name=False))
        name = name or self._name_until(at, lambda name: self._is_last_number(name, of_name=True))
        stop = self._number(name) if name else 0
        first = self._begin(at)
        # "Platz eins" is a rank, "Berliner Platz eins" a street.
        named = name > at + 1 or first < at or not self.language.street_suffixes
        return Part(first, stop, is_street=True) if stop and named else None

    def _name_until(self, at: int, is_there: Callable[[int], bool]) -> int:
        """Return the token of a street's number, after the street's name; 0 for none."""
        for name in range(at + 1, min(at + MAX_NAME + 2, len(self.tokens))):
            token = self.tokens[name]
            if is_there(name):
                return name
            if not (token.is_word or token.plain in COMMAS) or self._breaks(token):
                break
        return 0

    def _is_last_number(self, at: int, *, of_name: bool) -> bool:
        stop = self._number(at) if self.tokens[at].plain not in CONNECTORS else 0
        if not of_name and stop < len(self.tokens) and self.tokens[stop].plain in CONNECTORS:
            return False
        return bool(stop) and self._ends(stop)

    def _street_then_unit(self, at: int) -> Part | None:
        """Read "calle del Sol, casa ..." up to the house."""
        stop = self._past_name(at + 1)
        after = stop + 1 if stop < len(self.tokens) and self.tokens[stop].plain in COMMAS else stop
        if stop > at + 1 and self._place(after) == "unit":
            return Part(at, stop, is_strong=False, is_street=True)
        return None

    def _begin(self, at: int) -> int:
        """Return where a name before the type begins: "Berliner Allee"."""
        before = self.tokens[at - 1] if at else None
        if before is None or not self.language.street_suffixes or self._breaks(before):
            return at
        return at - 1 if before.text[0].isupper() else at

    def _breaks(self, token: Token) -> bool:
        return token.plain in self.language.sentence and token.plain not in CONNECTORS

    def _ends(self, stop: int) -> bool:
        """Tell a number that counts nothing: no noun follows."""
        if stop >= len(self.tokens):
            return True
        token = self.tokens[stop]
        is_part = token.word.place in {"unit", "ordinals"}
        return not token.is_word or token.plain in self.language.sentence or is_part

    def _number_then_street(self, at: int) -> Part | None:
        """Read "forty-one Station Road" and "douze bis rue des Lilas"."""
        stop = self._number(at)
        if not stop:
            return None
        while stop < len(self.tokens) and self.tokens[stop].plain in COMMAS:
            stop += 1
        if self._place(stop) == "street_first":
            return Part(at, self._past_name(stop + 1), is_street=True)
        for name in range(stop, min(stop + MAX_SHORT + 1, len(self.tokens))):
            token = self.tokens[name]
            if token.word.place == "street_after" and name > stop:
                return Part(at, name + 1, is_street=True)
            if not token.is_word or token.plain in self.language.sentence or token.role:
                break
        return None

    def _past_name(self, at: int) -> int:
        """Return the token after a street's name: up to a sign or a word of the sentence."""
        words = 0
        while at < len(self.tokens) and words < MAX_SHORT:
            token = self.tokens[at]
            linked = token.plain in CONNECTORS or token.plain.startswith(("l'", "d'"))
            if not token.is_word and token.plain not in SOFT - COMMAS:
                break
            if self._breaks(token) and not linked:
                break
            words += not (token.plain in CONNECTORS or not token.is_word)
            at += 1
        return at
