"""What was looked for in texts, and what was not, in the words of the reader."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.templatetags import wording

KINDS = {
    "address": gettext_lazy("addresses"),
    "birth-date": gettext_lazy("dates of birth"),
    "card": gettext_lazy("card numbers"),
    "description": gettext_lazy("descriptions by which somebody can be known"),
    "email": gettext_lazy("email addresses"),
    "handle": gettext_lazy("account names"),
    "iban": gettext_lazy("bank accounts"),
    "id-number": gettext_lazy("identity numbers"),
    "ip": gettext_lazy("network addresses"),
    "name": gettext_lazy("names of people"),
    "number-plate": gettext_lazy("number plates"),
    "phone": gettext_lazy("phone numbers"),
    "url": gettext_lazy("web addresses"),
}


def told(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Say of each language what was looked for, what of it said aloud as well, and what was not.

    `rows` come from `releases.looked_for`, or from the quality figures of what was sealed.
    """
    return [
        {
            "language": wording.language(row["language"]),
            "looked_for": kinds(row["lookedFor"]),
            "spoken": kinds(row["lookedForSpoken"]),
            "missing": kinds(row["notLookedFor"]),
        }
        for row in rows
    ]


def kinds(names: Iterable[str]) -> str:
    """Name kinds of personal data, one after the other."""
    found = sorted(str(KINDS.get(name, name.replace("-", " "))) for name in names)
    return ", ".join(found) or _("nothing")
