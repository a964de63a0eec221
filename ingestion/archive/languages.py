"""Languages by BCP 47 tag (RFC 5646), and the law of which country, by ISO 3166-1 code."""

import re
from functools import cache

import langcodes
from babel import Locale
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from langcodes.tag_parser import LanguageTagError

# Tags that name no language: undetermined, several, uncoded, none.
NOT_ONE = frozenset({"und", "mul", "mis", "zxx"})
MOST = 35
EUROPEAN_UNION = "EU"
STATE = re.compile("[A-Z0-9]{1,3}")


class UnknownLanguage(CommonholdError):
    """A tag that names no language."""

    code = "unknown-language"
    status = 422


class UnknownCountry(CommonholdError):
    """A code that names no country."""

    code = "unknown-country"
    status = 422


def tag_of(text: str, *, field: str = "language") -> str:
    """Return the standard form of a tag, or of the name of a language: «swahili» is sw.

    `field` is what a refusal names as wrong.

    Raises UnknownLanguage.
    """
    wanted = text.strip()
    found = _valid(wanted) or _named(wanted)
    if not found:
        sentence = _(
            "«%(language)s» is no language that we know. Choose one from the list, or type its "
            "code: sw is Swahili, es-419 is Latin American Spanish, ach is Acholi."
        )
        raise UnknownLanguage(sentence, language=wanted[:MOST], field=field)
    return found


def primary_of(tag: str) -> str:
    """Return the language of a tag alone, by its common code: «sw» of «swh-KE»."""
    return str(langcodes.Language.get(langcodes.standardize_tag(tag, macro=True)).language)


def are_one(tag: str, other: str) -> bool:
    """Whether two tags name one language, in whatever country or script."""
    return primary_of(tag) == primary_of(other)


def _valid(text: str) -> str:
    try:
        if not langcodes.tag_is_valid(text):
            return ""
        tag = langcodes.standardize_tag(text)
    except LanguageTagError:
        return ""
    language = langcodes.Language.get(tag).language
    return tag if language and language not in NOT_ONE and len(tag) <= MOST else ""


def _named(text: str) -> str:
    if not text:
        return ""
    try:
        tag = langcodes.find(text).to_tag()
    except LookupError:
        return ""
    # It is found by the beginning of a name too, and «English or Spanish» is not English.
    names = {langcodes.Language.get(tag).display_name(reader) for reader in ("en", tag)}
    return _valid(tag) if text.casefold() in {name.casefold() for name in names} else ""


@cache
def tags() -> tuple[str, ...]:
    """Return the tags to choose from: those that CLDR has names for. Others can be typed."""
    found = {_valid(str(tag).replace("_", "-")) for tag in Locale("en").languages}
    return tuple(sorted(found - {""}))


@cache
def countries() -> tuple[str, ...]:
    """Return ISO 3166-1 alpha-2 codes, and EU for its common law."""
    territories = [str(code) for code in Locale("en").territories]
    real = {code for code in territories if len(code) == 2 and code.isalpha()}
    # CLDR has names for these too: regions of the world's maps, and codes for «unknown».
    return tuple(sorted(real - {"EZ", "QO", "UN", "XA", "XB", "ZZ", "EU"} | {EUROPEAN_UNION}))


def country_of(text: str) -> str:
    """Return the code of a country's law in upper case, or of its state's: US-NM (ISO 3166-2).

    Raises UnknownCountry.
    """
    code = text.strip().upper()
    country, dash, state = code.partition("-")
    if country not in countries() or bool(dash) != bool(STATE.fullmatch(state)):
        sentence = _(
            "«%(country)s» is no country's code. Choose one from the list: KE is Kenya, EU is the "
            "law that the European Union shares."
        )
        raise UnknownCountry(sentence, country=text.strip()[:MOST], field="jurisdiction")
    return code
