"""How numbers, times, languages and purposes read on a page. Pure functions, no HTML.

Sentences are gettext's; digits, dates, sizes and names of languages are CLDR's, through Babel and
langcodes, in the reader's language.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext

import langcodes
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from commonhold import purposes as vocabulary
from django.utils.translation import get_language, gettext_lazy, ngettext, ngettext_lazy
from django.utils.translation import gettext as _

from marketplace import money as amounts

RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})

PURPOSE_NAMES = {
    "speech-recognition": gettext_lazy("Speech recognition"),
    "speech-synthesis": gettext_lazy("Speech synthesis"),
    "language-modeling": gettext_lazy("Language models"),
    "evaluation": gettext_lazy("Evaluation"),
    "research": gettext_lazy("Research"),
    "commercial": gettext_lazy("Commercial use"),
    "redistribution": gettext_lazy("Passing it on"),
    "voice-cloning": gettext_lazy("Voice cloning"),
    "speaker-identification": gettext_lazy("Identifying speakers"),
    "biometric-surveillance": gettext_lazy("Biometric surveillance"),
}
REDACTED = {
    "phone": gettext_lazy("phone number removed"),
    "email": gettext_lazy("email address removed"),
    "address": gettext_lazy("address removed"),
    "id-number": gettext_lazy("identity number removed"),
    "card": gettext_lazy("card number removed"),
    "iban": gettext_lazy("bank account removed"),
    "url": gettext_lazy("web address removed"),
    "ip": gettext_lazy("network address removed"),
    "handle": gettext_lazy("account name removed"),
    "name": gettext_lazy("name removed"),
    "unwritten": gettext_lazy("speech without text removed"),
}
COUNTED = {
    "phone": ngettext_lazy("%(count)s phone number", "%(count)s phone numbers", "count"),
    "email": ngettext_lazy("%(count)s email address", "%(count)s email addresses", "count"),
    "address": ngettext_lazy("%(count)s address", "%(count)s addresses", "count"),
    "id-number": ngettext_lazy("%(count)s identity number", "%(count)s identity numbers", "count"),
    "card": ngettext_lazy("%(count)s card number", "%(count)s card numbers", "count"),
    "iban": ngettext_lazy("%(count)s bank account", "%(count)s bank accounts", "count"),
    "url": ngettext_lazy("%(count)s web address", "%(count)s web addresses", "count"),
    "ip": ngettext_lazy("%(count)s network address", "%(count)s network addresses", "count"),
    "handle": ngettext_lazy("%(count)s account name", "%(count)s account names", "count"),
    "name": ngettext_lazy("%(count)s name", "%(count)s names", "count"),
    "unwritten": ngettext_lazy(
        "%(count)s stretch of speech without text",
        "%(count)s stretches of speech without text",
        "count",
    ),
}
ENGLISH = Locale("en")
LONGEST_NUMBER = 5_000
"""More digits than Python reads as a number: a refusal repeats what somebody sent."""


def locale() -> Locale:
    """Return the reader's locale as Babel knows it; English where it knows none."""
    try:
        found = Locale.parse(get_language() or "en", sep="-")
    except (UnknownLocaleError, ValueError):
        return ENGLISH
    return ENGLISH if found.language == "en" else found


def number(value: int) -> str:
    """Write a number with its thousands apart: 12,345."""
    with localcontext(prec=LONGEST_NUMBER):
        return str(format_decimal(value, locale=locale()))


def percent(bps: int, *, tenths: bool = False) -> str:
    """Write basis points as a percentage, exactly: 5 %, 12.5 %; or always with `tenths`: 5.0 %."""
    here = locale()
    pattern = "#,##0 %" if here == ENGLISH else str(here.percent_formats[None].pattern)
    pattern = pattern.replace("##0", "##0.0" if tenths else "##0.##")
    return str(format_percent(Decimal(bps) / 10_000, format=pattern, locale=here))


def money(amount_minor: int, currency: str) -> str:
    """Write an amount in minor units: €40, €40.50, UGX 120,000; zero is "Free"."""
    if amount_minor == 0:
        return _("Free")
    return amounts.written(amount_minor, currency.upper(), locale=str(locale()).replace("_", "-"))


def term(days: int | None) -> str:
    """Say how long a license runs: "a year", "for 90 days", or "once, for good"."""
    if not days:
        return _("once, for good")
    if days == 365:
        return _("a year")
    if days % 365 == 0:
        years = days // 365
        return ngettext("for %(years)s year", "for %(years)s years", years) % {"years": years}
    return ngettext("for a day", "for %(days)s days", days) % {"days": number(days)}


def duration(milliseconds: int) -> str:
    """Write a length with its units: 3 h 20 min, 12 min 3 s, 4 s, 380 ms."""
    if milliseconds < 1000:
        return _("%(count)s ms") % {"count": milliseconds}
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        (number(hours), _("%(count)s h")),
        (minutes, _("%(count)s min")),
        (0 if hours else seconds, _("%(count)s s")),
    ]
    return " ".join(text % {"count": count} for count, text in parts if count not in {0, "0"})


def timecode(milliseconds: int, *, fraction: bool = False) -> str:
    """Write a place in a recording: 0:07, 12:03, 1:02:03, or with tenths 0:07.4."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{rest // 100}" if fraction else text


def size(count: int) -> str:
    """Write a number of bytes in decimal units: 812 bytes, 1.5 MB, 20 GB."""
    if count < 1000:
        return ngettext("%(count)s byte", "%(count)s bytes", count) % {"count": count}
    tenths = count * 10
    for unit in ("kilobyte", "megabyte", "gigabyte", "terabyte"):
        tenths //= 1000
        if tenths < 10_000 or unit == "terabyte":
            whole, part = divmod(tenths, 10)
            value = tenths / 10 if whole < 100 and part else whole
            return str(format_unit(value, f"digital-{unit}", length="short", locale=locale()))
    raise AssertionError(count)


def moment(value: datetime | date | str) -> datetime | date:
    """Read a time as UTC; text is RFC 3339 (`2026-03-03T14:00:00Z`) or a plain date."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def day(value: datetime | date) -> str:
    """Write a day: 3 March 2026."""
    here = locale()
    return str(format_date(value, "d MMMM y" if here == ENGLISH else "long", locale=here))


def minute(value: datetime | date) -> str:
    """Write a UTC time to the minute: 3 March 2026, 14:05 UTC; of a date, the day."""
    if not isinstance(value, datetime):
        return day(value)
    time = format_time(value.time(), "HH:mm", locale=locale())
    return _("%(day)s, %(time)s UTC") % {"day": day(value), "time": time}


def language(tag: str) -> str:
    """Name a BCP 47 language: `nnb` is Nande; an unreadable tag stays as it is."""
    if not langcodes.tag_is_valid(tag):
        return tag
    return langcodes.Language.get(tag).display_name(str(locale()))


def country(code: str) -> str:
    """Name the law of a country by its ISO 3166-1 code; an unknown code stays as it is."""
    return str(locale().territories.get(code, code))


def direction(tag: str) -> str:
    """Return `rtl` or `ltr`, the way text in a BCP 47 language runs."""
    if not langcodes.tag_is_valid(tag):
        return "auto"
    script = langcodes.Language.get(tag).maximize().script
    return "rtl" if script in RIGHT_TO_LEFT_SCRIPTS else "ltr"


def purpose(slug: str) -> str:
    """Name a purpose in two words; a sentence about it stands in `commonhold.purposes`."""
    return str(PURPOSE_NAMES.get(slug, slug.replace("-", " ").capitalize()))


def purposes(slugs: Iterable[str]) -> str:
    """Name several purposes, one after the other."""
    return ", ".join(purpose(slug) for slug in slugs)


def purpose_phrase(slug: str) -> str:
    """Complete the sentence "Your voice may be used …"."""
    return _(vocabulary.get(slug).phrase)


def redaction(kind: str) -> str:
    """Say in words what a bar hides: "phone number removed"."""
    plain = kind.lower().replace("_", "-")
    known = REDACTED.get(plain)
    return str(known) if known else _("%(kind)s removed") % {"kind": plain.replace("-", " ")}


def redacted(kind: str, count: int) -> str:
    """Say how many things of a kind were removed: "2 phone numbers"."""
    plain = kind.lower().replace("_", "-")
    if plain in COUNTED:
        return COUNTED[plain] % {"count": count}
    told = _("%(count)s of the kind «%(kind)s»")
    return told % {"count": count, "kind": plain.replace("-", " ")}
