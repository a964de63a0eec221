"""Offers and licenses for tests, made through the services."""

from uuid import uuid4

from accounts.models import Organization
from ingestion.models import Version
from licensing.models import Grant, Offer
from marketplace import orders, pricing
from tests import factories, sealed


def offer(
    of: Version | None = None,
    *,
    profile: str = "commercial-training",
    amount_minor: int = 4000,
    currency: str = "EUR",
    term_days: int | None = 365,
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
    )


def grant(of: Offer | None = None, buyer: Organization | None = None) -> Grant:
    """A license, bought."""
    of = of or offer()
    buyer = buyer or factories.organization()
    order, _ = orders.place(
        offer=of,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=of.terms_sha256,
        idempotency_key=str(uuid4()),
    )
    return order.grant
