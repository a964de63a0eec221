"""An account whose address nobody proved gets nothing from the API that others do not."""

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from ingestion.models import Dataset, Upload
from marketplace.models import Order
from tests.marketplace.api import callers

pytestmark = pytest.mark.django_db
DOORS = ("key", "browser")


def unproved(door: str, user: User) -> APIClient:
    """A caller whose account is as they were before addresses had to be proved."""
    api = APIClient()
    if door == "key":
        organization = user.memberships.get().organization
        api = callers.client_of(organization, user)
    else:
        api.force_login(user)
    User.objects.filter(pk=user.pk).update(confirmed_at=None)
    return api


@pytest.mark.parametrize("door", DOORS)
def test_nobody_contributes_with_an_address_that_is_not_proved(door: str):
    world = callers.world()
    api = unproved(door, world.owner)
    before = Upload.objects.count(), Dataset.objects.count()
    for answer in (
        callers.begin(api, world.draft, "new.wav", callers.wav()),
        api.post("/api/v1/datasets", {"title": "New", "language": "sw"}),
        api.get(f"/api/v1/segments/{world.segment.pk}/audio"),
        api.get("/api/v1/me"),
    ):
        callers.problem(answer, 403, "address-unconfirmed", "open the link in the mail")
    assert before == (Upload.objects.count(), Dataset.objects.count())


@pytest.mark.parametrize("door", DOORS)
def test_nobody_buys_or_downloads_with_an_address_that_is_not_proved(door: str):
    world = callers.world()
    api = unproved(door, world.trainer)
    before = Order.objects.count()
    for answer in (
        api.post("/api/v1/orders", {"offer": world.offer.pk}),
        api.get(f"/api/v1/grants/{world.grant.pk}/release"),
    ):
        callers.problem(answer, 403, "address-unconfirmed")
    assert before == Order.objects.count()


@pytest.mark.parametrize("door", DOORS)
def test_what_anybody_sees_is_seen_without_proof_and_nothing_private(door: str):
    world = callers.world()
    api = unproved(door, world.owner)
    assert api.get(f"/api/v1/datasets/{world.published}").status_code == 200
    assert api.get(f"/api/v1/datasets/{world.draft}").status_code == 404
