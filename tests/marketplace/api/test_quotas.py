"""Quotas over HTTP and on the page: shown, and named by what refuses."""

import pytest
from django.test import Client

from tests import factories
from tests.marketplace.api.callers import begin, client, problem, wav

pytestmark = pytest.mark.django_db


def test_a_refusal_names_the_quota_the_use_and_the_limit(settings, dataset, editor):
    settings.QUOTAS = settings.QUOTAS | {"uploads": 1}
    assert begin(editor, dataset, "a.wav", wav()).status_code == 201
    found = problem(begin(editor, dataset, "b.wav", wav()), 409, "quota-exceeded", "under way")
    assert (found["quota"], found["used"], found["limit"]) == ("uploads", 1, 1)


def test_quotas_are_shown_to_members_alone(settings, dataset, editor):
    begin(editor, dataset, "a.wav", b"x" * 1000)
    found = {one["kind"]: one for one in editor.get("/api/v1/quotas").json()}
    assert found["bytes"] == {"kind": "bytes", "used": 1000, "limit": settings.QUOTAS["bytes"]}
    assert (found["uploads"]["used"], found["drafts"]["used"], found["runs"]["used"]) == (1, 1, 0)
    assert client().get("/api/v1/quotas").status_code == 401


def test_the_studio_shows_what_is_taken_up(dataset, editor):
    begin(editor, dataset, "a.wav", b"x" * 1000)
    member = Client()
    member.force_login(factories.owner_of(dataset.organization))
    page = member.get("/studio/").content.decode()
    assert "Uploads under way" in page
    assert "1 of 500" in page
