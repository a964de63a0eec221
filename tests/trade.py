"""Offers, purchases and downloaded releases for tests, made through the services."""

import json
from pathlib import Path
from uuid import uuid4

from accounts.models import Organization
from ingestion import consent
from ingestion.archive.storage import blob_store
from ingestion.models import ConsentRecord, Version
from licensing import access, following, papers
from licensing.models import Grant, Offer
from marketplace import listings, orders, pricing
from marketplace.models import Order
from notary import statements
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


def buy(
    of: Offer, buyer: Organization | None = None, key: str = "k1", *, another: bool = False
) -> Order:
    """An order of the offer, by a new organization unless one is given."""
    buyer = buyer or factories.organization()
    order, _ = orders.place(
        offer=of,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=of.terms_sha256,
        idempotency_key=key,
        another=another,
    )
    return order


def grant(of: Offer | None = None, buyer: Organization | None = None) -> Grant:
    """A license for a year, bought."""
    return buy(of or offer(), buyer, key=str(uuid4())).grant


def write(grant: Grant, folder: Path) -> Path:
    """The release under a grant, written to a folder as a download would."""
    for file in access.published(grant=grant):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with blob_store().open(file.sha256) as blob:
            path.write_bytes(blob.read())
    for paper in papers.of(grant=grant):
        (folder / paper.name).write_bytes(paper.content)
    return folder


def papers_of(grant: Grant) -> dict[str, bytes]:
    """Every paper that comes with a download, by its name."""
    return {paper.name: paper.content for paper in papers.of(grant=grant)}


def follow() -> None:
    """What the worker does within seconds: offers close, listings follow."""
    following.follow()
    listings.follow()


def withdraw(version: Version) -> ConsentRecord:
    """One of the consents that a version rests on, withdrawn just now."""
    record = version.release_consents.order_by("number").first().record
    return consent.withdraw(record=record, by=factories.owner_of(version.dataset.organization))


def statement_of(grant: Grant) -> dict:
    """The statement that was signed for a grant."""
    return json.loads(statements.envelope_of(statement=grant.statement).payload)
