"""Prices: what an offer costs, and the fee on top."""

from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings
from django.db import transaction

from accounts.models import User
from ingestion.models import Version
from licensing import offers, profiles
from licensing.models import Offer
from marketplace import listings
from marketplace.models import Price
from marketplace.money import CURRENCIES
from marketplace.payments import provider

MAX_AMOUNT_MINOR = 10**12
ALL_BPS = 10_000


class InvalidPrice(CommonholdError):
    """A price that can't be asked."""

    code = "invalid-price"
    status = 422


@dataclass(frozen=True)
class Quote:
    """What a license costs now, in the minor unit of the currency."""

    offer: Offer
    price_minor: int
    fee_minor: int
    currency: str
    is_test: bool

    @property
    def total_minor(self) -> int:
        """What the buyer pays."""
        return self.price_minor + self.fee_minor


@transaction.atomic
def publish_offer(
    *,
    version: Version,
    profile: str,
    amount_minor: int,
    currency: str,
    by: User,
    term_days: int | None = None,
    benefit_share_bps: int | None = None,
) -> Offer:
    """Make an offer with its price and list it. Raises as offers.make does, and InvalidPrice."""
    check_price(profile=profile, amount_minor=amount_minor, currency=currency)
    offer = offers.make(
        version=version,
        profile=profile,
        by=by,
        term_days=term_days,
        benefit_share_bps=benefit_share_bps,
    )
    Price.objects.create(offer=offer, amount_minor=amount_minor, currency=currency)
    listings.refresh(dataset=version.dataset)
    return offer


@transaction.atomic
def close_offer(*, offer: Offer, by: User) -> Offer:
    """Close an offer and take it off the listing."""
    offer = offers.close(offer=offer, by=by)
    listings.refresh(dataset=offer.version.dataset)
    return offer


def check_price(*, profile: str, amount_minor: int, currency: str) -> None:
    """Raise InvalidPrice unless the amount can be asked under the license."""
    if currency not in CURRENCIES:
        sentence = _("«%(currency)s» is not taken. Choose one of %(currencies)s.")
        raise InvalidPrice(
            sentence, field="currency", currency=currency, currencies=", ".join(CURRENCIES)
        )
    if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
        sentence = _("A price is zero or more, and at most ten thousand million.")
        raise InvalidPrice(sentence, field="amount_minor")
    if amount_minor and not profiles.get(profile).may_cost:
        sentence = _(
            "%(license)s lets anyone pass the data on for nothing, so a price would mislead. Set "
            "it to zero."
        )
        raise InvalidPrice(sentence, field="amount_minor", license=profile)


def quote(*, offer: Offer) -> Quote:
    """Return what the license costs now. Raises OfferClosed."""
    if not offer.is_open or not offer.version.is_sealed:
        sentence = _("The offer of %(version)s is closed. Look for a newer one on its page.")
        raise offers.OfferClosed(sentence, version=str(offer.version))
    price = offer.price
    return Quote(
        offer=offer,
        price_minor=price.amount_minor,
        fee_minor=fee(price.amount_minor),
        currency=price.currency,
        is_test=provider().is_test,
    )


def fee(amount_minor: int) -> int:
    """Return the platform's fee on an amount: PLATFORM_FEE_BPS of it, half up, never a fraction."""
    return (amount_minor * settings.PLATFORM_FEE_BPS + ALL_BPS // 2) // ALL_BPS
