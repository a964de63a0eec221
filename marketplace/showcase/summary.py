"""A dataset as the catalogue, the API and the doors sum it up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Prefetch, QuerySet

from accounts.models import Organization
from ingestion.models import Dataset, Version
from licensing.models import Offer
from marketplace import listings
from marketplace.models import Listing


@dataclass(frozen=True)
class Summary:
    """What a dataset is, what of it is shown, and what may be done with it."""

    organization: Organization
    slug: str
    title: str
    description: str
    language: str
    task: str
    version: int | None
    state: str | None
    duration_ms: int
    clips: int
    speakers: int
    allows: list[str]
    offers: list[Offer]
    url: str


def of_dataset(*, dataset: Dataset, version: Version | None, offers: Iterable[Offer]) -> Summary:
    """Sum up a dataset by one of its versions; offers are those that can be taken up."""
    found = list(offers)
    quality = version.quality if version else {}
    sealed = version is not None and version.is_sealed
    return Summary(
        organization=dataset.organization,
        slug=dataset.slug,
        title=dataset.title,
        description=dataset.description,
        language=version.language if version and sealed else dataset.language,
        task=version.task if version and sealed else dataset.task,
        version=version.number if version else None,
        state=version.state if version else None,
        duration_ms=quality.get("clips_ms", 0),
        clips=quality.get("clips", 0),
        speakers=quality.get("speakers", 0),
        allows=sorted({purpose for offer in found for purpose in offer.purposes}),
        offers=found,
        url=f"{settings.SITE_URL}/d/{dataset}",
    )


def of_listing(listing: Listing) -> Summary:
    """Sum up a listing that was read `with_offers`."""
    offers: list[Offer] = listing.version.answering  # type: ignore[attr-defined]  # a prefetch's name
    return of_dataset(dataset=listing.dataset, version=listing.version, offers=offers)


def with_offers(
    found: QuerySet[Listing], *, allows: Sequence[str] = (), price: Sequence[str] = ()
) -> QuerySet[Listing]:
    """Read along the offers that answer a question, in one query, in the catalogue's order."""
    offers = listings.priced(listings.offered(allows=allows, price=price))
    answering = Prefetch("version__offers", queryset=offers, to_attr="answering")
    return found.prefetch_related(answering)
