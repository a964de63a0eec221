"""Lists: their pages, their facets, and that their length costs no queries."""

import pytest

from accounts.models import ApiKey
from ingestion.models import LeftOut
from tests import factories, sealed
from tests.marketplace.api.callers import (
    agree,
    buy,
    client,
    client_of,
    problem,
    publish,
    under_review,
)

pytestmark = pytest.mark.django_db


def catalogue(count: int) -> list:
    """So many published datasets, each with one offer."""
    station = factories.organization("Radio Valley")
    owner = factories.owner_of(station)
    said = (sealed.Said("Good morning.", duration_ms=500),)
    versions = [
        sealed.version(sealed.dataset(station, title=f"Show {number}"), said=said)
        for number in range(count)
    ]
    return [publish(version, owner) for version in versions]


def test_a_list_comes_in_pages():
    catalogue(5)
    first = client().get("/api/v1/datasets?page_size=2").json()
    assert set(first) == {"count", "next", "previous", "results"}
    assert (first["count"], first["previous"], len(first["results"])) == (5, None, 2)
    second = client().get(first["next"]).json()
    third = client().get(second["next"]).json()
    assert (third["next"], len(third["results"])) == (None, 1)
    titles = [row["title"] for page in (first, second, third) for row in page["results"]]
    assert sorted(titles) == [f"Show {number}" for number in range(5)]


@pytest.mark.parametrize("page", ["0", "-1", "99", "two", "9" * 40])
def test_a_page_that_is_not_there_is_a_problem(page):
    problem(client().get(f"/api/v1/datasets?page={page}"), 404, "not-found", "page")


def test_a_page_has_at_most_two_hundred_rows():
    assert client().get("/api/v1/datasets?page_size=100000").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [("task=cooking", "task"), ("allows=world-peace", "allows"), ("price=dear", "price")],
)
def test_a_facet_that_is_not_known_is_a_problem(query, field):
    problem(client().get(f"/api/v1/datasets?{query}"), 422, "invalid-request", field)


def test_the_catalogue_is_searched_by_words_language_and_purpose():
    station = factories.organization("Radio Valley")
    owner = factories.owner_of(station)
    said = (sealed.Said("Habari.", duration_ms=500),)
    swahili = sealed.dataset(station, title="Habari za asubuhi", language="sw")
    publish(sealed.version(swahili, said=said), owner, "CC-BY-4.0", amount_minor=0)
    publish(sealed.version(sealed.dataset(station, title="Morning"), said=said), owner)

    def titles(query: str) -> list[str]:
        found = client().get(f"/api/v1/datasets?{query}").json()["results"]
        return [row["title"] for row in found]

    assert titles("q=asubuhi") == ["Habari za asubuhi"]
    assert titles("language=sw") == ["Habari za asubuhi"]
    assert sorted(titles("language=sw&language=en")) == ["Habari za asubuhi", "Morning"]
    assert titles("allows=redistribution") == ["Habari za asubuhi"]
    assert titles("price=paid") == ["Morning"]
    assert titles("price=free") == ["Habari za asubuhi"]
    assert titles("q=nothing+like+it") == []
    assert titles("q=%27%29%3B+drop+table") == []


def test_a_catalogue_row_tells_what_a_buyer_asks():
    catalogue(1)
    row = client().get("/api/v1/datasets").json()["results"][0]
    assert row["organization"] == {"slug": "radio-valley", "name": "Radio Valley"}
    assert (row["version"], row["state"], row["speakers"], row["clips"]) == (1, "sealed", 1, 1)
    assert row["url"] == f"http://localhost/d/radio-valley/{row['slug']}"
    assert row["offers"][0]["total_minor"] == 4200
    assert "commercial" in row["allows"]


def queries(path: str, by, django_assert_max_num_queries, most: int = 6) -> int:
    """Ask twice (the first use of a key is written down) and count the second."""
    assert by.get(path).status_code == 200
    with django_assert_max_num_queries(most) as found:
        assert by.get(path).json().get("count", 1) > 0
    return len(found)


def test_the_catalogue_costs_the_same_at_any_length(django_assert_max_num_queries):
    catalogue(2)
    few = queries("/api/v1/datasets", client(), django_assert_max_num_queries)
    station = factories.organization("Radio Hill")
    for number in range(4):
        version = sealed.version(sealed.dataset(station, title=f"More {number}"))
        publish(version, factories.owner_of(station))
    assert queries("/api/v1/datasets", client(), django_assert_max_num_queries) == few


def test_a_dataset_costs_the_same_however_much_there_is_of_it(django_assert_max_num_queries):
    station, said = factories.organization("Radio Valley"), (sealed.Said("Good morning."),)
    dataset, owner = sealed.dataset(station, slug="show"), factories.owner_of(station)
    publish(sealed.version(dataset, said=said), owner)
    path, editor = "/api/v1/datasets/radio-valley/show", client_of(station)
    few = [queries(path, by, django_assert_max_num_queries, 9) for by in (client(), editor)]
    for _ in range(3):
        version = sealed.version(dataset)
        for profile in ("commercial-training", "research-only", "CC-BY-4.0"):
            publish(version, owner, profile, amount_minor=0)
    many = [queries(path, by, django_assert_max_num_queries, 9) for by in (client(), editor)]
    assert many == few
    assert len(client().get(path).json()["versions"]) == 4


def test_what_was_done_costs_the_same_at_any_length(django_assert_max_num_queries):
    station = factories.organization("Radio Valley")
    dataset = sealed.dataset(station, slug="show")
    editor = client_of(station)
    _, segment, finding = under_review(dataset)
    path = "/api/v1/datasets/radio-valley/show"
    paths = [f"{path}/history", f"{path}/versions/1/decisions", f"{path}/versions/1/left-out"]
    agree(segment.recording, "Amina")
    agree(segment.recording, "Juma")

    def act(number: int) -> None:
        editor.post(f"/api/v1/findings/{finding.pk}/decision", {"decision": "confirm"})
        finding.refresh_from_db()
        editor.post(f"/api/v1/segments/{segment.pk}/review", {})
        version = segment.recording.files.get().version
        LeftOut.objects.create(
            version=version, speaker=sealed.speaker(dataset, f"S{number}"), by=dataset.created_by
        )

    act(1)
    few = [queries(one, editor, django_assert_max_num_queries) for one in paths]
    for number in range(2, 7):
        act(number)
    assert [queries(one, editor, django_assert_max_num_queries) for one in paths] == few


def test_grants_and_orders_cost_the_same_at_any_length(django_assert_max_num_queries):
    offers = catalogue(4)
    lab = factories.organization("Speech Lab")
    trainer = client_of(lab)
    buy(offers[0], lab)
    few = [
        queries(f"/api/v1/{name}", trainer, django_assert_max_num_queries)
        for name in ("grants", "orders")
    ]
    for offer in offers[1:]:
        buy(offer, lab)
    many = [
        queries(f"/api/v1/{name}", trainer, django_assert_max_num_queries)
        for name in ("grants", "orders")
    ]
    assert many == few


def test_findings_and_segments_cost_the_same_at_any_length(django_assert_max_num_queries):
    station = factories.organization("Radio Valley")
    dataset = sealed.dataset(station, slug="show")
    editor = client_of(station)
    _, segment, finding = under_review(dataset)
    paths = [f"/api/v1/datasets/radio-valley/show/versions/1/{x}" for x in ("findings", "segments")]
    few = [queries(path, editor, django_assert_max_num_queries, 10) for path in paths]
    for position in range(1, 6):
        segment.pk, segment.position = None, position
        segment.save()
        finding.pk, finding.segment = None, segment
        finding.save()
    many = [queries(path, editor, django_assert_max_num_queries, 10) for path in paths]
    assert many == few
    assert editor.get(paths[0]).json()["count"] == 6


def test_the_use_of_a_key_is_written_down_once_a_minute():
    station = factories.organization()
    by = client_of(station)
    by.get("/api/v1/me")
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    by.get("/api/v1/me")
    assert ApiKey.objects.get().last_used_at == first
