"""Following the news from below: offers close when what they rest on ends."""

from collections.abc import Iterable

from django.db import transaction

from accounts import audit
from ingestion import news
from ingestion.consent import coverage
from ingestion.models import News
from licensing import offers
from licensing.models import Offer

READER = "licensing.offers"
ENDS = frozenset(
    {
        News.Kind.WITHDRAWN,
        News.Kind.CONSENT_WITHDRAWN,
        News.Kind.CONSENT_NARROWED,
        News.Kind.CONSENT_VOIDED,
        News.Kind.CONSENT_ERASED,
        News.Kind.CONSENT_EXPIRED,
    }
)


def follow() -> int:
    """Read the news that were not read yet and close what they end; return how many there were.

    Raises CursorAhead.
    """
    read = 0
    while True:
        with news.reading(News, reader=READER) as rows:
            touched = {row.version_id for row in rows if row.kind in ENDS and row.version_id}
            if touched:
                close_beyond_consent(versions=touched)
        if not rows:
            return read
        read += len(rows)


@transaction.atomic
def close_beyond_consent(*, versions: Iterable[int]) -> None:
    """Close the offers of versions that their consents do not cover any more, or all they have.

    All are locked before the first is closed: who tells news lets nobody else tell any, so a
    purchase that holds an offer must not be waited for then.
    """
    standing = Offer.objects.filter(version__in=list(versions), closed_at__isnull=True)
    held = standing.select_for_update(of=("self",)).select_related("version").order_by("pk")
    for offer in list(held):
        if not offer.version.is_sealed:
            offers.close(offer=offer, by=audit.SITE, because=Offer.Closed.VERSION)
        elif coverage.first_gap(version=offer.version, purposes=offer.purposes) is not None:
            offers.close(offer=offer, by=audit.SITE, because=Offer.Closed.CONSENT)


def anew() -> None:
    """Look at every version with open offers, and go on from the newest news."""
    news.skip_to_end(News, reader=READER)
    standing = Offer.objects.filter(closed_at__isnull=True).order_by("version")
    for version in standing.values_list("version", flat=True).distinct().iterator():
        close_beyond_consent(versions=[version])
