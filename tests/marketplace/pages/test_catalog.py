"""The catalogue: finding what may be used for what one wants to train."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests import factories, sealed, trade

pytestmark = pytest.mark.django_db


def page(query: str = "") -> str:
    answer = Client().get(f"/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def titles(query: str = "") -> list[str]:
    return [card["title"] for card in Client().get(f"/{query}").context["cards"]]


def counts(query: str, name: str) -> dict[str, int]:
    facets = Client().get(f"/{query}").context["facets"]
    choices = next(facet["choices"] for facet in facets if facet["name"] == name)
    return {choice["value"]: choice["count"] for choice in choices}


def listed(title: str, *, language: str = "en", **offer: object) -> None:
    trade.offer(sealed.version(sealed.dataset(title=title, language=language)), **offer)


def test_an_empty_catalogue_says_what_to_do():
    assert "Nothing is published yet" in page()


def test_the_first_screen_asks_what_to_train():
    assert "What do you want to train?" in page()


def test_datasets_are_found_by_words_language_purpose_and_price():
    listed("Morning show", language="nnb")
    listed("Abendnachrichten", language="de", profile="CC-BY-4.0", amount_minor=0, term_days=None)
    assert titles("?q=morning") == ["Morning show"]
    assert titles("?language=de") == ["Abendnachrichten"]
    assert titles("?allows=redistribution") == ["Abendnachrichten"]
    assert titles("?price=paid") == ["Morning show"]
    assert sorted(titles("?allows=research")) == ["Abendnachrichten", "Morning show"]
    assert titles("?allows=research&allows=redistribution&price=paid") == []


def test_a_language_never_hides_what_is_spoken_in_one_of_its_countries():
    listed("Bei za soko", language="sw-KE")
    listed("Habari", language="sw")
    listed("Swati news", language="ssw")
    assert sorted(titles("?language=SW")) == ["Bei za soko", "Habari"]
    assert titles("?language=sw-KE") == ["Bei za soko"]


def test_nothing_found_leads_back_to_everything():
    listed("Morning show")
    assert "Nothing here speaks of that" in page("?q=zebra")
    assert "Nothing here allows all of that" in page("?q=zebra&allows=research")


def test_facets_count_what_a_further_choice_would_show():
    listed("Morning show", language="nnb")
    listed("Abendnachrichten", language="de")
    listed("Nachtgespräch", language="de", profile="research-only", amount_minor=0)
    assert counts("?language=de", "language") == {"de": 2, "nnb": 1}
    assert counts("?language=de", "allows")["commercial"] == 1
    assert counts("?language=de&price=free", "price") == {"free": 1, "paid": 1}


def test_the_number_of_queries_does_not_grow_with_the_catalogue():
    listed("One")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page()
    for number in range(4):
        listed(f"More {number}")
    with CaptureQueriesContext(connection) as many:
        page()
    assert len(many) == len(few)


def test_a_card_shows_what_the_buyer_pays_with_the_fee_in_it():
    listed("Morning show", amount_minor=4000)
    assert "€42" in page()


def test_a_withdrawn_consent_takes_the_offer_off_the_card():
    version = sealed.version(sealed.dataset(title="Morning show"))
    trade.offer(version)
    trade.withdraw(version)
    trade.follow()
    assert "No license offered" in page()


def test_odd_queries_are_answered_not_refused():
    listed("Morning show")
    for query in (
        "?page=zzz",
        "?page=99",
        "?q=%00",
        "?allows=nonsense",
        "?q=%22unbalanced",
        "?price=x",
    ):
        assert titles(query) is not None


def test_drafts_do_not_stand_in_the_catalogue():
    sealed.dataset(factories.organization(), title="Secret draft")
    assert "Secret draft" not in page()


def test_one_offer_must_answer_the_whole_question():
    version = sealed.version(sealed.dataset(title="Morning show"))
    trade.offer(version, profile="research-only", amount_minor=0)
    trade.offer(version, profile="commercial-training", amount_minor=4000)
    assert titles("?allows=commercial") == ["Morning show"]
    assert titles("?allows=commercial&price=free") == []
    assert counts("?allows=commercial", "price") == {"paid": 1}
    card = Client().get("/?allows=commercial").context["cards"][0]
    assert card["offers"][0]["price"]["amount_minor"] == 4200
    assert card["url"].endswith(f"?offer={version.offers.get(profile='commercial-training').pk}")
    assert "commercial" not in Client().get("/").context["cards"][0]["allows"]
