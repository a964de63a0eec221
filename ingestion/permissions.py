"""Who may see and change what: from the membership of the organization that owns the dataset."""

from collections.abc import Callable
from typing import Any

from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.models import Organization
from accounts.permissions import can_contribute, is_member
from ingestion.models import ConsentRecord, Dataset, File, Finding, Segment, Upload, Version

Owned = Dataset | Version | File | Upload | Segment | Finding | ConsentRecord


def dataset_of(thing: Owned) -> Dataset:
    """Return the dataset that a row belongs to."""
    match thing:
        case Dataset():
            return thing
        case Version() | ConsentRecord():
            return thing.dataset
        case File() | Upload():
            return thing.version.dataset
        case Segment():
            return thing.file.version.dataset
        case Finding():
            return thing.segment.file.version.dataset


def of_owner(allowed: Callable[[Any, Organization | None], bool]) -> Any:
    """Apply a predicate on organizations to the owner of a row of ours."""

    @predicate(f"{allowed}_of_owner")
    def on_owner(user: Any, thing: Owned | None) -> bool:
        return thing is not None and allowed(user, dataset_of(thing).organization)

    return on_owner


@predicate
def is_published(user: Any, thing: Owned | None) -> bool:  # noqa: ARG001 - rules' signature
    """Whether anybody may see the dataset or version."""
    if isinstance(thing, Version):
        return thing.is_sealed
    return isinstance(thing, Dataset) and thing.versions.filter(state="sealed").exists()


add_perm("ingestion.view_dataset", is_published | of_owner(is_member))
add_perm("ingestion.view_originals", of_owner(can_contribute))
add_perm("ingestion.change_dataset", of_owner(can_contribute))
