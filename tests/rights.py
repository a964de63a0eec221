"""Offers and licenses without a price: what licensing knows, and nothing above it."""

from django.utils import timezone

from accounts.models import Organization
from ingestion.models import Version
from licensing import grants, offers
from licensing.models import Grant, Offer
from tests import factories, sealed


def offer(of: Version | None = None, *, profile: str = "research-only", **choices) -> Offer:
    """An open offer of a sealed version."""
    of = of or sealed.version()
    by = factories.owner_of(of.dataset.organization)
    return offers.make(version=of, profile=profile, by=by, **choices)


def grant(of: Offer | None = None, licensee: Organization | None = None, **options) -> Grant:
    """A license of an offer, to a new organization unless one is given."""
    licensee = licensee or factories.organization()
    return grants.issue(
        offer=of or offer(),
        licensee=licensee,
        by=factories.owner_of(licensee),
        consideration=grants.Consideration("0.00", "EUR", "nothing was paid", **options),
        acceptance=grants.Acceptance(timezone.now(), "api"),
    )
