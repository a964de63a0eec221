"""Offers, purchases and downloaded releases that tests stand on."""

from pathlib import Path

from accounts.models import Organization
from ingestion.storage import blob_store
from licensing import access
from licensing.models import Grant, Offer
from marketplace import orders, pricing
from marketplace.models import Order
from tests import factories, sealed


def offer(profile: str = "commercial-training", amount_minor: int = 4000, **terms) -> Offer:
    """An open offer; of a new sealed version unless `version` is given."""
    version = terms.pop("version", None) or sealed.version()
    by = factories.owner_of(version.dataset.organization)
    return pricing.publish_offer(
        version=version, profile=profile, amount_minor=amount_minor, currency="EUR", by=by, **terms
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
