"""Who may see what is offered, and who may see and use a license."""

from typing import Any

from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.permissions import can_buy, is_member
from ingestion.models import Dataset, Version
from ingestion.permissions import dataset_of
from licensing.models import Grant, Offer


@predicate
def was_offered(user: Any, thing: Dataset | Version | None) -> bool:  # noqa: ARG001 - rules'
    """Whether a sealed version, or one of a dataset, was ever offered: before, it is unlisted."""
    if isinstance(thing, Version):
        return thing.is_sealed and Offer.objects.filter(version=thing).exists()
    if thing is None:
        return False
    offers = Offer.objects.filter(version__dataset=thing, version__state=Version.State.SEALED)
    return offers.exists()


@predicate
def is_of_publisher(user: Any, thing: Dataset | Version | None) -> bool:
    """Whether the user belongs to the organization that publishes it."""
    return thing is not None and is_member(user, dataset_of(thing).organization)


@predicate
def is_of_licensee(user: Any, grant: Grant | None) -> bool:
    """Whether the user belongs to the organization that holds the license."""
    return grant is not None and is_member(user, grant.licensee)


@predicate
def may_use(user: Any, grant: Grant | None) -> bool:
    """Whether the user may download for the organization that holds the license."""
    return grant is not None and can_buy(user, grant.licensee)


add_perm("licensing.view_dataset", was_offered | is_of_publisher)
add_perm("licensing.view_grant", is_of_licensee)
add_perm("licensing.use_grant", may_use)
