"""The ledger: what each sale moved, and what is owed to whom."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from accounts.models import Organization
from marketplace.models import LedgerEntry, LedgerTransaction

ALL_BPS = 10_000
Account = LedgerEntry.Account


@dataclass(frozen=True)
class Earning:
    """What is owed in one currency, in minor units."""

    currency: str
    owed_minor: int
    pool_minor: int


@transaction.atomic
def record_sale(
    *,
    contributor: Organization,
    price_minor: int,
    fee_minor: int,
    benefit_share_bps: int,
    currency: str,
    description: str,
    is_test: bool,
) -> LedgerTransaction:
    """Write a sale down: paid in by the buyer; owed to contributor, speakers and platform."""
    pool = price_minor * benefit_share_bps // ALL_BPS
    sides = [
        (Account.CLEARING, None, price_minor + fee_minor),
        (Account.CONTRIBUTOR, contributor, -(price_minor - pool)),
        (Account.BENEFIT_POOL, contributor, -pool),
        (Account.PLATFORM_FEE, None, -fee_minor),
    ]
    sale = LedgerTransaction.objects.create(description=description[:200], is_test=is_test)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            transaction=sale,
            account=account,
            organization=organization,
            amount_minor=amount,
            currency=currency,
        )
        for account, organization, amount in sides
        if amount
    )
    return sale


def earnings(*, organization: Organization) -> list[Earning]:
    """Add up what is owed to an organization and to its speakers, per currency."""
    sums = (
        LedgerEntry.objects.filter(organization=organization)
        .values("currency", "account")
        .annotate(total=Sum("amount_minor"))
        .order_by("currency")
    )
    owed: dict[str, dict[str, int]] = {}
    for row in sums:
        owed.setdefault(row["currency"], {})[row["account"]] = -row["total"]
    return [
        Earning(currency, found.get(Account.CONTRIBUTOR, 0), found.get(Account.BENEFIT_POOL, 0))
        for currency, found in owed.items()
    ]
