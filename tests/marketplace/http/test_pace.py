"""How often: each kind of call has its limit, and a limit says when it is over."""

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from marketplace.http import pace
from tests import at_once, factories, sealed
from tests.marketplace.api.callers import begin, client_of, problem, send, wav

pytestmark = pytest.mark.django_db
NEW = {"slug": "", "title": "Show", "language": "sw", "task": "speech-recognition"}


@pytest.fixture
def rates(settings):
    """Limits that a test reaches."""
    settings.RATES = dict.fromkeys(settings.RATES, ("3/d",))
    return settings.RATES


def refused(answer) -> None:
    """What a program reads where a limit is reached."""
    found = problem(answer, 429, "too-many-requests", "Try again in")
    assert 0 < int(answer["Retry-After"]) == found["wait"] <= 86400


def test_a_stranger_who_reads_without_end_is_told_to_wait(rates):
    statuses = [APIClient().get("/api/v1/datasets").status_code for _ in range(3)]
    assert statuses == [200] * 3
    refused(APIClient().get("/api/v1/datasets"))


def test_another_address_and_another_person_are_not_held_up(rates):
    for _ in range(4):
        APIClient().get("/api/v1/datasets")
    assert APIClient().get("/api/v1/datasets", REMOTE_ADDR="192.0.2.1").status_code == 200
    assert client_of(factories.organization()).get("/api/v1/datasets").status_code == 200


def test_a_forged_address_is_no_other_address(rates):
    for number in range(3):
        APIClient().get("/api/v1/datasets", headers={"X-Forwarded-For": f"192.0.2.{number}"})
    refused(APIClient().get("/api/v1/datasets", headers={"X-Forwarded-For": "192.0.2.9"}))


def test_datasets_are_not_made_without_end(rates):
    by = client_of(factories.organization())
    for number in range(3):
        assert by.post("/api/v1/datasets", NEW | {"slug": f"s{number}"}).status_code == 201
    refused(by.post("/api/v1/datasets", NEW | {"slug": "s3"}))
    assert by.get("/api/v1/datasets").status_code == 200


def test_a_second_key_of_a_person_shares_the_limit(rates):
    organization = factories.organization()
    for number in range(3):
        client_of(organization).post("/api/v1/datasets", NEW | {"slug": f"s{number}"})
    refused(client_of(organization).post("/api/v1/datasets", NEW | {"slug": "s3"}))


def test_orders_are_not_placed_without_end(rates):
    by = client_of(factories.organization())
    for _ in range(3):
        assert by.post("/api/v1/orders", {}).status_code != 429
    refused(by.post("/api/v1/orders", {}))


def test_verifying_is_not_asked_without_end(rates):
    for _ in range(3):
        assert APIClient().post("/api/v1/verify", {}, format="multipart").status_code == 422
    refused(APIClient().post("/api/v1/verify", {}, format="multipart"))


def test_the_page_and_the_api_verify_by_one_count(rates):
    for _ in range(3):
        assert Client().post("/verify", {}).status_code == 422
    answer = Client().post("/verify", {}, headers={"Accept": "text/html"})
    assert answer.status_code == 429
    assert f"Try again in {int(answer['Retry-After']):,} seconds" in answer.content.decode()
    refused(APIClient().post("/api/v1/verify", {}, format="multipart"))


def test_pages_are_not_posted_to_without_end(rates):
    member = Client()
    member.force_login(factories.owner_of(factories.organization()))
    for _ in range(3):
        assert member.post("/account/organizations/", {}).status_code == 422
    assert member.post("/account/organizations/", {}).status_code == 429
    assert member.get("/account/").status_code == 200


def test_parts_have_a_count_of_their_own(rates, settings):
    dataset = sealed.dataset(factories.organization())
    settings.UPLOAD_PART_SIZE = 5000
    data = wav(1000)
    begun = begin(client_of(dataset.organization), dataset, "show.wav", data).json()
    parts = [send(part["url"], data[:5000]).status_code for part in begun["parts"][:3]]
    assert parts == [200] * 3
    assert send(begun["parts"][0]["url"], data[:5000]).status_code == 429


@pytest.mark.parametrize("path", ["/healthz", "/status/", "/log/checkpoint", "/"])
def test_what_others_watch_is_never_counted(rates, path):
    assert 429 not in {Client().get(path).status_code for _ in range(6)}


def test_processes_count_together_what_changes_something(rates):
    pace.require("write", "user:1")
    caches["local"].clear()
    pace.require("write", "user:1")
    pace.require("write", "user:1")
    with pytest.raises(pace.TooManyCalls):
        pace.require("write", "user:1")


def test_a_window_that_is_over_counts_no_more(rates, monkeypatch):
    day = 86400 * 20000
    for moment in (day, day + 5, day + 86399):
        monkeypatch.setattr(pace, "time", lambda moment=moment: moment)
        pace.require("write", "user:1")
    with pytest.raises(pace.TooManyCalls) as refusal:
        pace.require("write", "user:1")
    assert refusal.value.details["wait"] == 1
    monkeypatch.setattr(pace, "time", lambda: day + 86400)
    pace.require("write", "user:1")


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_moment_are_all_counted(settings):
    settings.RATES = {"spend": ("6/d",)}
    answers = at_once.all_of(*[lambda: pace.require("spend", "user:1")] * 12)
    refusals = [answer for answer in answers if isinstance(answer, pace.TooManyCalls)]
    assert (len(refusals), answers.count(None)) == (6, 6)


def test_a_count_is_kept_to_the_end_of_its_window(rates, monkeypatch):
    monkeypatch.setattr(pace, "time", lambda: 86400 * 20000)
    for _ in range(3):
        pace.require("spend", "user:1")
    later = timezone.now() + timedelta(hours=23)
    monkeypatch.setattr("django.core.cache.backends.db.tz_now", lambda: later)
    with pytest.raises(pace.TooManyCalls):
        pace.require("spend", "user:1")


def test_asking_for_letters_without_end_says_how_long_to_wait(settings):
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "2/m/ip"}
    answers = [Client().post("/accounts/password/reset/", {"email": "a@b.org"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert answers[-1]["Retry-After"] == "60"
