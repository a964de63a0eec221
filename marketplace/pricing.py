"""Prices: what an offer costs, the fee on top, and how amounts are written."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from commonhold.errors import CommonholdError
from django.conf import settings
from django.db import transaction

from accounts.models import User
from ingestion.models import Version
from licensing import offers
from licensing.models import Offer
from marketplace import listings
from marketplace.models import Price
from marketplace.payments import provider

# Digits after the point, ISO 4217; what is not named here has two.
EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "UGX": 0,
    "RWF": 0,
    "XOF": 0,
    "XAF": 0,
    "CLP": 0,
    "TND": 3,
    "KWD": 3,
}
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
CURRENCIES = ("EUR", "USD", "GBP", "KES", "UGX", "TZS", "NGN", "ZAR", "XOF", "INR", "MXN", "JPY")
MAX_AMOUNT_MINOR = 10**12
ALL_BPS = 10_000
OPEN_PROFILES = frozenset({"CC0-1.0", "CC-BY-4.0"})


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
        message = f"«{currency}» is not taken. Choose one of {', '.join(CURRENCIES)}."
        raise InvalidPrice(message, field="currency")
    if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
        message = "A price is zero or more, and at most ten thousand million."
        raise InvalidPrice(message, field="amount_minor")
    if amount_minor and profile in OPEN_PROFILES:
        message = (
            f"{profile} lets anyone pass the data on for nothing, so a price would "
            "mislead. Set it to zero."
        )
        raise InvalidPrice(message, field="amount_minor")


def quote(*, offer: Offer) -> Quote:
    """Return what the license costs now. Raises OfferClosed."""
    if not offer.is_open or not offer.version.is_sealed:
        message = f"The offer of {offer.version} is closed. Look for a newer one on its page."
        raise offers.OfferClosed(message)
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


def decimal_text(amount_minor: int, currency: str) -> str:
    """Write an amount as a decimal string, such as 490.00."""
    exponent = EXPONENTS.get(currency, 2)
    return str(Decimal(amount_minor).scaleb(-exponent)) if exponent else str(amount_minor)


def money(amount_minor: int, currency: str) -> str:
    """Write an amount for people: €40.00, KES 1,200.00."""
    exponent = EXPONENTS.get(currency, 2)
    number = f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f}"
    return f"{SYMBOLS[currency]}{number}" if currency in SYMBOLS else f"{currency} {number}"


def parse_money(text: str, currency: str) -> int:
    """Read a decimal amount as minor units, exactly. Raises InvalidPrice."""
    exponent = EXPONENTS.get(currency, 2)
    try:
        scaled = Decimal(text.strip()).scaleb(exponent)
    except InvalidOperation:
        scaled = Decimal("0.5")
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        message = (
            f"«{text}» is not an amount in {currency}; write it like "
            f"{decimal_text(12000, currency)}."
        )
        raise InvalidPrice(message, field="amount")
    return int(scaled)
