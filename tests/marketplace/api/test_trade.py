"""Offers, quotes and orders over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from ingestion import consent
from ingestion.models import ConsentRecord
from licensing import profiles
from licensing.models import Grant, Offer
from marketplace import ledger
from marketplace.models import LedgerTransaction, Order
from notary.models import LogEntry
from tests import factories, sealed
from tests.marketplace.api.callers import client, client_of, follow, problem, publish

pytestmark = pytest.mark.django_db
URL = "/api/v1/datasets/radio-valley/morning"
EUR = {"amount_minor": 4000, "currency": "EUR"}


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def lab():
    return factories.organization("Speech Lab")


@pytest.fixture
def release(station):
    return sealed.version(sealed.dataset(station, slug="morning"))


@pytest.fixture
def editor(station):
    return client_of(station)


@pytest.fixture
def trainer(lab):
    return client_of(lab)


@pytest.fixture
def offer(release, station):
    return publish(release, factories.owner_of(station))


def order(by, offer: Offer, key: str | None = None, **changes: object):
    """Place an order."""
    body = {"offer": offer.pk, "accept_terms_sha256": offer.terms_sha256} | changes
    headers = {} if key == "" else {"Idempotency-Key": key or str(uuid4())}
    return by.post("/api/v1/orders", body, headers=headers)


def nothing_was_bought() -> bool:
    """No order, no grant, no money, and in the log nothing but the seal."""
    rows = (Order, Grant, LedgerTransaction)
    return not any(row.objects.exists() for row in rows) and LogEntry.objects.count() == 1


def test_an_offer_says_what_it_costs_and_allows(release, editor):
    asked = {"profile": "commercial-training", "price": EUR, "term_days": 365}
    answer = editor.post(f"{URL}/offers", asked)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["price"], made["fee_minor"], made["total_minor"]) == (EUR, 200, 4200)
    assert made["license"] == {
        "id": "https://w3id.org/commonhold/licenses/commercial-training/1.0",
        "name": "Commercial training",
        "spdx": "LicenseRef-Commonhold-Commercial-Training-1.0",
    }
    assert (made["version"], made["term_days"], made["active"]) == (1, 365, True)
    assert made["summary"].startswith("A company may train models")
    assert made["closed_because"] is None
    assert "commercial" in made["allows"]
    assert "voice-cloning" in made["denies"]
    assert client().get(f"{URL}/offers").json()["results"] == [made]
    assert client().get(URL).json()["offers"] == [made]


def test_an_offer_puts_the_dataset_into_the_catalogue(release, editor):
    editor.post(f"{URL}/offers", {"profile": "research-only", "price": EUR})
    found = client().get("/api/v1/datasets?allows=research&price=paid").json()
    assert [row["slug"] for row in found["results"]] == ["morning"]
    assert client().get("/api/v1/datasets?allows=commercial").json()["count"] == 0


def test_an_offer_beyond_consent_names_file_speaker_and_purpose(station, editor):
    sealed.version(sealed.dataset(station, slug="morning"), purposes=("research", "evaluation"))
    answer = editor.post(f"{URL}/offers", {"profile": "commercial-training", "price": EUR})
    found = problem(answer, 409, "offer-beyond-consent", "p-0001", "morning", "commercial")
    assert found["purpose"] == "commercial"
    assert not Offer.objects.exists()


def test_an_offer_of_what_was_withdrawn_is_refused(release, editor):
    consent.withdraw(record=ConsentRecord.objects.first(), by=factories.user())
    answer = editor.post(f"{URL}/offers", {"profile": "research-only", "price": EUR})
    problem(answer, 409, "offer-beyond-consent", "withdrew consent")


def test_only_what_is_sealed_is_offered(station, editor):
    sealed.dataset(station, slug="morning")
    answer = editor.post(f"{URL}/offers", {"profile": "CC0-1.0", "price": EUR})
    problem(answer, 409, "not-sealed", "radio-valley/morning")


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"profile": "do-what-you-like"}, "unknown-license", "do-what-you-like"),
        ({"price": {"amount_minor": -1, "currency": "EUR"}}, "invalid-price", "zero"),
        ({"price": {"amount_minor": 1, "currency": "XTS"}}, "invalid-price", "XTS"),
        (
            {"price": {"amount_minor": "1.5", "currency": "EUR"}},
            "invalid-request",
            "price.amount_minor",
        ),
        ({"price": 40}, "invalid-request", "price"),
        ({"price": None}, "invalid-request", "price"),
        ({"profile": "CC0-1.0"}, "invalid-price", "CC0-1.0"),
        ({"profile": "CC-BY-4.0", "term_days": 9}, "invalid-price", "CC-BY-4.0"),
        ({"term_days": 0}, "invalid-terms", "one day"),
        ({"benefit_share_bps": 1500}, "invalid-terms", "benefit share"),
    ],
)
def test_an_offer_that_cannot_be_made_says_why(release, editor, change, code, word):
    asked = {"profile": "commercial-training", "price": EUR} | change
    problem(editor.post(f"{URL}/offers", asked), 422, code, word)
    assert not Offer.objects.exists()


def test_offers_stand_in_the_order_of_the_catalogue(release, station, editor):
    owner = factories.owner_of(station)
    publish(release, owner, "commercial-training", amount_minor=9000)
    publish(release, owner, "CC-BY-4.0", amount_minor=0)
    publish(release, owner, "research-only", amount_minor=100)
    order_of_them = ["CC-BY-4.0", "research-only", "commercial-training"]
    listed = client().get("/api/v1/datasets").json()["results"][0]["offers"]
    shown = client().get(URL).json()["offers"]
    own = client().get(f"{URL}/offers").json()["results"]
    for found in (listed, shown, own):
        assert [row["profile"] for row in found] == order_of_them


def test_what_an_offer_says_of_its_license_stays_when_the_catalogue_changes(offer, monkeypatch):
    before = client().get(f"/api/v1/offers/{offer.pk}").json()
    monkeypatch.setattr(profiles, "BY_SLUG", {})
    assert client().get(f"/api/v1/offers/{offer.pk}").json() == before


def test_whoever_sells_or_closes_asks_for_the_news_to_be_followed(
    release, editor, trainer, told_workers
):
    with told_workers() as told:
        made = editor.post(f"{URL}/offers", {"profile": "research-only", "price": EUR}).json()
    assert told == [("follow_news_task", ())]
    offer = Offer.objects.get(pk=made["id"])
    with told_workers() as told:
        order(trainer, offer, "once")
        order(trainer, offer, "once")
    assert told == [("follow_news_task", ())]
    with told_workers() as told:
        editor.delete(f"/api/v1/offers/{offer.pk}")
    assert told == [("follow_news_task", ())]


def test_one_license_is_offered_once(offer, editor):
    again = editor.post(f"{URL}/offers", {"profile": "commercial-training", "price": EUR})
    problem(again, 409, "offer-exists", "Commercial training")


def test_a_closed_offer_can_no_longer_be_taken_up(offer, editor, trainer):
    closed = editor.delete(f"/api/v1/offers/{offer.pk}").json()
    assert (closed["active"], closed["closed_because"]) == (False, "publisher")
    problem(client().get(f"/api/v1/offers/{offer.pk}/quote"), 409, "offer-closed")
    problem(order(trainer, offer), 409, "offer-closed")
    assert client().get(URL).json()["offers"] == []
    assert nothing_was_bought()


def test_a_quote_shows_the_text_whose_digest_is_accepted(offer):
    found = client().get(f"/api/v1/offers/{offer.pk}/quote").json()
    assert (found["price_minor"], found["fee_minor"], found["total_minor"]) == (4000, 200, 4200)
    assert (found["currency"], found["test"]) == ("EUR", True)
    assert found["terms_text"] == offer.terms_text
    assert found["terms_sha256"] == offer.terms_sha256
    assert found["offer"]["id"] == offer.pk


def test_an_order_pays_licenses_and_logs_at_once(offer, station, trainer):
    answer = order(trainer, offer)
    assert answer.status_code == 201
    bought = answer.json()
    assert (bought["state"], bought["total_minor"], bought["currency"]) == ("paid", 4200, "EUR")
    assert bought["test"] is True
    assert trainer.get(f"/api/v1/orders/{bought['id']}").json() == bought
    grants = trainer.get("/api/v1/grants").json()["results"]
    assert [grant["id"] for grant in grants] == [bought["grant"]]
    assert ledger.earnings(organization=station)[0].owed_minor == 4000
    assert LogEntry.objects.count() == 2


def test_a_repeated_order_is_the_same_order(offer, trainer):
    first, again = (order(trainer, offer, "once") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Order.objects.count() == Grant.objects.count() == 1


def test_what_is_held_is_ordered_again_only_as_another(offer, trainer):
    first = order(trainer, offer).json()

    refused = order(trainer, offer)
    assert (refused.status_code, refused.json()["code"]) == (409, "already-held")
    assert refused.json()["grant"] == first["grant"]
    assert Order.objects.count() == Grant.objects.count() == 1

    assert order(trainer, offer, another=True).status_code == 201


def test_a_repeated_order_is_answered_after_the_offer_closed(offer, editor, trainer):
    first = order(trainer, offer, "once")
    editor.delete(f"/api/v1/offers/{offer.pk}")
    assert order(trainer, offer, "once").json() == first.json()


def test_a_key_used_for_another_order_is_refused(offer, release, station, trainer):
    other = publish(release, factories.owner_of(station), "research-only")
    first = order(trainer, offer, "once").json()
    found = problem(order(trainer, other, "once"), 409, "idempotency-conflict")
    assert found["order"] == first["id"]
    assert Order.objects.count() == 1


def test_two_organizations_may_use_one_key(offer, trainer):
    other = client_of(factories.organization("Other Lab"))
    assert order(trainer, offer, "once").json()["id"] != order(other, offer, "once").json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_an_order_needs_an_idempotency_key(offer, trainer, key):
    problem(order(trainer, offer, key), 400, "idempotency-key-invalid", "Idempotency-Key")
    assert nothing_was_bought()


def test_terms_that_were_not_read_are_not_accepted(offer, trainer):
    answer = order(trainer, offer, accept_terms_sha256="0" * 64)
    assert problem(answer, 409, "terms-changed")["terms_sha256"] == offer.terms_sha256
    assert nothing_was_bought()


@pytest.mark.parametrize("digest", ["", "yes", None, "A" * 64])
def test_an_order_that_accepts_nothing_is_refused(offer, trainer, digest):
    answer = order(trainer, offer, accept_terms_sha256=digest)
    problem(answer, 422, "invalid-request", "accept_terms_sha256")
    assert nothing_was_bought()


@pytest.mark.parametrize("number", [0, -1, 10**18, "one", None, 10**40])
def test_an_order_of_an_offer_that_is_not_there_is_refused(offer, trainer, number):
    body = {"offer": number, "accept_terms_sha256": offer.terms_sha256}
    answer = trainer.post("/api/v1/orders", body, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 422, answer.json()
    assert "offer" in answer.json()["detail"]
    assert nothing_was_bought()


def test_ones_own_dataset_needs_no_license(offer, editor):
    problem(order(editor, offer), 409, "own-dataset", "Radio Valley")
    assert nothing_was_bought()


def test_nothing_is_sold_after_a_withdrawal(offer, trainer):
    consent.withdraw(record=ConsentRecord.objects.first(), by=factories.user())
    problem(order(trainer, offer), 409, "offer-beyond-consent", "withdrew consent")
    assert nothing_was_bought()
    assert client().get(URL).json()["offers"] == []
    assert client().get(f"/api/v1/offers/{offer.pk}").json()["active"] is False
    follow()
    assert client().get(f"/api/v1/offers/{offer.pk}").json()["closed_because"] == "consent"


def test_nothing_is_sold_after_consent_ran_out(station, trainer, monkeypatch):
    tomorrow = timezone.localdate() + timedelta(days=1)
    version = sealed.version(sealed.dataset(station, slug="morning"), expires_on=tomorrow)
    offer = publish(version, factories.owner_of(station))
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    problem(order(trainer, offer), 409, "offer-beyond-consent", "only until")
    assert nothing_was_bought()


def test_a_free_license_moves_no_money(release, station, trainer):
    offer = publish(release, factories.owner_of(station), "CC-BY-4.0", amount_minor=0)
    bought = order(trainer, offer).json()
    assert bought["total_minor"] == 0
    assert not LedgerTransaction.objects.exists()


def test_licenses_are_told_of_with_text_and_machine_readable_terms(db):
    found = client().get("/api/v1/licenses").json()["results"]
    assert [row["profile"] for row in found] == [
        "CC0-1.0",
        "CC-BY-4.0",
        "research-only",
        "commercial-training",
        "commercial-training-benefit-share",
    ]
    assert [row["may_cost"] for row in found] == [False, False, True, True, True]
    one = client().get("/api/v1/licenses/research-only").json()
    assert "commercial" in one["denies"]
    assert one["text"]
    assert one["odrl"]
    problem(client().get("/api/v1/licenses/none"), 404, "not-found")
