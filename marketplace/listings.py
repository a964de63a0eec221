"""The catalogue: what stands in it, and finding something there."""

from collections.abc import Iterable, Sequence

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import transaction
from django.db.models import Count, Exists, F, Func, OuterRef, Q, QuerySet, TextField
from django.utils import timezone

from ingestion import coverage
from ingestion.models import Dataset, Version
from licensing.models import Offer
from marketplace.models import Listing


@transaction.atomic
def refresh(*, dataset: Dataset) -> Listing | None:
    """Make the listing of a dataset anew from what the layers below say; None if it has none."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    version = dataset.versions.filter(state=Version.State.SEALED).order_by("-number").first()
    if version is None or version.sealed_at is None:
        Listing.objects.filter(dataset=dataset).delete()
        return None
    standing = list(open_offers(version=version))
    allows = sorted({purpose for offer in standing for purpose in offer.purposes})
    priced = [offer.price for offer in standing]
    cheapest = min(priced, key=lambda price: price.amount_minor, default=None)
    listing, _ = Listing.objects.update_or_create(
        dataset=dataset,
        defaults={
            "version": version,
            "title": dataset.title,
            "description": dataset.description,
            "publisher": dataset.organization.name,
            "language": dataset.language,
            "task": dataset.task,
            "allows": allows,
            "denies": sorted(
                {purpose for offer in standing for purpose in offer.terms["denies"]} - set(allows)
            ),
            "is_free": any(price.amount_minor == 0 for price in priced),
            "is_paid": any(price.amount_minor > 0 for price in priced),
            "lowest_total_minor": cheapest.amount_minor if cheapest else None,
            "currency": cheapest.currency if cheapest else "",
            "duration_ms": version.quality.get("clips_ms", 0),
            "clips": version.quality.get("clips", 0),
            "speakers": version.quality.get("speakers", 0),
            "published_at": version.sealed_at,
            "updated_at": timezone.now(),
        },
    )
    return listing


def open_offers(*, version: Version) -> Iterable[Offer]:
    """Return the offers that can be taken up now: open, priced, and still consented to."""
    standing = version.offers.filter(closed_at__isnull=True, price__isnull=False)
    for offer in standing.select_related("price").order_by("price__amount_minor", "pk"):
        if coverage.first_gap(version=version, purposes=offer.purposes) is None:
            yield offer


def refresh_all() -> int:
    """Make every listing anew; return how many datasets were looked at."""
    datasets = Dataset.objects.filter(versions__state=Version.State.SEALED).distinct()
    for dataset in datasets:
        refresh(dataset=dataset)
    return len(datasets)


def search(
    *,
    q: str = "",
    language: Sequence[str] = (),
    task: Sequence[str] = (),
    allows: Sequence[str] = (),
    price: Sequence[str] = (),
) -> QuerySet[Listing]:
    """Find listings, best or newest first.

    Any of the languages and tasks will do; one offer must allow every purpose of `allows` for a
    price of `price` ("free", "paid" or both).
    """
    found = Listing.objects.select_related("dataset__organization", "version")
    if language:
        found = found.filter(language__in=language)
    if task:
        found = found.filter(task__in=task)
    if allows or len(set(price)) == 1:
        found = found.filter(
            Exists(offered(allows=allows, price=price).filter(version=OuterRef("version")))
        )
    words = q.strip()
    if not words:
        return found.order_by("-published_at", "pk")
    query = SearchQuery(words, config="simple", search_type="websearch")
    return (
        found.filter(search=query)
        .annotate(rank=SearchRank(F("search"), query))
        .order_by("-rank", "-published_at", "pk")
    )


def offered(*, allows: Sequence[str] = (), price: Sequence[str] = ()) -> QuerySet[Offer]:
    """Return the offers behind the listings that allow every purpose, for a price of `price`.

    An offer that consent no longer covers has a purpose that its listing does not allow (refresh).
    """
    found = Offer.objects.filter(
        closed_at__isnull=True,
        price__isnull=False,
        version__dataset__listing__version=F("version"),
        purposes__contained_by=F("version__dataset__listing__allows"),
    )
    if allows:
        found = found.filter(purposes__contains=list(allows))
    if set(price) == {"free"}:
        return found.filter(price__amount_minor=0)
    return found.filter(price__amount_minor__gt=0) if set(price) == {"paid"} else found


def count_values(*, listings: QuerySet[Listing], name: str) -> dict[str, int]:
    """Count the values of a column in a selection, the most common first."""
    rows = listings.order_by().values(name).annotate(count=Count("pk")).order_by("-count", name)
    return {row[name]: row["count"] for row in rows}


def count_purposes(
    *, listings: QuerySet[Listing], allows: Sequence[str] = (), price: Sequence[str] = ()
) -> dict[str, int]:
    """Count how many of a selection would still answer if a purpose were asked for as well."""
    purpose = Func(F("purposes"), function="unnest", output_field=TextField())
    rows = (
        offers_of(listings, allows=allows, price=price)
        .annotate(purpose=purpose)
        .values("purpose")
        .annotate(count=Count("version", distinct=True))
    )
    return {row["purpose"]: row["count"] for row in rows}


def count_prices(*, listings: QuerySet[Listing], allows: Sequence[str] = ()) -> dict[str, int]:
    """Count how many of a selection have an offer that allows `allows` and is free, or paid."""
    return offers_of(listings, allows=allows).aggregate(
        free=Count("version", distinct=True, filter=Q(price__amount_minor=0)),
        paid=Count("version", distinct=True, filter=Q(price__amount_minor__gt=0)),
    )


def offers_of(
    listings: QuerySet[Listing], *, allows: Sequence[str] = (), price: Sequence[str] = ()
) -> QuerySet[Offer]:
    """Return the offers behind a selection that answer."""
    found = offered(allows=allows, price=price)
    return found.filter(version__in=listings.order_by().values("version"))
