"""Telling a refusal in the reader's language: where codes with parameters become sentences."""

from datetime import date
from typing import Any

from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import told
from django.utils.translation import gettext, ngettext

from marketplace.templatetags import wording


def tell(error: CommonholdError) -> str:
    """Return what a refusal says, in the reader's language."""
    return tell_sentence(error.sentence, error.details)


def tell_sentence(sentence: str, parameters: dict[str, object]) -> str:
    """Return a sentence with its parameters, in the reader's language."""
    return told(sentence, parameters, translate=gettext, counted=ngettext, write=write)


def write(value: object) -> object:
    """Write a number or a day of a sentence as the reader does; leave the rest as it is."""
    if isinstance(value, date):
        return wording.minute(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return wording.number(value)
    return value


def tell_record(record: dict[str, Any] | None) -> str:
    """Return what a refusal that was kept says, in the reader's language; "" if there is none."""
    return tell(Recorded.of(record)) if record else ""
