"""The catalogue: what stands in it, and finding something there."""

from collections.abc import Sequence

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import transaction
from django.db.models import Case, Count, Exists, F, Func, OuterRef, Q, QuerySet, TextField, When
from django.utils import timezone

from ingestion import news
from ingestion.models import Dataset, Version
from ingestion.models import News as IngestionNews
from licensing.models import News as LicensingNews
from licensing.models import Offer
from marketplace.models import Listing

READER = "marketplace.listings"


@transaction.atomic
def refresh(*, dataset: Dataset) -> Listing | None:
    """Make the listing of a dataset anew from what the layers below say; None if it has none.

    A sealed version is unlisted until its first offer; from then on the dataset stands in the
    catalogue, also while nothing of it is offered.
    """
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    version = dataset.versions.filter(offers__isnull=False).newest_sealed()
    if version is None or version.sealed_at is None:
        Listing.objects.filter(dataset=dataset).delete()
        return None
    standing = priced(Offer.objects.open().filter(version=version))
    listing, _ = Listing.objects.update_or_create(
        dataset=dataset,
        defaults={
            "version": version,
            "title": dataset.title,
            "description": dataset.description,
            "publisher": dataset.organization.name,
            "language": version.language,
            "task": version.task,
            "allows": sorted({purpose for offer in standing for purpose in offer.purposes}),
            "duration_ms": version.quality.get("clips_ms", 0),
            "clips": version.quality.get("clips", 0),
            "speakers": version.quality.get("speakers", 0),
            "published_at": version.sealed_at,
            "updated_at": timezone.now(),
        },
    )
    return listing


def priced(offers: QuerySet[Offer]) -> QuerySet[Offer]:
    """Return the offers that have a price, what is free first, then the cheapest of a currency.

    Amounts of two currencies are never compared.
    """
    is_paid = Case(When(price__amount_minor=0, then=0), default=1)
    return (
        offers.filter(price__isnull=False)
        .select_related("price")
        .order_by(is_paid, "price__currency", "price__amount_minor", "pk")
    )


def open_offers(*, version: Version) -> QuerySet[Offer]:
    """Return the offers of a version that can be taken up now."""
    return priced(Offer.objects.open().filter(version=version))


def follow() -> int:
    """Make the listings anew that news touch; return how many datasets that were.

    Raises CursorAhead.
    """
    touched: set[int] = set()
    for feed in (IngestionNews, LicensingNews):
        while True:
            with news.reading(feed, reader=READER) as rows:
                found = {row.dataset_id for row in rows}
                for dataset in with_names(Dataset.objects.filter(pk__in=found)):
                    refresh(dataset=dataset)
            touched |= found
            if not rows:
                break
    return len(touched)


def anew() -> int:
    """Make every listing anew, and go on from the newest news; return how many datasets."""
    for feed in (IngestionNews, LicensingNews):
        news.skip_to_end(feed, reader=READER)
    count = 0
    for dataset in with_names(Dataset.objects.filter(versions__offers__isnull=False)).iterator():
        refresh(dataset=dataset)
        count += 1
    return count


def with_names(datasets: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """Return datasets, each once, with what a listing copies of them."""
    return datasets.select_related("organization").order_by("pk").distinct()


def search(
    *,
    q: str = "",
    language: Sequence[str] = (),
    task: Sequence[str] = (),
    allows: Sequence[str] = (),
    price: Sequence[str] = (),
) -> QuerySet[Listing]:
    """Find listings, best or newest first.

    Any of the languages and tasks will do (`sw` stands for `sw-KE` too); one offer must allow every
    purpose of `allows` for a price of `price` ("free", "paid"). `q` is words in title, publisher
    and description.
    """
    found = Listing.objects.select_related("dataset__organization", "version")
    if language:
        found = found.filter(spoken(language))
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


def spoken(languages: Sequence[str]) -> Q:
    """Return what picks listings in any of these language ranges (RFC 4647, 3.3.1)."""
    picked = Q()
    for tag in languages:
        picked |= Q(language__iexact=tag) | Q(language__istartswith=f"{tag}-")
    return picked


def offered(*, allows: Sequence[str] = (), price: Sequence[str] = ()) -> QuerySet[Offer]:
    """Return the offers behind the listings that allow every purpose, for a price of `price`."""
    found = Offer.objects.open().filter(
        price__isnull=False, version__dataset__listing__version=F("version")
    )
    if allows:
        found = found.filter(purposes__contains=list(allows))
    if set(price) == {"free"}:
        return found.filter(price__amount_minor=0)
    return found.filter(price__amount_minor__gt=0) if set(price) == {"paid"} else found


def look_alikes(*, dataset: Dataset) -> QuerySet[Listing]:
    """Return what others listed earlier under a title that looks the same (accounts.names)."""
    return (
        Listing.objects.filter(
            dataset__look=dataset.look, dataset__created_at__lt=dataset.created_at
        )
        .exclude(dataset__organization=dataset.organization_id)
        .select_related("dataset__organization")
        .order_by("published_at", "pk")
    )


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
