"""What of a dataset is public, and to whom: a sealed version is unlisted until it is offered."""

from django.db.models import Exists, OuterRef, QuerySet
from rules.permissions import has_perm

from ingestion.models import Dataset, Version
from licensing.models import Offer


def find(*, user: object, organization: str, slug: str) -> Dataset | None:
    """Return a dataset that a reader may see, or None: there or not looks the same."""
    dataset = (
        Dataset.objects.filter(organization__slug=organization, slug=slug)
        .select_related("organization")
        .first()
    )
    visible = dataset is not None and has_perm("licensing.view_dataset", user, dataset)
    return dataset if visible else None


def is_member(*, user: object, dataset: Dataset) -> bool:
    """Whether a reader belongs to the organization that publishes a dataset."""
    return bool(has_perm("accounts.view_organization", user, dataset.organization))


def versions(*, dataset: Dataset, is_member: bool) -> QuerySet[Version]:
    """Return the sealed versions that a reader may see, the newest first.

    Strangers see those that were offered, members all; `is_offered` says which.
    """
    offers = Offer.objects.filter(version=OuterRef("pk"))
    sealed = dataset.versions.sealed().annotate(is_offered=Exists(offers)).order_by("-number")
    return sealed if is_member else sealed.filter(is_offered=True)


def newest(*, dataset: Dataset, is_member: bool) -> Version | None:
    """Return the version that a reader is shown unless they ask for another one.

    That is the newest that was offered; members without one see the newest sealed.
    """
    seen = versions(dataset=dataset, is_member=is_member)
    return seen.filter(offers__isnull=False).first() or seen.first()
