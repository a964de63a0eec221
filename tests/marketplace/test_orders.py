"""Buying: one click, one transaction, and a release that proves itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from commonhold.verify import verify
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from licensing import access, grants
from licensing.models import Grant, Offer
from licensing.offers import OfferBeyondConsent, OfferClosed, OfferExists
from marketplace import ledger, money, orders, pricing
from marketplace.models import LedgerEntry, LedgerTransaction, Order
from notary.models import LogEntry
from tests import at_once, clock, factories, sealed
from tests.trade import buy, offer, statement_of, withdraw, write

pytestmark = pytest.mark.django_db


def test_a_bought_release_verifies_offline(tmp_path):
    order = buy(offer(term_days=365))
    report = verify(write(order.grant, tmp_path), first_use=True)
    unlike = {name: check for name, check in report.vector.items() if check.state != "ok"}
    # Offline nobody can ask whether it was revoked.
    assert {name: check.details["revocation"] for name, check in unlike.items()} == {
        "license": "not-asked"
    }
    assert report.passed


def test_a_sale_moves_money_from_buyer_to_contributor_speakers_and_platform():
    of = offer(
        profile="commercial-training-benefit-share", amount_minor=10_000, benefit_share_bps=2500
    )
    order = buy(of)
    sides = {entry.account: entry.amount_minor for entry in order.ledger_transaction.entries.all()}
    assert sides == {
        "clearing": 10_500,
        "contributor": -7_500,
        "benefit-pool": -2_500,
        "platform-fee": -500,
    }
    assert ledger.earnings(organization=of.version.dataset.organization) == [
        ledger.Earning("EUR", 7_500, 2_500)
    ]


def test_the_manifest_says_test_and_how_the_price_is_shared():
    order = buy(offer(profile="commercial-training-benefit-share", amount_minor=10_000))
    grant = statement_of(order.grant)["predicate"]["grant"]
    assert grant["price"]["test"] is True
    assert grant["price"]["amount"] == "100.00"
    assert {share["payee"]: share["bps"] for share in grant["revenueShares"]} == {
        order.offer.version.dataset.organization.name: 8500,
        "pool:consenting-speakers": 1500,
    }
    assert order.is_test
    assert order.grant.is_test


def test_a_free_license_moves_no_money():
    order = buy(offer(profile="CC-BY-4.0", amount_minor=0, term_days=None))
    assert (order.total_minor, order.ledger_transaction) == (0, None)
    assert not LedgerEntry.objects.exists()


def test_the_same_key_buys_once():
    of, buyer = offer(), factories.organization()
    first = buy(of, buyer)
    again, created = orders.place(
        offer=of,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=of.terms_sha256,
        idempotency_key="k1",
    )
    assert (again, created) == (first, False)
    assert Grant.objects.count() == LedgerTransaction.objects.count() == 1


def test_the_same_key_for_another_offer_is_refused():
    version, buyer = sealed.version(), factories.organization()
    buy(offer(of=version), buyer)
    other = offer(profile="CC-BY-4.0", amount_minor=0, term_days=None, of=version)
    with pytest.raises(orders.IdempotencyConflict):
        buy(other, buyer)
    assert Order.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_buy_once():
    of, buyer = offer(), factories.organization()

    def click(_: int) -> Order:
        try:
            return buy(of, buyer)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as clicks:
        bought = set(clicks.map(click, range(20)))
    assert len(bought) == 1
    assert Order.objects.count() == LedgerTransaction.objects.count() == 1


def test_what_one_holds_is_not_bought_again_by_accident():
    of = offer()
    first = buy(of, key="k1")

    with pytest.raises(orders.AlreadyHeld, match="holds this license already") as refused:
        buy(of, first.buyer, key="k2")
    assert refused.value.details["grant"] == str(first.grant_id)
    assert Order.objects.count() == Grant.objects.count() == 1

    second = buy(of, first.buyer, key="k2", another=True)
    assert second.grant_id != first.grant_id


def test_a_new_offer_of_the_same_license_is_not_bought_by_accident_either():
    of = offer(amount_minor=4000)
    first = buy(of, key="k1")
    pricing.close_offer(offer=of, by=factories.owner_of(of.version.dataset.organization))
    again = offer(of.version, amount_minor=3000)

    with pytest.raises(orders.AlreadyHeld):
        buy(again, first.buyer, key="k2")


def test_a_license_that_was_revoked_can_be_bought_again():
    of = offer()
    first = buy(of, key="k1")
    grants.revoke(grant=first.grant, by=first.placed_by)

    assert buy(of, first.buyer, key="k2").grant_id != first.grant_id


def test_a_license_whose_term_is_over_can_be_bought_again(monkeypatch):
    of = offer(term_days=30)
    first = buy(of, key="k1")
    clock.on(clock.in_days(31), monkeypatch)

    assert buy(of, first.buyer, key="k2").grant_id != first.grant_id


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_buy_one_license():
    of, buyer = offer(), factories.organization()

    ended = at_once.all_of(
        *(lambda key=f"tab{number}": buy(of, buyer, key=key) for number in range(6))
    )

    assert [type(one) for one in ended].count(Order) == 1
    assert [type(one) for one in ended].count(orders.AlreadyHeld) == 5
    assert Grant.objects.count() == 1


def test_accepting_other_terms_than_those_offered_buys_nothing():
    of = offer()
    buyer = factories.organization()
    with pytest.raises(orders.TermsChanged):
        orders.place(
            offer=of,
            buyer=buyer,
            by=factories.owner_of(buyer),
            accept_terms_sha256="0" * 64,
            idempotency_key="k",
        )
    assert not Order.objects.exists()


def test_a_closed_offer_sells_nothing():
    of = offer()
    pricing.close_offer(offer=of, by=factories.owner_of(of.version.dataset.organization))
    with pytest.raises(OfferClosed):
        buy(of)


def test_consent_withdrawn_after_the_offer_stops_the_sale_whole():
    of = offer()
    logged = LogEntry.objects.count()
    withdraw(of.version)
    with pytest.raises(OfferBeyondConsent, match="withdrew consent"):
        buy(of)
    assert not Order.objects.exists()
    assert not LedgerTransaction.objects.exists()
    assert LogEntry.objects.count() == logged


def test_an_organization_buys_no_license_of_its_own_data():
    of = offer()
    with pytest.raises(orders.OwnDataset):
        buy(of, of.version.dataset.organization)


def test_withdrawn_consent_stops_the_next_download():
    order = buy(offer())
    access.require(grant=order.grant)
    withdraw(order.grant.version)
    with pytest.raises(access.ConsentNotInForce, match="withdrew consent"):
        access.require(grant=order.grant)


def test_a_revoked_license_downloads_nothing():
    order = buy(offer())
    grants.revoke(grant=order.grant, by=order.placed_by)
    order.grant.refresh_from_db()
    with pytest.raises(access.GrantNotInForce, match="was revoked"):
        access.require(grant=order.grant)


def test_an_offer_beyond_consent_names_file_speaker_and_purpose():
    version = sealed.version(purposes=("speech-recognition", "research"))
    with pytest.raises(OfferBeyondConsent) as refusal:
        offer(of=version)
    details = refusal.value.details
    assert details["purpose"] == "commercial"
    assert details["speaker"] == "p-0001"
    assert details["path"] == version.files.get().recording.name
    assert not Offer.objects.exists()


def test_a_buyer_is_not_told_the_names_of_original_files():
    of = offer()
    withdraw(of.version)
    with pytest.raises(OfferBeyondConsent, match="audio/r0001/") as refusal:
        buy(of)
    assert of.version.files.get().recording.name not in refusal.value.message


def test_one_license_is_offered_once_at_a_time():
    of = offer()
    with pytest.raises(OfferExists):
        offer(of=of.version)
    by = factories.owner_of(of.version.dataset.organization)
    pricing.close_offer(offer=of, by=by)
    assert offer(of=of.version).is_open


@pytest.mark.parametrize("amount_minor", [-1, 10**12 + 1])
def test_an_absurd_price_is_refused(amount_minor):
    with pytest.raises(pricing.InvalidPrice):
        offer(amount_minor=amount_minor)


def test_an_open_license_can_not_cost_money():
    with pytest.raises(pricing.InvalidPrice, match="would mislead"):
        offer(profile="CC0-1.0", amount_minor=100, term_days=None)


def test_the_database_refuses_a_transaction_that_does_not_sum_to_zero():
    sale = LedgerTransaction.objects.create(description="wrong")
    LedgerEntry.objects.create(transaction=sale, account="clearing", amount_minor=5, currency="EUR")
    with (
        pytest.raises(IntegrityError, match="does not sum to zero"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # The row itself goes with this test; in a transaction of its own it would never have come.
    LedgerEntry.objects.create(
        transaction=sale, account="platform-fee", amount_minor=-5, currency="EUR"
    )


@pytest.mark.parametrize("table", ["ledgerentry", "ledgertransaction"])
def test_the_database_refuses_to_edit_the_ledger(table):
    buy(offer())
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DELETE FROM marketplace_{table}")  # noqa: S608


def test_the_database_refuses_to_change_granted_terms():
    order = buy(offer())
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=order.offer_id).update(terms_text="anything goes")
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.filter(pk=order.grant_id).update(valid_until=None, licensee_name="me")
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(total_minor=1, price_minor=1, fee_minor=0)


@given(
    price=st.integers(0, 10**12),
    share=st.integers(1, 10_000),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_every_sale_sums_to_zero_and_leaves_nobody_owing(price, share, currency):
    fee = pricing.fee(price)
    pool = price * share // 10_000
    assert 0 <= fee <= price // 20 + 1
    assert 0 <= pool <= price
    assert (price + fee) - (price - pool) - pool - fee == 0
    assert money.parse(money.decimal_text(price, currency), currency) == price


@pytest.mark.parametrize("text", ["", "abc", "1.005", "NaN", "Infinity", "1e-9"])
def test_an_amount_that_is_no_amount_is_refused(text):
    with pytest.raises(money.InvalidAmount):
        money.parse(text, "EUR")


def test_a_limited_license_ends_on_its_day():
    order = buy(offer(term_days=30))
    grant = order.grant
    assert grant.valid_until is not None
    assert (grant.valid_until - grant.valid_from).days == 30
    assert access.state(grant=grant, at=grant.valid_until).license == "expired"


def test_consent_that_runs_out_closes_the_download():
    version = sealed.version(expires_on=date(2126, 1, 1))
    grant = buy(offer(of=version)).grant
    assert access.state(grant=grant).consent == "given"
    later = grant.valid_from.replace(year=2126)
    assert access.state(grant=grant, at=later).consent == "expired"
