"""The catalogue: what stands in it, and finding something there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ingestion import coverage
from ingestion.models import Dataset, Version
from licensing.models import Offer
from marketplace.models import Listing


@dataclass(frozen=True)
class Facets:
    """How many listings of a selection have each value."""

    language: dict[str, int]
    task: dict[str, int]
    allows: dict[str, int]
    price: dict[str, int]


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
    """Find listings: every purpose of `allows`, any of the other facets; best or newest first.

    `price` holds "free", "paid" or both.
    """
    found = Listing.objects.select_related("dataset__organization", "version")
    if language:
        found = found.filter(language__in=language)
    if task:
        found = found.filter(task__in=task)
    if allows:
        found = found.filter(allows__contains=list(allows))
    if set(price) == {"free"}:
        found = found.filter(is_free=True)
    elif set(price) == {"paid"}:
        found = found.filter(is_paid=True)
    words = q.strip()
    if not words:
        return found.order_by("-published_at", "pk")
    query = SearchQuery(words, config="simple", search_type="websearch")
    return (
        found.filter(search=query)
        .annotate(rank=SearchRank(F("search"), query))
        .order_by("-rank", "-published_at", "pk")
    )


def facets(*, listings: QuerySet[Listing]) -> Facets:
    """Count the values of a selection, in one query."""
    rows = listings.order_by().values_list("language", "task", "allows", "is_free", "is_paid")
    language: Counter[str] = Counter()
    task: Counter[str] = Counter()
    allows: Counter[str] = Counter()
    price: Counter[str] = Counter()
    for one_language, one_task, purposes, is_free, is_paid in rows:
        language[one_language] += 1
        task[one_task] += 1
        allows.update(purposes)
        price.update(["free"] * is_free + ["paid"] * is_paid)
    return Facets(dict(language.most_common()), dict(task.most_common()), dict(allows), dict(price))
