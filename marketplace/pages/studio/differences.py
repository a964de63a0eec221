"""How a version differs from the sealed one that it began from, told in lines."""

from collections.abc import Iterable
from dataclasses import dataclass

from commonhold import times
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion.models import ConsentRecord
from ingestion.releases import outlook
from ingestion.releases.outlook import Differences
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

MOST_NAMED = 12
"""Things of a kind that are named; of more the number is told."""


@dataclass(frozen=True)
class Line:
    """One kind of difference: what it is, and what it is about."""

    title: str
    things: list[str]
    more: int = 0


@dataclass(frozen=True)
class Told:
    """All that differs; nothing if the version says the very same."""

    start: int
    """The number of the version that it began from."""
    lines: list[Line]


def told(work: Work) -> Told | None:
    """Tell how a version differs from the one before; None if it began with nothing."""
    found = outlook.differences(version=work.version)
    if found is None:
        return None
    return Told(found.start.number, [line for line in lines(found) if line.things])


def lines(found: Differences) -> Iterable[Line]:
    """Tell each kind of difference."""
    yield line(_("New recordings and texts"), [one.name for one in found.added])
    yield line(_("Not in it any more"), [one.name for one in found.removed])
    yield line(_("Decided anew"), [decided(one.name, count) for one, count in found.reviewed])
    yield line(_("Consents that came, changed or ended"), [consent(one) for one in found.consents])
    yield line(_("Left out now"), [one.pseudonym for one in found.left_out])
    yield line(_("Back in again"), [one.pseudonym for one in found.brought_back])


def line(title: str, things: list[str]) -> Line:
    """Return a kind of difference with the first of what it is about."""
    return Line(title, things[:MOST_NAMED], max(0, len(things) - MOST_NAMED))


def decided(name: str, count: int) -> str:
    """Say how often something was decided about a recording."""
    sentence = ngettext("%(name)s: %(count)s time", "%(name)s: %(count)s times", count)
    return sentence % {"name": name, "count": wording.number(count)}


def consent(record: ConsentRecord) -> str:
    """Say what became of a consent."""
    named = {"speaker": record.speaker.pseudonym}
    if record.voided_at:
        return _("%(speaker)s: struck out as a mistake") % named
    if record.withdrawn_at:
        return _("%(speaker)s: withdrawn") % named
    if record.withdrawn_purposes:
        taken = {"purposes": wording.purposes(record.withdrawn_purposes)}
        return _("%(speaker)s: took back %(purposes)s") % (named | taken)
    if record.expires_on and times.has_lapsed(record.expires_on, timezone.now()):
        ended = {"day": wording.day(record.expires_on)}
        return _("%(speaker)s: ran out on %(day)s") % (named | ended)
    return _("%(speaker)s: given") % named
