"""Orders: one click, one transaction: license, log entry, ledger and order, or none of them."""

import uuid
from dataclasses import dataclass
from typing import Any

from commonhold import canonical
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import audit, locks
from accounts.models import Organization, User
from licensing import grants
from licensing.grants import Acceptance, Consideration
from licensing.models import Grant, Offer
from marketplace import ledger, money, pricing
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


class AlreadyHeld(CommonholdError):
    """The organization holds this license already, and did not say that it wants another."""

    code = "already-held"
    status = 409


class OwnDataset(CommonholdError):
    """An organization needs no license of its own data."""

    code = "own-dataset"
    status = 409


@dataclass(frozen=True)
class Wish:
    """What somebody wants to buy, for whom, on which terms, and how they said so."""

    offer: Offer
    buyer: Organization
    by: User
    accepted: str
    """SHA-256 of the terms that they read."""
    key: str
    asked: str
    """SHA-256 of what the key stands for."""
    method: str
    another: bool


def place(
    *,
    offer: Offer,
    buyer: Organization,
    by: User,
    accept_terms_sha256: str,
    idempotency_key: str,
    method: str = "click",
    another: bool = False,
) -> tuple[Order, bool]:
    """Buy a license once per idempotency key. Returns the order and whether it is new.

    What the buyer holds already is bought again only as `another`. Raises TermsChanged,
    OfferClosed, OfferBeyondConsent, OwnDataset, AlreadyHeld, IdempotencyConflict.
    """
    if not 1 <= len(idempotency_key) <= MAX_KEY:
        sentence = _(
            "Send an Idempotency-Key of 1 to %(most)s characters, so that a repetition buys "
            "nothing twice."
        )
        raise IdempotencyKeyInvalid(sentence, most=MAX_KEY)
    asked = canonical.digest({"offer": offer.pk, "terms": accept_terms_sha256})
    if (known := placed_before(buyer=buyer, key=idempotency_key, asked=asked)) is not None:
        return known, False
    wish = Wish(
        offer, buyer, by, accept_terms_sha256, idempotency_key, asked, method, another=another
    )
    try:
        with transaction.atomic():
            return buy(wish), True
    except PlacedMeanwhile:
        known = placed_before(buyer=buyer, key=idempotency_key, asked=asked)
        if known is None:
            raise
        return known, False


class PlacedMeanwhile(Exception):
    """The same order was placed while this one was being signed: nothing of this one stays."""


def placed_before(*, buyer: Organization, key: str, asked: str) -> Order | None:
    """Return the order of this key, or None. Raises IdempotencyConflict for another request."""
    known = Order.objects.filter(buyer=buyer, idempotency_key=key).first()
    if known is not None and known.request_sha256 != asked:
        sentence = _(
            "This Idempotency-Key was used for another order. Use a new key for a new order."
        )
        raise IdempotencyConflict(sentence, order=str(known.pk))
    return known


def require_new(wish: Wish) -> None:
    """Raise PlacedMeanwhile if there is an order of this key by now."""
    if placed_before(buyer=wish.buyer, key=wish.key, asked=wish.asked) is not None:
        raise PlacedMeanwhile


def buy(wish: Wish) -> Order:
    """Charge, license, book and write the order.

    What takes time, signing above all, comes before the lock under which orders of one
    organization queue up, so that a key can't be used twice at once.
    """
    offer, buyer = wish.offer, wish.buyer
    quote = pricing.quote(offer=offer)
    require_sense(offer=offer, accepted=wish.accepted, buyer=buyer)
    grants.require_open(offer)
    hold(offer=offer, buyer=buyer)
    require_new(wish)
    require_lack(wish)
    payments = provider()
    reference = charge(payments=payments, quote=quote, key=f"{buyer.pk}:{wish.key}")
    order_id = uuid.uuid4()
    grant = grants.issue(
        offer=offer,
        licensee=buyer,
        by=wish.by,
        consideration=consideration(quote=quote, reference=str(order_id)),
        acceptance=Acceptance(at=timezone.now(), method=wish.method),
    )
    Organization.objects.select_for_update().get(pk=buyer.pk)
    require_new(wish)
    return kept(
        pk=order_id,
        buyer=buyer,
        placed_by=wish.by,
        offer=offer,
        idempotency_key=wish.key,
        request_sha256=wish.asked,
        price_minor=quote.price_minor,
        fee_minor=quote.fee_minor,
        total_minor=quote.total_minor,
        currency=quote.currency,
        provider=payments.name,
        provider_reference=reference,
        is_test=payments.is_test,
        ledger_transaction=book(quote=quote, buyer=buyer),
        grant=grant,
    )


def kept(**facts: Any) -> Order:
    """Write an order, and write down who bought what, and for how much."""
    order = Order.objects.create(**facts)
    version = order.offer.version
    audit.note(
        by=order.placed_by,
        verb="order.placed",
        about=(order, version, version.dataset, version.dataset.organization, order.buyer),
        version=str(version),
        total=f"{money.decimal_text(order.total_minor, order.currency)} {order.currency}",
    )
    return order


def require_sense(*, offer: Offer, accepted: str, buyer: Organization) -> None:
    """Raise TermsChanged for terms other than those offered, OwnDataset for one's own data."""
    if accepted != offer.terms_sha256:
        sentence = _("The terms you accepted are not the terms of this offer. Read them again.")
        raise TermsChanged(sentence, terms_sha256=offer.terms_sha256)
    if offer.version.dataset.organization == buyer:
        sentence = _("%(organization)s published this dataset and needs no license for it.")
        raise OwnDataset(sentence, organization=str(buyer))


def hold(*, offer: Offer, buyer: Organization) -> None:
    """Let orders of one license by one organization queue up until this transaction ends."""
    locks.hold(f"order {buyer.pk} {offer.version_id} {offer.profile}")


def held(*, offer: Offer, buyer: Organization) -> Grant | None:
    """Return the newest license in force that is what an offer sells, or None."""
    same = Grant.objects.filter(
        licensee=buyer, version=offer.version_id, offer__profile=offer.profile
    )
    return same.in_force().order_by("-issued_at").first()


def require_lack(wish: Wish) -> None:
    """Raise AlreadyHeld if the buyer holds what the offer sells, and did not ask for another."""
    if not wish.another and (grant := held(offer=wish.offer, buyer=wish.buyer)):
        sentence = _(
            "%(organization)s holds this license already, since %(day)s. Nothing was bought: say "
            "that you want another one, if you do."
        )
        raise AlreadyHeld(
            sentence, organization=wish.buyer.name, day=grant.issued_at.date(), grant=str(grant.pk)
        )


def charge(*, payments: PaymentProvider, quote: pricing.Quote, key: str) -> str:
    """Take the payment once per key, if there is one; return the provider's reference."""
    if not quote.total_minor:
        return ""
    return payments.charge(
        idempotency_key=key, amount_minor=quote.total_minor, currency=quote.currency
    )


def book(*, quote: pricing.Quote, buyer: Organization) -> LedgerTransaction | None:
    """Book the sale, if money moved."""
    if not quote.total_minor:
        return None
    return ledger.record_sale(
        contributor=quote.offer.version.dataset.organization,
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
        amount=money.decimal_text(quote.price_minor, quote.currency),
        currency=quote.currency,
        reference=reference,
        shares=shares if quote.price_minor else [],
        is_test=quote.is_test,
    )
