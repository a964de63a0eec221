"""Only what an address asks for is read, and only from where it asks for it."""

import pytest

from accounts import organizations
from ingestion.models import Dataset
from tests import factories
from tests.marketplace.api.callers import client, problem

pytestmark = pytest.mark.django_db
NEW = {"slug": "evening", "title": "Evening", "language": "sw", "task": "speech-recognition"}


def test_a_field_that_is_not_ones_own_is_not_written(dataset, editor):
    other = factories.organization("Radio Mtoni")
    before = Dataset.objects.values().get(pk=dataset.pk)
    wish = {
        "id": 9, "organization": other.slug, "organization_id": other.pk, "slug": "mine",
        "created_by": 1, "created_by_id": 1, "state": "sealed", "versions": [], "offers": [1],
    }  # fmt: skip
    editor.patch("/api/v1/datasets/radio-valley/show", wish)
    after = Dataset.objects.values().get(pk=dataset.pk)
    assert {name for name, value in before.items() if after[name] != value} <= {"changed_at"}
    made = editor.post("/api/v1/datasets", NEW | wish | {"slug": "evening"}).json()
    assert made["organization"]["slug"] == "radio-valley"
    assert made["state"] == "draft"


def test_what_stands_in_the_address_is_no_field_of_the_body(station, editor):
    body = {name: value for name, value in NEW.items() if name != "title"}
    problem(editor.post("/api/v1/datasets?title=Evening", body), 422, "invalid-request", "title")
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("name", ["key", "api_key", "token", "access_token", "Authorization"])
def test_a_key_in_an_address_opens_nothing(station, name):
    owner = factories.owner_of(station)
    secret = organizations.issue_key(organization=station, user=owner, name="box", scopes=["read"])[
        1
    ]
    assert client().get("/api/v1/me", {name: f"Bearer {secret}"}).status_code == 401
    assert client().get("/api/v1/me", {name: secret}).status_code == 401
