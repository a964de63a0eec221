"""Errors: whatever goes wrong, a problem document that says what to do."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import organizations
from accounts.models import Membership, Role
from ingestion.models import Dataset
from marketplace import listings
from tests import factories
from tests.marketplace.api.callers import client, client_of, key, problem

pytestmark = pytest.mark.django_db
NEW = {"slug": "show", "title": "Show", "language": "sw", "task": "speech-recognition"}


@pytest.fixture
def station():
    return factories.organization("Radio Valley")


@pytest.fixture
def editor(station):
    return client_of(station)


def test_an_address_that_is_not_there_is_a_problem():
    problem(client().get("/api/v1/nowhere"), 404, "not-found", "/api/v1/nowhere")
    problem(client().post("/api/v1/"), 404, "not-found")


def test_a_method_that_is_not_there_is_a_problem(editor):
    problem(editor.delete("/api/v1/me"), 405, "method-not-allowed", "DELETE")


def test_a_body_that_is_not_json_is_a_problem(editor):
    answer = editor.generic("POST", "/api/v1/datasets", b"{not json", "application/json")
    problem(answer, 400, "parse-error")
    answer = editor.generic("POST", "/api/v1/datasets", b"<xml/>", "application/xml")
    problem(answer, 415, "unsupported-media-type", "application/xml")
    answer = editor.generic("POST", "/api/v1/datasets", b"[1]", "application/json")
    problem(answer, 422, "invalid-request")


def test_a_list_of_everything_that_is_missing_comes_at_once(editor):
    found = problem(editor.post("/api/v1/datasets", {}), 422, "invalid-request")
    assert {fault["field"] for fault in found["errors"]} == {"slug", "title", "language", "task"}


def test_without_a_key_one_is_asked_for_one():
    answer = client().get("/api/v1/me")
    problem(answer, 401, "not-authenticated", "Sign in again", "key")
    assert answer["WWW-Authenticate"] == 'Bearer realm="commonhold"'


@pytest.mark.parametrize("secret", ["", "x", "abcdefgh.secret", "é.ü", "a.b.c", "." * 400])
def test_a_key_that_is_none_is_refused(secret):
    by = APIClient()
    by.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    problem(by.get("/api/v1/me"), 401, "authentication-failed", "key")
    problem(by.get("/api/v1/datasets"), 401, "authentication-failed", "key")


def test_a_key_that_was_revoked_or_expired_or_whose_owner_is_gone_is_refused(station):
    owner = factories.owner_of(station)
    secret = key(station)
    organizations.revoke_key(key=owner.api_keys.get(), by=owner)
    problem(client(secret).get("/api/v1/me"), 401, "authentication-failed")
    _, late = organizations.issue_key(
        organization=station, user=owner, name="late", scopes=["read"]
    )
    yesterday = timezone.now() - timedelta(days=1)
    owner.api_keys.filter(name="late").update(expiry_date=yesterday)
    problem(client(late).get("/api/v1/me"), 401, "authentication-failed")
    fresh = key(station)
    owner.is_active = False
    owner.save()
    problem(client(fresh).get("/api/v1/me"), 401, "authentication-failed")


def test_a_secret_with_one_letter_changed_is_refused(station):
    secret = key(station)
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    problem(client(changed).get("/api/v1/me"), 401, "authentication-failed")


def test_a_session_changes_nothing_without_its_csrf_token(station):
    by = APIClient(enforce_csrf_checks=True)
    by.force_login(factories.owner_of(station))
    assert by.get("/api/v1/me").status_code == 200
    problem(by.post("/api/v1/datasets", NEW), 403, "permission-denied", "CSRF")
    assert not Dataset.objects.exists()


def test_a_session_with_its_csrf_token_works_like_a_key(station):
    by = APIClient(enforce_csrf_checks=True)
    by.force_login(factories.owner_of(station))
    token = "a" * 32
    by.cookies["csrftoken"] = token
    answer = by.post("/api/v1/datasets", NEW, headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def test_a_key_needs_no_csrf_token(station):
    by = APIClient(enforce_csrf_checks=True)
    by.credentials(HTTP_AUTHORIZATION=f"Bearer {key(station)}")
    assert by.post("/api/v1/datasets", NEW).status_code == 201


def test_somebody_without_an_organization_is_told_so():
    by = APIClient()
    by.force_login(factories.user())
    problem(by.get("/api/v1/me"), 403, "no-organization", "member")


def test_a_session_acts_for_the_organization_it_chose(station):
    person = factories.owner_of(station)
    other = factories.organization("Second Radio")
    Membership.objects.create(user=person, organization=other, role=Role.BUYER)
    by = APIClient()
    by.force_login(person)
    assert by.get("/api/v1/me").json()["organization"]["slug"] == "radio-valley"
    by.post("/account/acting/", {"organization": other.slug}, format="multipart")
    found = by.get("/api/v1/me").json()
    assert (found["organization"]["slug"], found["role"]) == (other.slug, "buyer")


def test_a_key_says_who_it_is(station, editor):
    assert editor.get("/api/v1/me").json() == {
        "user": {"email": factories.owner_of(station).email, "name": ""},
        "organization": {"slug": "radio-valley", "name": "Radio Valley"},
        "role": "owner",
        "scopes": ["buy", "contribute", "download", "read"],
    }


def test_an_unforeseen_error_says_nothing_of_itself(station, editor, monkeypatch):
    def fall_over(**_: object) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(listings, "search", fall_over)
    found = problem(editor.get("/api/v1/datasets"), 500, "internal-error")
    assert "secret" not in str(found)
