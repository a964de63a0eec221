"""Offers, purchases and downloaded releases for tests, made through the services."""

from pathlib import Path
from uuid import uuid4

from accounts.models import Organization
from ingestion.models import Version
from ingestion.storage import blob_store
from licensing import access
from licensing.models import Grant, Offer
from marketplace import orders, pricing
from marketplace.models import Order
from tests import factories, sealed


def offer(
    of: Version | None = None,
    *,
    profile: str = "commercial-training",
    amount_minor: int = 4000,
    currency: str = "EUR",
    term_days: int | None = 365,
    benefit_share_bps: int | None = None,
) -> Offer:
    """An open offer of a sealed version, listed."""
    of = of or sealed.version()
    return pricing.publish_offer(
        version=of,
        profile=profile,
        amount_minor=amount_minor,
        currency=currency,
        by=factories.owner_of(of.dataset.organization),
        term_days=term_days,
        benefit_share_bps=benefit_share_bps,
    )


def buy(of: Offer, buyer: Organization | None = None, key: str = "k1") -> Order:
    """An order of the offer, by a new organization unless one is given."""
    buyer = buyer or factories.organization()
    order, _ = orders.place(
        offer=of,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=of.terms_sha256,
        idempotency_key=key,
    )
    return order


def grant(of: Offer | None = None, buyer: Organization | None = None) -> Grant:
    """A license for a year, bought."""
    return buy(of or offer(), buyer, key=str(uuid4())).grant


def write(grant: Grant, folder: Path) -> Path:
    """The release under a grant, written to a folder as a download would."""
    for file in access.release(grant=grant):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.content is None:
            with blob_store().open(file.sha256) as blob:
                path.write_bytes(blob.read())
        else:
            path.write_bytes(file.content)
    return folder
