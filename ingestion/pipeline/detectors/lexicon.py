"""What a language's words mean to the rules: read from languages/, a file for each language.

Where a table's entry is a phrase, "_" stands between its words. Entries are compared in lower case
without accents. English is read beside every language: numbers are often said in it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "languages"
LANGUAGES = frozenset(path.stem for path in FOLDER.glob("*.toml"))
"""Languages whose spoken forms ("oh seven double two", "punto", "nukta") have rules."""
EVERYWHERE = "en"
NUMBERS = {"figures": "d", "teens": "n", "tens": "t", "hundreds": "h", "scales": "s", "times": "x"}
OTHERS = {"hundred": "c", "joiners": "j", "fillers": "f", "measured_after": "u"}
OTHERS |= {"measured_before": "b", "decimal": "p"}
SIGNS = ("at", "dot", "dash", "underscore", "slash", "plus")
PLACES = (
    *("number", "box", "unit", "ordinals", "street_number"),
    *("street_before", "street_after", "street_first"),
)
HESITATION = re.compile(r"(?:e+h*|a+h+|u+h*m*|h*m+|e+r*m*)")
FOLDED = str.maketrans("ةى\u2019", "هي'", "\u0640")
# Letters that are written with and without their signs.
LOOSE = {
    one[0]: f"[{one}]"
    for one in (
        "aáàâäã", "cç", "eéèêë", "iíìîï", "nñ", "oóòôöõ", "uúùûü",
        "\u0627\u0623\u0625\u0622", "\u0647\u0629", "\u064a\u0649",
    )
}  # fmt: skip


CONNECTOR_WORDS = """
de la el del los las da do das dos e y des du l d le les wa ya za of the san santa al von vom
"""
CONNECTORS = frozenset(CONNECTOR_WORDS.split())
"""Small words inside names of streets and mail boxes."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the rules see it. `joined`: "and" is written into it (Arabic).

    `role` says what it adds to a number: d a figure, n a number of two figures said as one word,
    t tens, h hundreds, c a hundred of what stands beside it, s thousands and more, x how often the
    next figure is said, j what joins tens and units, f what means nothing, u a unit behind and b
    one before what is measured, p a decimal point, "figures" themselves. `value` is its number.
    """

    plain: str
    role: str = ""
    value: int = 0
    sign: str = ""
    place: str = ""
    letter: str = ""
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """A language's file, read. `phrases` are by their first word, the longest first."""

    code: str
    words: Mapping[str, Word]
    phrases: Mapping[str, list[tuple[tuple[str, ...], Word]]]
    cues: Mapping[str, re.Pattern[str]]
    sentence: frozenset[str]
    as_in: frozenset[str]
    street_suffixes: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    teens_after: frozenset[int] = frozenset()
    units_first: bool = False
    numbers_follow: bool = False
    glued: bool = False
    providers: frozenset[str] = frozenset()
    endings: frozenset[str] = frozenset()

    def word(self, text: str) -> Word:
        """Return what a written word means."""
        bare = plain(text)
        known = self.words.get(bare)
        if known:
            return known
        if bare.isdecimal():
            return Word(bare, "figures")
        for prefix in self.prefixes:
            inner = self.words.get(bare.removeprefix(prefix)) if bare.startswith(prefix) else None
            if inner and (inner.role or inner.place):
                return replace(inner, plain=bare, joined=prefix[0] == self.prefixes[0])
        if self.street_suffixes and bare.endswith(self.street_suffixes):
            return Word(bare, place="street_suffix")
        return Word(bare, "f" if HESITATION.fullmatch(bare) else "")


def plain(word: str) -> str:
    """Return a word in lower case without accents: Fünf → funf, dieciséis → dieciseis."""
    folded = unicodedata.normalize("NFKD", word.casefold()).translate(FOLDED)
    return "".join(char for char in folded if not unicodedata.combining(char))


@cache
def language_of(code: str) -> Language:
    """Return a language; one without a file has the English words alone."""
    own = _table(code) if code in LANGUAGES else {}
    common = _table(EVERYWHERE)
    dropped = {plain(word) for word in own.get("not_english", "").split()}
    entries = {key: word for key, word in _entries(common).items() if key[0] not in dropped}
    entries |= _entries(own)
    phrases: dict[str, list[tuple[tuple[str, ...], Word]]] = {}
    for parts, word in sorted(entries.items(), key=lambda entry: -len(entry[0])):
        if len(parts) > 1:
            phrases.setdefault(parts[0], []).append((parts[1:], word))
    cues = {
        kind: _cue(f"{common['cues'][kind]} {own.get('cues', {}).get(kind, '')}")
        for kind in common["cues"]
    }
    return Language(
        code,
        {parts[0]: word for parts, word in entries.items() if len(parts) == 1},
        phrases,
        cues,
        sentence=_words(f"{own.get('sentence', '')} {common['sentence']}"),
        as_in=_words(f"{own.get('as_in', '')} {common['as_in']}"),
        street_suffixes=tuple(_words(own.get("street_suffix", ""))),
        prefixes=tuple(own.get("prefixes", "").split()),
        teens_after=frozenset(own.get("teens_after", ())),
        units_first=own.get("units_first", False),
        numbers_follow=own.get("numbers_follow", False),
        glued=own.get("glued", False),
        providers=_words(own.get("providers", "")),
        endings=_words(own.get("endings", "")),
    )


@cache
def cue(kind: str) -> re.Pattern[str]:
    """Return the words of all languages that speak of a kind: writing mixes them."""
    return _cue(" ".join(_table(code)["cues"][kind] for code in sorted(LANGUAGES)))


@lru_cache(maxsize=100_000)
def word_of(text: str, code: str) -> Word:
    """Return what a written word means in a language."""
    return language_of(code).word(text)


@cache
def _table(code: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{code}.toml").read_text(encoding="utf-8"))


def _words(text: str) -> frozenset[str]:
    return frozenset(plain(word) for word in text.split())


def _entries(table: Mapping[str, Any]) -> dict[tuple[str, ...], Word]:
    """Return a file's words and phrases; one in several tables means all that they say."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, role in (NUMBERS | OTHERS).items():
        for entry in table.get(name, "").split():
            text, _, value = entry.partition("=")
            number = 100 if role == "c" else int(value or 0)
            said = _put(found, text)
            if "role" not in said:
                said |= {"role": role, "value": number}
    for name in SIGNS:
        for entry in table.get(name, "").split():
            _put(found, entry)["sign"] = name
    for name in PLACES:
        for entry in table.get(name, "").split():
            _put(found, entry)["place"] = name
    for entry in table.get("letters", "").split():
        text, _, letter = entry.partition("=")
        _put(found, text)["letter"] = letter
    return {parts: Word(" ".join(parts), **said) for parts, said in found.items()}


def _put(found: dict[tuple[str, ...], dict[str, Any]], text: str) -> dict[str, Any]:
    parts = tuple(part for part in re.split(r"[_.]", plain(text)) if part) or (text,)
    return found.setdefault(parts, {})


def _cue(words: str) -> re.Pattern[str]:
    """Return a pattern of whole words; "*" stands for any letters, "_" for a space or hyphen."""
    patterns = []
    for word in sorted({plain(word) for word in words.split()}):
        letters = "".join(LOOSE.get(char, re.escape(char)) for char in word)
        patterns.append(
            letters.replace(r"\*", r"\w*").replace("_", r"[\s-]+").replace(r"\?", "[ ]?")
        )
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE)
