"""Letters to phones, for words that no dictionary holds."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from ingestion.pipeline.steps.orthographies import SHARED, TABLES

ENTRY = re.compile(r"([^\s:(#]+)(?:\((\S+?)\)|(#))?:(\S*)")
SYLLABIC = ("ETHIOPIC SYLLABLE ",)
LETTER_NAME = re.compile(
    r"(DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA)"
    r" (LETTER|VOWEL SIGN|SIGN) ([A-Z]+)"
)


@dataclass(frozen=True, slots=True)
class Orthography:
    """A compiled table: one pattern, longest entries first, and the phones of each."""

    pattern: re.Pattern[str]
    phones: tuple[tuple[str, ...], ...]


@cache
def orthography(language: str) -> Orthography:
    """Return the table of a language's first subtag; the general Latin one where it has none."""
    entries = _entries(SHARED)
    if language not in {"", "en"}:
        entries = {**_entries(TABLES[""]), **entries}
    entries = {**entries, **_entries(TABLES.get(language, TABLES[""]))}
    ordered = sorted(entries, key=lambda key: (-len(key[0]), not key[1], not key[2]))
    parts = []
    for letters, before, end in ordered:
        condition = f"(?=[{re.escape(before)}])" if before else r"(?!\w)" if end else ""
        first = r"(?<!\w)" if letters.startswith("^") else ""
        parts.append(f"({first}{re.escape(letters.removeprefix('^'))}{condition})")
    phones = tuple(tuple(entries[key].split("_")) if entries[key] else () for key in ordered)
    return Orthography(re.compile("|".join(parts)), phones)


def _entries(table: str) -> dict[tuple[str, str, str], str]:
    entries = {}
    for item in table.split():
        match = ENTRY.fullmatch(item)
        if match is None:
            message = f"orthography entry {item!r} can't be read"
            raise ValueError(message)
        entries[match[1], match[2] or "", match[3] or ""] = match[4]
    return entries


def phones_of(word: str, *, language: str) -> tuple[str, ...]:
    """Return the phones of a word by its letters; () when a letter of it has no sound here."""
    table = orthography(language)
    text = unicodedata.normalize("NFC", word.casefold()).replace("\u2019", "'")
    text = "".join(_romanized(text))
    phones: list[str] = []
    position = 0
    while position < len(text):
        match = table.pattern.match(text, position)
        if match is None:
            if unicodedata.combining(text[position]):
                position += 1
                continue
            folded = _folded(text[position])
            match = table.pattern.match(folded) if folded else None
            if match is None:
                return ()
            position += 1
        else:
            position = match.end()
        phones.extend(table.phones[(match.lastindex or 1) - 1])
    return tuple(phones)


def _folded(char: str) -> str:
    """Return a letter without its marks; "" when nothing is left that differs."""
    plain = unicodedata.normalize("NFKD", char)
    plain = "".join(part for part in plain if not unicodedata.combining(part))
    return plain if plain != char else ""


def _romanized(text: str) -> list[str]:
    """Spell Ethiopic and Brahmic letters by their Unicode names; leave all others alone.

    A Brahmic consonant carries an "a" that a vowel sign replaces and a virama removes
    (The Unicode Standard, chapter 12).
    """
    spelled: list[str] = []
    for char in text:
        name = unicodedata.name(char, "")
        if name.startswith(SYLLABIC):
            spelled.append(name.split()[-1].casefold())
            continue
        match = LETTER_NAME.match(name)
        if match is None:
            spelled.append(char)
        elif match[2] == "LETTER":
            spelled.append(_latin(match[3]))
        elif match[2] == "VOWEL SIGN" and spelled:
            spelled[-1] = spelled[-1].removesuffix("a") + _latin(match[3])
        elif match[3] in {"VIRAMA", "AL", "PULLI"} and spelled:
            spelled[-1] = spelled[-1].removesuffix("a")
        elif match[3] in {"ANUSVARA", "CANDRABINDU", "ADAK"}:
            spelled.append("n")
    return spelled


def _latin(name: str) -> str:
    """Return a letter's Unicode name as letters of the general table (TTHA → tha said as t)."""
    plain = re.sub(r"(.)\1(?=[^AEIOU]|[AEIOU])", r"\1", name.casefold())
    return re.sub(r"(?<=[bdgkpt])h", "", plain)
