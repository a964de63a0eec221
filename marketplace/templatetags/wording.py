"""How numbers, times, languages and purposes read on a page. Pure functions, no HTML."""

from datetime import UTC, date, datetime

import langcodes

CURRENCY_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "NGN": "₦"}
# ISO 4217 currencies whose minor unit is the unit itself.
WHOLE_CURRENCIES = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF"}
)
RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})

PURPOSE_NAMES = {
    "speech-recognition": "Speech recognition",
    "speech-synthesis": "Speech synthesis",
    "language-modeling": "Language models",
    "evaluation": "Evaluation",
    "research": "Research",
    "commercial": "Commercial use",
    "redistribution": "Passing it on",
    "voice-cloning": "Voice cloning",
    "speaker-identification": "Identifying speakers",
    "biometric-surveillance": "Biometric surveillance",
}
REDACTION_WORDS = {
    "phone": "phone number",
    "email": "email address",
    "address": "address",
    "id-number": "identity number",
    "card": "card number",
    "url": "web address",
    "handle": "account name",
    "name": "name",
}


def money(amount_minor: int, currency: str) -> str:
    """Write an amount in minor units (ISO 4217): €40, €40.50, UGX 120,000; zero is "Free"."""
    if amount_minor == 0:
        return "Free"
    code = currency.upper()
    sign, size = ("\N{MINUS SIGN}" if amount_minor < 0 else ""), abs(amount_minor)
    if code in WHOLE_CURRENCIES:
        number = f"{size:,}"
    else:
        units, rest = divmod(size, 100)
        number = f"{units:,}.{rest:02}" if rest else f"{units:,}"
    mark = CURRENCY_SIGNS.get(code)
    return f"{sign}{mark}{number}" if mark else f"{sign}{code}\N{NO-BREAK SPACE}{number}"


def term(days: int | None) -> str:
    """Say how long a license runs: "a year", "for 90 days", or "once, for good"."""
    if not days:
        return "once, for good"
    if days % 365 == 0:
        return "a year" if days == 365 else f"for {days // 365} years"
    return "for a day" if days == 1 else f"for {days} days"


def duration(milliseconds: int) -> str:
    """Write a length with its units: 3 h 20 min, 12 min 3 s, 4 s, 380 ms."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
    if minutes:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{seconds} s"


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
        return f"{count} bytes"
    tenths = count * 10
    for unit in ("kB", "MB", "GB", "TB"):
        tenths //= 1000
        if tenths < 10_000 or unit == "TB":
            whole, part = divmod(tenths, 10)
            return f"{whole:,}.{part} {unit}" if whole < 100 and part else f"{whole:,} {unit}"
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
    return f"{value.day} {value:%B %Y}"


def minute(value: datetime | date) -> str:
    """Write a UTC time to the minute: 3 March 2026, 14:05 UTC; of a date, the day."""
    return f"{day(value)}, {value:%H:%M} UTC" if isinstance(value, datetime) else day(value)


def language(tag: str) -> str:
    """Name a BCP 47 language in English: `nnb` is Nande; an unreadable tag stays as it is."""
    return langcodes.Language.get(tag).display_name() if langcodes.tag_is_valid(tag) else tag


def direction(tag: str) -> str:
    """Return `rtl` or `ltr`, the way text in a BCP 47 language runs."""
    if not langcodes.tag_is_valid(tag):
        return "auto"
    script = langcodes.Language.get(tag).maximize().script
    return "rtl" if script in RIGHT_TO_LEFT_SCRIPTS else "ltr"


def purpose(slug: str) -> str:
    """Name a purpose in two words; a sentence about it stands in `commonhold.purposes`."""
    return PURPOSE_NAMES.get(slug, slug.replace("-", " ").capitalize())


def redaction(kind: str) -> str:
    """Say in words what a bar hides: "phone number removed"."""
    plain = kind.lower().replace("_", "-")
    return f"{REDACTION_WORDS.get(plain, plain.replace('-', ' '))} removed"
