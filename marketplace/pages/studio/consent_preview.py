"""What a table of consents would do: whose consents are new, what they cover, what may be sold."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from ingestion import consent
from ingestion.consent import imports
from ingestion.consent.imports import Brought, Imported, Outcome
from ingestion.consent.waiting import Waiting
from ingestion.models import Recording
from ingestion.releases import outlook
from licensing import outlook as licenses
from marketplace.pages.studio import consents
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

SHOWN = 50
"""People and files that are shown; the rest are counted."""


def told(work: Work, sent: Waiting, *, by: User) -> dict[str, Any]:
    """Return what a table would do. Raises as `imports.run` does; nothing is written."""
    rehearsal = imports.rehearsed(
        version=work.version,
        table=sent.table,
        notice_text=sent.notice_text,
        by=by,
        evidence=sent.evidence,
    )
    files = Recording.objects.to_process().filter(files__version=work.version)
    keys = list(files.values_list("pk", flat=True))
    with rehearsal as made:
        found = made.recordings
        after = consents.strips(found[:SHOWN])
        columns = [license_row(column) for column in licenses.columns(outlook=seen(work))]
        bare = len(keys) - len(consent.in_force(recordings=keys))
    before = {strip.recording.pk: strip for strip in consents.strips(found[:SHOWN])}
    people = person_rows(made)
    return {
        "made": made,
        "people": people[:SHOWN],
        "more_people": len(people[SHOWN:]),
        "files": [{"after": strip, "news": news(strip, before)} for strip in after],
        "more_files": len(found[SHOWN:]),
        "bare": bare,
        "licenses": columns,
        "is_early": not is_processed(work),
        "nobody": ", ".join(wording.number(row) for row in made.nobody[:SHOWN]),
    }


def news(strip: consents.Strip, before: dict[int, consents.Strip]) -> str:
    """Say what changes for a file."""
    was = before[strip.recording.pk]
    if (was.covered, was.speakers) == (strip.covered, strip.speakers):
        return _("As before")
    gained = length(strip) - length(was)
    if not gained:
        return _("One more voice, nothing more covered") if was.speakers else _("Covered")
    return _("%(length)s more than before") % {"length": wording.duration(gained)}


def length(strip: consents.Strip) -> int:
    """Return how much of a file is covered, in ms."""
    return sum(end - start for start, end in strip.covered)


def person_rows(made: Imported) -> list[dict[str, Any]]:
    """Return a row for each consent of the table: those first that would be written down."""
    order = list(Outcome)
    each = sorted(made.each, key=lambda one: order.index(one.outcome))
    return [person_row(one) for one in each]


def person_row(one: Brought) -> dict[str, Any]:
    """Return a consent of the table: whose, to what, and what would become of it."""
    words = {
        Outcome.NEW: {"knot": "done", "word": _("Will be recorded")},
        Outcome.KNOWN: {"knot": "waiting", "word": _("Recorded already")},
        Outcome.VOIDED: {"knot": "refused", "word": _("Struck out before, and stays so")},
    }
    return {
        "name": one.speaker.name,
        "is_new": one.is_new_speaker,
        "given_on": one.terms.given_on,
        "purposes": wording.purposes(one.terms.purposes),
        "stretches": len(one.stretches),
        "state": words[one.outcome],
    }


def is_processed(work: Work) -> bool:
    """Whether it is known who is heard in everything that the version would publish."""
    waiting = work.version.files.to_process().filter(recording__intake__isnull=True)
    return not waiting.exists() and work.version.files.to_process().exists()


def seen(work: Work) -> outlook.Outlook:
    """Return what the version would publish, or before processing whose consents it rests on."""
    if is_processed(work):
        return outlook.of(version=work.version)
    return outlook.early(version=work.version)


def license_row(column: licenses.Column) -> dict[str, Any]:
    """Return a license, and who stands in its way."""
    blockers = sorted({block.speaker.name for block in column.blocks})
    return {
        "name": _(column.profile.name),
        "is_possible": column.is_possible,
        "blockers": blockers[:5],
        "more": len(blockers[5:]),
    }
