"""What can be wrong with a consent as it was written down, each with its field and its sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from commonhold import purposes, times
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.utils import timezone

from ingestion.models.consent import MAX_NOTICE


class ConsentInvalid(CommonholdError):
    """A consent that can't stand as it was written down."""

    code = "consent-invalid"
    status = 422


@dataclass(frozen=True)
class Notice:
    """What the speaker was told before agreeing."""

    text: str
    language: str
    version: str = ""


@dataclass(frozen=True)
class Terms:
    """What the speaker agreed to."""

    purposes: tuple[str, ...]
    given_on: date
    jurisdiction: str
    excluded_purposes: tuple[str, ...] = ()
    expires_on: date | None = None


def check_terms(*, terms: Terms, notice: Notice) -> None:
    """Raise ConsentInvalid, naming the field, unless the terms make sense today (UTC)."""
    for purpose in (*terms.purposes, *terms.excluded_purposes):
        purposes.get(purpose)
    for fault in faults(terms=terms, notice=notice, today=times.day_of(timezone.now())):
        raise fault


def faults(*, terms: Terms, notice: Notice, today: date) -> Iterator[ConsentInvalid]:
    """Yield a refusal for everything that is wrong."""
    if not terms.purposes:
        yield ConsentInvalid(_("A consent names at least one purpose."), field="purposes")
    if both := sorted(set(terms.purposes) & set(terms.excluded_purposes)):
        sentence = _("%(purposes)s: allowed and excluded at once.")
        yield ConsentInvalid(sentence, field="excluded_purposes", purposes=", ".join(both))
    if not notice.text.strip():
        sentence = _("Give the text that the speaker was shown or read.")
        yield ConsentInvalid(sentence, field="notice_text")
    if len(notice.text) > MAX_NOTICE:
        sentence = _("What the speaker was told has more than %(most)s characters.")
        yield ConsentInvalid(sentence, field="notice_text", most=MAX_NOTICE)
    if not notice.language.strip():
        sentence = _("Say in which language the notice was.")
        yield ConsentInvalid(sentence, field="notice_language")
    if not terms.jurisdiction.strip():
        sentence = _("Say under which law it was given, such as «KE» or «EU».")
        yield ConsentInvalid(sentence, field="jurisdiction")
    yield from _wrong_dates(terms, today)


def _wrong_dates(terms: Terms, today: date) -> Iterator[ConsentInvalid]:
    expires = terms.expires_on
    if terms.given_on > today:
        sentence = _("%(day)s is in the future.")
        yield ConsentInvalid(sentence, field="given_on", day=terms.given_on)
    if expires is not None and expires <= terms.given_on:
        sentence = _("%(day)s is not after the day it was given.")
        yield ConsentInvalid(sentence, field="expires_on", day=expires)
    elif expires is not None and expires <= today:
        sentence = _(
            "This consent expired on %(day)s. Ask the speaker again before using the recording."
        )
        yield ConsentInvalid(sentence, field="expires_on", day=expires)
