"""Bodies are refused by what they announce, before anything of them is read or kept."""

import io

import pytest
from django.test import Client
from django.test.client import FakePayload
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import Role
from marketplace.host.asking import ASKING
from tests import factories, sealed
from tests.marketplace.api.callers import begin, client_of, problem, wav

MIB = 1024 * 1024
pytestmark = pytest.mark.django_db
ADDRESSES = ["/", "/nope", "/accounts/login/", "/account/keys/", "/api/v1/datasets", "/api/v1/no"]


class Unreadable(FakePayload):
    """A body that nobody may touch."""

    def read(self, *_arguments):
        raise AssertionError("the body was read")


def announce(client: Client, path: str, length: int | str, method: str = "POST", **headers):
    """Send headers that announce a body, and no body."""
    return client.generic(
        method, path, **{"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(length)}, headers=headers
    )


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE"])
def test_a_large_body_is_refused_unread_whatever_the_address(path, method):
    client = Client(enforce_csrf_checks=True)
    answer = announce(client, path, 200 * MIB, method)
    assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
    assert answer.json()["most"] == MIB


def test_people_read_a_page_about_it():
    answer = announce(Client(), "/accounts/login/", 2 * MIB, Accept="text/html,*/*")
    assert answer.status_code == 413
    assert "1,048,576 bytes" in answer.content.decode()


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_body_that_says_nothing_of_its_length_is_refused_unread(path):
    answer = announce(Client(), path, "", **{"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


@pytest.mark.parametrize("length", ["-1", "1e9", "٣", "0x10", "1,1"])
def test_a_length_that_is_no_number_is_refused(length):
    answer = announce(Client(), "/accounts/login/", length)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def forms(organization, dataset) -> dict[str, int]:
    """The addresses of the forms that take files, and how many bytes."""
    place = [organization.slug, dataset.slug]
    return {
        reverse("studio:upload", args=place): 64 * MIB,
        reverse("studio:new_consent", args=place): 64 * MIB,
        reverse("studio:import_consent", args=place): 128 * MIB,
        reverse("api:consent-import", args=place): 128 * MIB,
    }


def test_forms_with_files_take_more_only_from_whoever_is_signed_in(settings):
    dataset = sealed.dataset(factories.organization())
    member = Client()
    member.force_login(factories.owner_of(dataset.organization))
    made_up = Client()
    made_up.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    for path, most in forms(dataset.organization, dataset).items():
        for stranger in (Client(), made_up):
            assert announce(stranger, path, MIB + 1).status_code == 413
        assert announce(member, path, most + 1).status_code == 413
        asked = member.generic("POST", path, **{"CONTENT_LENGTH": str(most), ASKING: True})
        assert asked.status_code == 204


def test_a_key_that_works_may_import_much_and_another_may_not():
    dataset = sealed.dataset(factories.organization())
    path = reverse("api:consent-import", args=[dataset.organization.slug, dataset.slug])
    by = client_of(dataset.organization)
    assert announce(by, path, 129 * MIB).status_code == 413
    asked = by.generic("POST", path, **{"CONTENT_LENGTH": str(9 * MIB), ASKING: True})
    assert asked.status_code == 204
    wrong = APIClient()
    wrong.credentials(HTTP_AUTHORIZATION="Bearer aaaaaaaa.bbbbbbbbbbbbbbbb")
    assert announce(wrong, path, 9 * MIB).status_code == 413


def test_a_part_is_taken_only_at_an_address_of_ours(settings):
    dataset = sealed.dataset(factories.organization())
    by = client_of(dataset.organization, factories.member(dataset.organization, Role.EDITOR))
    url = begin(by, dataset, "show.wav", wav(1000)).json()["parts"][0]["url"]
    stranger = APIClient()
    length = settings.UPLOAD_LARGEST_PART
    asked = stranger.generic("PUT", url, **{"CONTENT_LENGTH": str(length), ASKING: True})
    assert asked.status_code == 204
    assert announce(stranger, url, length + 1, "PUT").status_code == 413
    answer = announce(stranger, url.replace("signature=", "signature=x"), length, "PUT")
    problem(answer, 403, "link-invalid")


def test_asking_runs_no_view():
    said = {"CONTENT_LENGTH": "10", ASKING: True, "wsgi.input": io.BytesIO()}
    answer = Client().generic("POST", "/accounts/login/", **said)
    assert (answer.status_code, answer.content) == (204, b"")


def test_nobody_can_ask_from_outside():
    assert Client().get("/healthz", headers={ASKING: "1"}).status_code == 200
