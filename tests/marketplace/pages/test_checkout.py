"""Buying: everything before the click, one click, and whatever changed in between."""

import re
from html import unescape
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.test import Client

from accounts import organizations
from accounts.models import Organization, Role
from licensing.models import Grant, Offer
from marketplace import pricing
from marketplace.models import Order
from tests import factories, letters, sealed, trade
from tests.signing_in import browser_of, prove

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab() -> Organization:
    return factories.organization("Example Speech GmbH")


@pytest.fixture
def buyer(lab: Organization) -> Client:
    return browser_of(factories.owner_of(lab))


def form(offer: Offer, lab: Organization, **changes: str) -> dict[str, str]:
    quote = pricing.quote(offer=offer)
    return {
        "idempotency_key": str(uuid4()),
        "total": f"{quote.total_minor} {quote.currency}",
        "licensee": lab.slug,
        "accept": offer.terms_sha256,
    } | changes


def test_everything_stands_on_the_page_before_the_click(buyer: Client):
    offer = trade.offer()
    page = buyer.get(f"/checkout/{offer.pk}").content.decode()
    publisher = offer.version.dataset.organization.name
    for words in (publisher, "€40", "€2", "€42", "TEST", "Example Speech GmbH", "This text binds"):
        assert words in page
    assert offer.terms_sha256 in page
    assert "License for €42 a year" in page


def test_one_click_buys_and_leads_to_the_license(buyer: Client, lab: Organization):
    offer = trade.offer()
    answer = buyer.post(f"/checkout/{offer.pk}", form(offer, lab))
    grant = Grant.objects.get(licensee=lab)
    assert (answer.status_code, answer["Location"]) == (302, f"/library/{grant.pk}")
    assert "This is a TEST" in buyer.get(answer["Location"]).content.decode()


def test_nothing_is_paid_in_a_browser_that_was_left_open(buyer: Client, lab: Organization):
    offer, person = trade.offer(), factories.owner_of(lab)
    prove(buyer, person, seconds_ago=3600)
    here = f"/checkout/{offer.pk}"
    asked = buyer.post(here, form(offer, lab))
    assert unquote(asked["Location"]) == f"/accounts/reauthenticate/?next={here}"
    body = {"offer": offer.pk, "accept_terms_sha256": offer.terms_sha256}
    headers = {"Idempotency-Key": "one"}
    refused = buyer.post("/api/v1/orders", body, "application/json", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "proof-too-old")
    assert not Order.objects.exists()
    proof = {"password": factories.PASSWORD, "next": here}
    bought = buyer.post("/accounts/reauthenticate/", proof)
    assert bought["Location"] == f"/library/{Grant.objects.get(licensee=lab).pk}"


def test_what_is_free_is_licensed_without_asking_again(buyer: Client, lab: Organization):
    offer = trade.offer(amount_minor=0)
    prove(buyer, factories.owner_of(lab), seconds_ago=3600)
    assert "/library/" in buyer.post(f"/checkout/{offer.pk}", form(offer, lab))["Location"]


def test_the_same_click_twice_buys_once(buyer: Client, lab: Organization):
    offer = trade.offer()
    click = form(offer, lab)
    first, second = (buyer.post(f"/checkout/{offer.pk}", click) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_a_repeated_click_finds_its_license_also_after_the_offer_closed(
    buyer: Client, lab: Organization
):
    offer = trade.offer()
    click = form(offer, lab)
    first = buyer.post(f"/checkout/{offer.pk}", click)
    pricing.close_offer(offer=offer, by=factories.owner_of(offer.version.dataset.organization))
    assert buyer.post(f"/checkout/{offer.pk}", click)["Location"] == first["Location"]


def test_nothing_is_bought_without_accepting(buyer: Client, lab: Organization):
    offer = trade.offer()
    click = form(offer, lab)
    del click["accept"]
    answer = buyer.post(f"/checkout/{offer.pk}", click)
    assert answer.status_code == 422
    assert "nothing was bought" in answer.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"total": "4000 EUR"}, "The price has changed"),
        ({"accept": "0" * 64}, "The terms have changed"),
        ({"licensee": "somebody-else"}, "Nothing was bought"),
    ],
)
def test_what_is_not_as_it_was_shown_is_shown_again(
    buyer: Client, lab: Organization, changes: dict[str, str], words: str
):
    offer = trade.offer()
    answer = buyer.post(f"/checkout/{offer.pk}", form(offer, lab, **changes))
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert not Order.objects.exists()


def test_a_replaced_offer_shows_its_successor_and_buys_nothing(buyer: Client, lab: Organization):
    offer = trade.offer(amount_minor=4000)
    owner = factories.owner_of(offer.version.dataset.organization)
    click = form(offer, lab)
    pricing.close_offer(offer=offer, by=owner)
    dearer = trade.offer(offer.version, amount_minor=6000)
    answer = buyer.post(f"/checkout/{offer.pk}", click)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "has changed since you opened this page" in page
    assert "License for €63 a year" in page
    assert f"/checkout/{dearer.pk}" in page
    assert not Order.objects.exists()


def test_a_closed_offer_without_a_successor_is_gone(buyer: Client):
    offer = trade.offer()
    owner = factories.owner_of(offer.version.dataset.organization)
    pricing.close_offer(offer=offer, by=owner)
    answer = buyer.get(f"/checkout/{offer.pk}")
    assert answer.status_code == 410
    assert "no longer offered" in answer.content.decode()


def test_a_withdrawal_before_the_click_stops_it(buyer: Client, lab: Organization):
    offer = trade.offer()
    click = form(offer, lab)
    trade.withdraw(offer.version)
    answer = buyer.post(f"/checkout/{offer.pk}", click)
    assert answer.status_code == 409
    assert not Order.objects.exists()


def test_visitors_sign_in_and_come_back():
    offer = trade.offer()
    answer = Client().get(f"/checkout/{offer.pk}")
    assert answer["Location"] == f"/accounts/login/?next=/checkout/{offer.pk}"


def test_a_newcomer_joins_in_the_middle_of_checkout_and_lands_back_in_it():
    here = f"/checkout/{trade.offer().pk}"
    browser = Client()
    door = browser.get(here, follow=True).content.decode()
    joining = re.search(r'href="(/accounts/signup/\?[^"]*)"', door)
    assert joining is not None
    form = browser.get(unescape(joining[1])).content.decode()
    onward = re.search(r'name="next" value="([^"]+)"', form)
    assert onward is not None
    browser.post("/accounts/signup/", {"email": "max@plain.example", "next": onward[1]})
    who = {"name": "Max", "password1": factories.PASSWORD, "organization": "Plain Speech"}
    joined = browser.post(letters.link("max@plain.example"), who, follow=True)
    assert joined.redirect_chain == [(here, 302)]
    assert "The license goes to" in joined.content.decode()


def test_an_editor_learns_who_can_buy(lab: Organization):
    anna = factories.user("anna@lab.example", "Anna Weiss")
    organizations.join(organization=lab, user=anna, role=Role.BUYER)
    offer = trade.offer()
    client = browser_of(factories.member(lab, Role.EDITOR))
    page = client.get(f"/checkout/{offer.pk}").content.decode()
    assert "anna@lab.example" in page
    assert "License for €42" not in page
    assert client.post(f"/checkout/{offer.pk}", form(offer, lab)).status_code == 403
    assert not Order.objects.exists()


def test_the_publisher_needs_no_license_of_its_own():
    offer = trade.offer()
    owner = factories.owner_of(offer.version.dataset.organization)
    assert "needs no license" in browser_of(owner).get(f"/checkout/{offer.pk}").content.decode()


def test_a_person_without_an_organization_is_told_where_to_found_one():
    offer = trade.offer()
    page = browser_of(factories.user()).get(f"/checkout/{offer.pk}").content.decode()
    assert "Licenses belong to organizations" in page


def test_there_is_nothing_under_a_number_that_is_no_offer(buyer: Client):
    assert buyer.get("/checkout/999999").status_code == 404


def test_free_licenses_say_so_and_cost_nothing(buyer: Client, lab: Organization):
    offer = trade.offer(profile="research-only", amount_minor=0)
    assert "License for free" in buyer.get(f"/checkout/{offer.pk}").content.decode()
    buyer.post(f"/checkout/{offer.pk}", form(offer, lab))
    assert Order.objects.get().total_minor == 0


def test_a_license_that_is_held_already_is_pointed_out(buyer: Client, lab: Organization):
    offer = trade.offer()
    grant = trade.grant(offer, lab)
    page = buyer.get(f"/checkout/{offer.pk}").content.decode()
    assert "You hold this license already" in page
    assert f"/library/{grant.pk}" in page


def test_what_is_held_is_bought_again_only_by_saying_so(buyer: Client, lab: Organization):
    offer = trade.offer()
    trade.grant(offer, lab)

    refused = buyer.post(f"/checkout/{offer.pk}", form(offer, lab))
    assert refused.status_code == 409
    assert "Nothing was bought: say that you want another one" in refused.content.decode()
    assert 'name="another"' in refused.content.decode()
    assert Order.objects.count() == 1

    again = buyer.post(f"/checkout/{offer.pk}", form(offer, lab, another="1"))
    assert again.status_code == 302
    assert Order.objects.count() == 2


def test_the_term_is_that_of_the_offer(buyer: Client):
    offer = trade.offer(sealed.version(), term_days=90)
    assert "License for €42 for 90 days" in buyer.get(f"/checkout/{offer.pk}").content.decode()
