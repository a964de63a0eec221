"""What was looked for in texts, and what was not, in the words of the reader."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from ingestion import releases
from marketplace.templatetags import wording


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
    found = sorted(_(releases.kind_name(name)) for name in names)
    return ", ".join(found) or _("nothing")
