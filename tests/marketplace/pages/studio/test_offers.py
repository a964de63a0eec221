"""Choosing a license and a price, what consent refuses, and what was earned."""

import pytest
from django.test import Client

from licensing import profiles
from licensing.models import Offer
from marketplace import orders
from marketplace.models import Listing
from tests import factories, sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address
from tests.signing_in import prove

TRAINING = "commercial-training"
SHARED = "commercial-training-benefit-share"


@pytest.fixture
def version(station):
    return sealed.version(sealed.dataset(station), purposes=sealed.TRAINING)


def seen(profile, **choices):
    return profiles.compile_terms(profile=profiles.get(profile), **choices).sha256


def offer(browser, version, profile=TRAINING, **typed):
    typed = {"amount": "40.50", "currency": "EUR", "term_days": "365"} | typed
    if "seen_sha256" not in typed:
        typed["seen_sha256"] = seen(profile, term_days=365)
    return browser.post(address(version, "new_offer", profile), typed)


def test_a_version_that_is_not_sealed_has_nothing_to_offer(browser, station):
    version = stages.in_review(sealed.dataset(station))
    assert "Nothing to offer yet" in browser.get(address(version, "offers")).content.decode()
    assert browser.get(address(version, "new_offer", TRAINING)).status_code == 404


def test_every_license_is_told_with_what_stands_in_its_way(browser, version):
    page = browser.get(address(version, "offers"))
    found = {one["profile"].slug: one["blockers"] for one in page.context["profiles"]}
    assert not found[TRAINING]
    told = [(one.pseudonym, one.why) for one in found["CC0-1.0"]]
    why = "did not agree to: Passing it on"
    assert told == [("p-0001", why), ("p-0002", why)]
    assert why in page.content.decode()


def test_the_text_that_binds_is_shown_before_it_is_published(browser, version):
    page = browser.get(address(version, "new_offer", TRAINING)).content.decode()
    assert "This text binds" in page
    assert "Publish the offer" in page


def test_no_price_is_set_in_a_browser_that_was_left_open(browser, contributor, version):
    prove(browser, contributor, seconds_ago=3600)
    assert "/accounts/reauthenticate/" in offer(browser, version)["Location"]
    dataset = version.dataset
    refused = browser.post(f"/api/v1/datasets/{dataset.organization.slug}/{dataset.slug}/offers")
    assert (refused.status_code, refused.json()["code"]) == (403, "proof-too-old")
    assert not Offer.objects.exists()
    place = address(version, "new_offer", TRAINING)
    proof = {"password": factories.PASSWORD, "next": place}
    answer = browser.post("/accounts/reauthenticate/", proof)
    assert answer["Location"] == address(version, "offers")
    assert Offer.objects.get().price.amount_minor == 4050


def test_an_offer_is_published_at_an_exact_price(browser, version):
    assert offer(browser, version).status_code == 302
    made = Offer.objects.get()
    assert (made.price.amount_minor, made.price.currency, made.term_days) == (4050, "EUR", 365)
    assert made.terms_sha256 == seen(TRAINING, term_days=365)
    assert Listing.objects.get().version == version


def test_the_listing_follows_an_offer_and_its_end(
    browser, version, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as asked:
        offer(browser, version)
        browser.post(address(version, "close_offer", Offer.objects.get().pk))
    assert len(asked) == 2


def test_offers_are_told_by_the_names_that_they_were_made_with(browser, version):
    offer(browser, version)
    bought(version)
    made = Offer.objects.get()
    for page in (browser.get(address(version, "offers")), browser.get("/studio/earnings/")):
        assert made.name in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ({"amount": "40,5"}, 4050),
        ({"amount": "0"}, 0),
        ({"amount": "1200", "currency": "UGX"}, 1200),
    ],
)
def test_prices_are_read_in_the_smallest_unit_of_their_currency(browser, version, typed, minor):
    offer(browser, version, **typed)
    assert Offer.objects.get().price.amount_minor == minor


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"amount": "40.505"}, "amount"),
        ({"amount": "forty"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "nan"}, "amount"),
        ({"amount": "12.5", "currency": "UGX"}, "amount"),
        ({"currency": "XTS"}, "currency"),
        ({"term_days": "17"}, "term_days"),
    ],
)
def test_a_price_or_term_that_cannot_stand_is_refused_at_its_field(browser, version, typed, field):
    response = offer(browser, version, **typed)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Offer.objects.exists()


def test_a_text_that_changed_since_it_was_read_is_shown_again_first(browser, version):
    stale = seen(TRAINING, term_days=365)
    response = offer(browser, version, term_days="0", seen_sha256=stale)
    assert response.status_code == 409
    assert "Read it again" in response.content.decode()
    assert 'value="40.50"' in response.content.decode()
    assert not Offer.objects.exists()


def test_a_choice_renews_the_text_alone_by_htmx(browser, version):
    response = browser.post(
        address(version, "new_offer", TRAINING), {"term_days": "0"}, headers={"HX-Request": "true"}
    )
    assert seen(TRAINING, term_days=None) in response.content.decode()
    assert "<html" not in response.content.decode()
    assert not Offer.objects.exists()


def test_the_share_of_the_speakers_is_exact(browser, version):
    typed = {"share": "12.5", "seen_sha256": seen(SHARED, term_days=365, benefit_share_bps=1250)}
    offer(browser, version, SHARED, **typed)
    assert Offer.objects.get().benefit_share_bps == 1250


@pytest.mark.parametrize("share", ["0", "101", "1.234", "a lot"])
def test_a_share_that_cannot_stand_is_refused_at_its_field(browser, version, share):
    response = offer(browser, version, SHARED, share=share)
    assert response.status_code == 422
    assert "share" in response.context["form"].errors
    assert not Offer.objects.exists()


def test_an_offer_beyond_consent_is_refused_and_names_speaker_and_purpose(browser, version):
    response = offer(browser, version, "CC-BY-4.0", amount="0", seen_sha256=seen("CC-BY-4.0"))
    page = response.content.decode()
    assert response.status_code == 409
    assert "p-0001" in page
    assert "redistribution" in page
    assert not Offer.objects.exists()


def test_a_license_is_offered_once_at_a_time(browser, version):
    offer(browser, version)
    response = offer(browser, version)
    assert response.status_code == 409
    assert "Close that offer first" in response.content.decode()
    assert Offer.objects.count() == 1


def test_an_offer_is_closed_and_stays_in_the_list(browser, version):
    offer(browser, version)
    made = Offer.objects.get()
    page = browser.post(address(version, "close_offer", made.pk), follow=True)
    made.refresh_from_db()
    assert not made.is_open
    assert "closed" in page.content.decode()


def test_an_unknown_license_is_not_found(browser, version):
    assert browser.get(address(version, "new_offer", "all-mine")).status_code == 404


def test_an_offer_whose_consent_was_withdrawn_says_that_it_is_not_shown(browser, version):
    offer(browser, version)
    record = version.dataset.consent_records.first()
    browser.post(address(version, "withdraw", record.pk))
    page = browser.get(address(version, "offers")).content.decode()
    assert "withdrew consent" in page


def bought(version):
    buyer = factories.organization("Polyglot Labs")
    made = Offer.objects.get()
    orders.place(
        offer=made,
        buyer=buyer,
        by=factories.owner_of(buyer),
        accept_terms_sha256=made.terms_sha256,
        idempotency_key="once",
    )


def test_earnings_tell_who_licensed_what_and_what_it_brought(browser, version):
    share = {"share": "15", "seen_sha256": seen(SHARED, term_days=365)}
    offer(browser, version, SHARED, **share)
    bought(version)
    page = browser.get("/studio/earnings/")
    text = page.content.decode()
    line = page.context["rows"][0]
    assert (line["owed_minor"], line["pool_minor"]) == (3443, 607)
    assert "Polyglot Labs" in text
    assert "€34.43" in text
    assert "TEST" in text


def test_a_free_license_stands_in_the_earnings_too(browser, version):
    offer(browser, version, amount="0")
    bought(version)
    page = browser.get("/studio/earnings/")
    assert page.context["rows"][0]["owed_minor"] == 0
    assert "Polyglot Labs" in page.content.decode()


def test_nobody_sees_the_earnings_of_others(version, station):
    other = Client()
    other.force_login(factories.owner_of(factories.organization()))
    page = other.get("/studio/earnings/").content.decode()
    assert "Nobody has licensed anything yet" in page
    assert station.name not in page
