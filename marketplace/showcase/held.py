"""The licenses that an organization holds, each with whether it can be used now."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Organization
from licensing import access
from licensing.access import AccessState
from licensing.models import Grant


@dataclass(frozen=True)
class Held:
    """A license and its state at this moment."""

    grant: Grant
    state: AccessState


def grants() -> QuerySet[Grant]:
    """Return grants with what is told of them; not what was signed, which is heavy."""
    return Grant.objects.select_related(
        "offer__price",
        "version__dataset__organization",
        "licensee",
        "statement__entry",
        "order",
    ).defer("statement__envelope", "statement__entry__body")


def by(*, licensee: Organization | None) -> QuerySet[Grant]:
    """Return what an organization holds, the newest first; nothing for nobody."""
    return grants().filter(licensee=licensee).order_by("-issued_at", "pk")


def find(*, grant_id: UUID) -> Grant | None:
    """Return a grant, or None."""
    return grants().filter(pk=grant_id).first()


def with_states(found: Sequence[Grant]) -> list[Held]:
    """Return grants with their states, asking about the consents once."""
    states = access.states(grants=found)
    return [Held(grant, states[grant.pk]) for grant in found]
