"""What is known of a request: its name, and the key that was used, in whatever is written down."""

import re
import threading

import pytest
from rest_framework.test import APIClient

from accounts import audit
from accounts.models import AuditEntry
from tests import factories
from tests.marketplace.api.callers import client, key

pytestmark = pytest.mark.django_db
NEW = {"slug": "show", "title": "Show", "language": "sw", "task": "speech-recognition"}


def made(by: APIClient, **headers: str):
    """Make a dataset, and return the answer and what was written down about it."""
    answer = by.post("/api/v1/datasets", NEW, headers=headers)
    assert answer.status_code == 201, answer.json()
    return answer, AuditEntry.objects.get(verb="dataset.created")


def test_a_request_goes_by_the_name_that_it_came_with(editor):
    answer, entry = made(editor, **{"X-Request-ID": "proxy-7f3a.0001"})
    assert answer["X-Request-ID"] == entry.request_id == "proxy-7f3a.0001"


@pytest.mark.parametrize(
    "name", ["", "short", "x" * 65, "two words", "a/../../etc", "<script>alert</script>", "é" * 9]
)
def test_a_name_that_is_no_plain_token_is_replaced_by_a_random_one(editor, name):
    answer, entry = made(editor, **{"X-Request-ID": name})
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    assert entry.request_id == answer["X-Request-ID"]


def test_every_request_has_a_name_of_its_own():
    names = {client().get("/api/v1/datasets")["X-Request-ID"] for _ in range(3)}
    names |= {client().get(path)["X-Request-ID"] for path in ("/healthz", "/api/v1/nowhere")}
    assert len(names) == 5


def test_what_one_request_did_bears_one_name(editor):
    answer, _ = made(editor)
    entries = AuditEntry.objects.filter(request_id=answer["X-Request-ID"])
    assert sorted(entry.verb for entry in entries) == ["dataset.created", "version.opened"]


def test_what_was_done_with_a_key_says_with_which(station, editor):
    _, entry = made(editor)
    owner = factories.owner_of(station)
    assert entry.actor == f"{owner.email} with the key «test key»"
    assert entry.actor_id == owner.pk


def test_what_was_done_in_the_browser_names_no_key(station):
    made(client(key(station)))
    by = APIClient()
    by.force_login(factories.owner_of(station))
    assert by.delete("/api/v1/datasets/radio-valley/show").status_code == 204
    entry = AuditEntry.objects.get(verb="dataset.deleted")
    assert entry.actor == factories.owner_of(station).email


def test_nothing_of_a_request_is_left_when_it_is_over(station, editor):
    made(editor)
    entry = audit.note(by=factories.owner_of(station), verb="test.done", about=(station,))
    assert (entry.request_id, entry.actor) == ("", factories.owner_of(station).email)


def test_requests_at_once_keep_their_names_apart():
    names: dict[str, str] = {}

    def ask(name: str) -> None:
        names[name] = APIClient().get("/healthz", headers={"X-Request-ID": name})["X-Request-ID"]

    threads = [threading.Thread(target=ask, args=(f"request-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == {f"request-{number}": f"request-{number}" for number in range(8)}
