"""Passwords that somebody who knows the site would try first (ASVS 6.1.2, 6.2.11)."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User

WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        admin administrator archive audio commonhold community consent contributor data dataset
        editor language letmein license marketplace operator organization owner passphrase password
        qwerty radio recording root secret speaker station steward trainer voice welcome
        """,
    )
)
"""Words of the product and of those who use it; the parts of the site's name come to them."""
LEAST_OTHER = 6
"""Letters that have to be left of a password that has such words in it, without them."""


class ContextValidator:
    """Refuses what consists of context words, digits and signs, and of little else."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's
        """Raise ValidationError for a password that is mostly such words."""
        rest = password.lower()
        found = [word for word in sorted(words(), key=len, reverse=True) if word in rest]
        for word in found:
            rest = rest.replace(word, "")
        if found and sum(character.isalpha() for character in rest) < LEAST_OTHER:
            sentence = _("Words like «%(word)s» are close at hand here. Add others to them.")
            raise ValidationError(sentence, code="password_too_near", params={"word": found[0]})

    def get_help_text(self) -> str:
        """Say it beside the field."""
        return _("Your password can't consist of words that are close at hand here.")


def words() -> frozenset[str]:
    """Return the words, with the parts of the site's own name."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    return WORDS | {part for part in host.lower().split(".") if len(part) > 3}
