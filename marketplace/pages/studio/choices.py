"""What a contributor chooses from: languages by BCP 47 tag, and countries by ISO 3166-1 code."""

from functools import cache

import langcodes
from babel import Locale

from ingestion.archive import languages
from marketplace.templatetags import wording

Choices = list[tuple[str, str]]


def countries() -> Choices:
    """Return every country whose law a consent can be given under: its code and its name."""
    return countries_in(wording.locale())


@cache
def countries_in(named_in: Locale) -> Choices:
    """Return the same in a language, by name."""
    found = [(code, str(named_in.territories.get(code, code))) for code in languages.countries()]
    return sorted(found, key=lambda one: one[1].casefold())


def tags() -> Choices:
    """Return every language that CLDR knows: its tag, and its name with what its speakers say."""
    return tags_in(wording.locale())


@cache
def tags_in(named_in: Locale) -> Choices:
    """Return the same in a language, by name."""
    found = [(tag, with_autonym(tag, named_in)) for tag in languages.tags()]
    return sorted(found, key=lambda one: one[1].casefold())


def with_autonym(tag: str, named_in: Locale) -> str:
    """Name a language: «Swahili · Kiswahili»."""
    language = langcodes.Language.get(tag)
    name = str(named_in.languages.get(tag.replace("-", "_")) or "")
    name = name or language.display_name(named_in.language)
    own = language.autonym()
    return name if own.casefold() in {name.casefold(), tag.casefold()} else f"{name} · {own}"
