"""Who may see and change what: from the membership of the organization that owns the dataset."""

from collections.abc import Callable
from typing import Any

from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.models import Organization
from accounts.permissions import can_contribute, is_member
from ingestion.models import (
    ConsentRecord,
    Dataset,
    File,
    Finding,
    Recording,
    Segment,
    Speaker,
    Upload,
    Version,
)

Owned = Dataset | Version | Recording | File | Upload | Segment | Finding | ConsentRecord | Speaker


def dataset_of(thing: Owned) -> Dataset:
    """Return the dataset that a row belongs to."""
    match thing:
        case Dataset():
            return thing
        case Version() | ConsentRecord() | Recording() | Speaker():
            return thing.dataset
        case File() | Upload():
            return thing.version.dataset
        case Segment():
            return thing.recording.dataset
        case Finding():
            return thing.segment.recording.dataset


def of_owner(allowed: Callable[[Any, Organization | None], bool]) -> Any:
    """Apply a predicate on organizations to the owner of a row of ours."""

    @predicate(f"{allowed}_of_owner")
    def on_owner(user: Any, thing: Owned | None) -> bool:
        return thing is not None and allowed(user, dataset_of(thing).organization)

    return on_owner


# Who may see a dataset in public is decided above, where offers are known.
add_perm("ingestion.view_dataset", of_owner(is_member))
add_perm("ingestion.view_originals", of_owner(can_contribute))
add_perm("ingestion.change_dataset", of_owner(can_contribute))
