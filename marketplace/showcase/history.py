"""What was done to a dataset, as its contributors are told it."""

from django.db.models import Model, QuerySet

from accounts import audit
from accounts.models import AuditEntry
from ingestion.models import Dataset, Decision

BUYING = "order."
"""Verbs of buying: between the licensee and the site. That a license was given is told apart."""
GRANTED = "grant.issued"
Act = Decision.Act
DECISIONS = tuple(
    f"review.{act}"
    for act in (Act.DECIDE, Act.MARK, Act.CORRECT, Act.READ, Act.LEAVE_OUT, Act.BRING_BACK)
)
"""Verbs of what a reviewer does by the hundred, one stretch at a time."""


def of_dataset(
    *, dataset: Dataset, about: Model | None = None, decisions: bool = True
) -> QuerySet[AuditEntry]:
    """Return what was done to a dataset and what belongs to it, the newest first.

    Of one version or recording alone if `about` is one; without what is decided stretch by stretch
    if `decisions` is false.
    """
    found = audit.history(of=dataset).exclude(verb__startswith=BUYING)
    if about is not None:
        found = found.filter(about__contains=[audit.place(about)])
    return found if decisions else found.exclude(verb__in=DECISIONS)


def actor_of(entry: AuditEntry) -> str:
    """Say who did it. Of a license taken: the organization, not its people."""
    if entry.verb == GRANTED:
        return str(entry.copies["licensee"])
    return entry.actor
