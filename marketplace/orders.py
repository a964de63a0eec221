"""Orders: one click, one transaction: payment, ledger, license and log entry, or none of them."""

import uuid

from commonhold import canonical
from commonhold.errors import CommonholdError
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from licensing import grants
from licensing.grants import Acceptance, Consideration
from licensing.models import Offer
from marketplace import ledger, pricing
from marketplace.models import LedgerTransaction, Order
from marketplace.payments import PaymentProvider, provider

MAX_KEY = 200
ALL_BPS = 10_000


class TermsChanged(CommonholdError):
    """What was accepted is not what is offered."""

    code = "terms-changed"
    status = 409


class IdempotencyConflict(CommonholdError):
    """The key was used before, for another request."""

    code = "idempotency-conflict"
    status = 409


class IdempotencyKeyInvalid(CommonholdError):
    """The request can't be told from its repetitions."""

    code = "idempotency-key-invalid"
    status = 400


class OwnDataset(CommonholdError):
    """An organization needs no license of its own data."""

    code = "own-dataset"
    status = 409


@transaction.atomic
def place(
    *,
    offer: Offer,
    buyer: Organization,
    by: User,
    accept_terms_sha256: str,
    idempotency_key: str,
    method: str = "click",
) -> tuple[Order, bool]:
    """Buy a license once per idempotency key. Returns the order and whether it is new.

    Raises TermsChanged, OfferClosed, OfferBeyondConsent, OwnDataset, IdempotencyConflict.
    """
    if not 1 <= len(idempotency_key) <= MAX_KEY:
        message = (
            f"Send an Idempotency-Key of 1 to {MAX_KEY} characters, so that a repetition "
            "buys nothing twice."
        )
        raise IdempotencyKeyInvalid(message)
    # One organization's orders queue up here, so that a key can't be used twice at once.
    Organization.objects.select_for_update().get(pk=buyer.pk)
    asked = canonical.digest({"offer": offer.pk, "terms": accept_terms_sha256})
    known = Order.objects.filter(buyer=buyer, idempotency_key=idempotency_key).first()
    if known is not None:
        if known.request_sha256 != asked:
            message = (
                "This Idempotency-Key was used for another order. Use a new key for a new order."
            )
            raise IdempotencyConflict(message, order=str(known.pk))
        return known, False
    return buy(
        offer=offer,
        buyer=buyer,
        by=by,
        accepted=accept_terms_sha256,
        key=idempotency_key,
        asked=asked,
        method=method,
    ), True


def buy(
    *, offer: Offer, buyer: Organization, by: User, accepted: str, key: str, asked: str, method: str
) -> Order:
    """Charge, book, license and write the order."""
    quote = pricing.quote(offer=offer)
    contributor = offer.version.dataset.organization
    require_sense(offer=offer, accepted=accepted, buyer=buyer)
    payments = provider()
    reference = charge(payments=payments, quote=quote, key=f"{buyer.pk}:{key}")
    order_id = uuid.uuid4()
    grant = grants.issue(
        offer=offer,
        licensee=buyer,
        by=by,
        consideration=consideration(quote=quote, reference=str(order_id)),
        acceptance=Acceptance(at=timezone.now(), method=method),
    )
    return Order.objects.create(
        pk=order_id,
        buyer=buyer,
        placed_by=by,
        offer=offer,
        idempotency_key=key,
        request_sha256=asked,
        price_minor=quote.price_minor,
        fee_minor=quote.fee_minor,
        total_minor=quote.total_minor,
        currency=quote.currency,
        provider=payments.name,
        provider_reference=reference,
        is_test=payments.is_test,
        ledger_transaction=book(quote=quote, contributor=contributor, buyer=buyer),
        grant=grant,
    )


def require_sense(*, offer: Offer, accepted: str, buyer: Organization) -> None:
    """Raise TermsChanged for terms other than those offered, OwnDataset for one's own data."""
    if accepted != offer.terms_sha256:
        message = "The terms you accepted are not the terms of this offer. Read them again."
        raise TermsChanged(message, terms_sha256=offer.terms_sha256)
    if offer.version.dataset.organization == buyer:
        message = f"{buyer} published this dataset and needs no license for it."
        raise OwnDataset(message)


def charge(*, payments: PaymentProvider, quote: pricing.Quote, key: str) -> str:
    """Take the payment once per key, if there is one; return the provider's reference."""
    if not quote.total_minor:
        return ""
    return payments.charge(
        idempotency_key=key, amount_minor=quote.total_minor, currency=quote.currency
    )


def book(
    *, quote: pricing.Quote, contributor: Organization, buyer: Organization
) -> LedgerTransaction | None:
    """Book the sale, if money moved."""
    if not quote.total_minor:
        return None
    return ledger.record_sale(
        contributor=contributor,
        price_minor=quote.price_minor,
        fee_minor=quote.fee_minor,
        benefit_share_bps=quote.offer.benefit_share_bps,
        currency=quote.currency,
        description=f"License of {quote.offer.version} to {buyer}",
        is_test=quote.is_test,
    )


def consideration(*, quote: pricing.Quote, reference: str) -> Consideration:
    """Say in the manifest's words what was paid, and who gets which part of the price."""
    share = quote.offer.benefit_share_bps
    publisher = quote.offer.version.dataset.organization.name
    shares = [(publisher, ALL_BPS - share)] if share < ALL_BPS else []
    if share:
        shares.append(("pool:consenting-speakers", share))
    return Consideration(
        amount=pricing.decimal_text(quote.price_minor, quote.currency),
        currency=quote.currency,
        reference=reference,
        shares=shares if quote.price_minor else [],
        is_test=quote.is_test,
    )
