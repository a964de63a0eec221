"""Telling a refusal in the reader's language: where codes with parameters become sentences."""

from typing import Any

from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import told
from django.utils.translation import gettext, ngettext


def tell(error: CommonholdError) -> str:
    """Return what a refusal says, in the reader's language."""
    return tell_sentence(error.sentence, error.details)


def tell_sentence(sentence: str, parameters: dict[str, object]) -> str:
    """Return a sentence with its parameters, in the reader's language."""
    return told(sentence, parameters, translate=gettext, counted=ngettext)


def tell_record(record: dict[str, Any] | None) -> str:
    """Return what a refusal that was kept says, in the reader's language; "" if there is none."""
    return tell(Recorded.of(record)) if record else ""
