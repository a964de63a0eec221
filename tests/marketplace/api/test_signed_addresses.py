"""Addresses without a key stop with the key, the member or the license that they were made for."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import organizations
from accounts.models import ApiKey, Membership, Organization, Role, User
from ingestion.models import UploadPart
from licensing import grants
from tests import factories, sealed, trade
from tests.marketplace.api import callers

pytestmark = pytest.mark.django_db
DATA = callers.wav()


class Bearer:
    """Somebody with a key or a browser, and an address of each kind that was made for them."""

    def __init__(self, kind: str, role: str) -> None:
        self.organization = factories.organization()
        self.user = factories.member(self.organization, role)
        self.api = APIClient()
        if kind == "key":
            self.api = callers.client_of(self.organization, self.user)
        else:
            self.api.force_login(self.user)


def part_of(bearer: Bearer) -> str:
    """The address of an upload's only part."""
    dataset = sealed.dataset(bearer.organization)
    begun = callers.begin(bearer.api, dataset, "show.wav", DATA)
    assert begun.status_code == 201, begun.json()
    return str(begun.json()["parts"][0]["url"])


def file_of(bearer: Bearer) -> str:
    """The address of a file of a release."""
    grant = trade.grant(trade.offer(), bearer.organization)
    listing = bearer.api.get(f"/api/v1/grants/{grant.pk}/release")
    assert listing.status_code == 200, listing.json()
    return str(listing.json()["files"][0]["url"])


def use(address: str):
    """Send a part to an address or fetch a file from it, as any HTTP client does."""
    if "/parts/" in address:
        return callers.send(address, DATA)
    answer = APIClient().get(address)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return answer


KINDS = {"part": (part_of, Role.EDITOR), "file": (file_of, Role.BUYER)}
ENDINGS = {
    "key revoked": lambda: ApiKey.objects.update(revoked=True),
    "key expired": lambda: ApiKey.objects.update(expiry_date=timezone.now()),
    "key has no such scope": lambda: ApiKey.objects.update(scopes=["read"]),
    "member removed": lambda: Membership.objects.exclude(role=Role.OWNER).delete(),
    "person switched off": lambda: User.objects.update(is_active=False),
    "address not theirs": lambda: User.objects.update(confirmed_at=None),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ENDINGS)
def test_an_address_stops_with_what_it_was_made_for(kind: str, how: str):
    make, role = KINDS[kind]
    bearer = Bearer("key" if how.startswith("key") else "browser", role)
    address = make(bearer)
    ENDINGS[how]()
    callers.problem(use(address), 403, "link-revoked", "Ask for a new one")
    assert not UploadPart.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["key", "browser"])
def test_an_address_works_as_long_as_its_holder_may(kind: str, by: str):
    make, role = KINDS[kind]
    assert use(make(Bearer(by, role))).status_code == 200


@pytest.mark.parametrize(("kind", "other"), [("part", Role.BUYER), ("file", Role.EDITOR)])
def test_an_address_stops_when_its_holder_gets_another_role(kind: str, other: Role):
    make, role = KINDS[kind]
    bearer = Bearer("key", role)
    address = make(bearer)
    organizations.change_role(
        membership=bearer.organization.memberships.get(user=bearer.user),
        role=other,
        by=factories.owner_of(bearer.organization),
    )
    callers.problem(use(address), 403, "link-revoked")


def test_the_address_of_one_key_stops_though_another_key_of_its_user_goes_on():
    bearer = Bearer("key", Role.EDITOR)
    address = part_of(bearer)
    callers.key(bearer.organization, bearer.user)
    ApiKey.objects.filter(pk=first_key(bearer.organization).pk).update(revoked=True)
    callers.problem(use(address), 403, "link-revoked")


def first_key(organization: Organization) -> ApiKey:
    """The key that was made first."""
    return organization.api_keys.order_by("created")[0]


@pytest.mark.parametrize("for_whom", ["", "1.", "{owner}.", "{owner}.{key}", "nobody"])
def test_an_address_can_not_be_turned_into_somebody_elses(for_whom: str):
    bearer = Bearer("key", Role.EDITOR)
    address = part_of(bearer)
    owner = factories.owner_of(bearer.organization)
    callers.key(bearer.organization, owner)
    ours = parse_qs(urlsplit(address).query)["for"][0]
    key = ApiKey.objects.get(user=owner).prefix
    forged = address.replace(f"for={ours}", f"for={for_whom.format(owner=owner.pk, key=key)}")
    assert forged != address
    callers.problem(use(forged), 403, "link-invalid")


def test_an_address_says_nothing_secret_of_the_key_that_it_was_made_for():
    bearer = Bearer("key", Role.EDITOR)
    address = part_of(bearer)
    key = ApiKey.objects.get()
    assert key.hashed_key not in address
    assert key.pk not in address


def test_the_address_that_a_page_leads_to_stops_with_the_membership():
    grant = trade.grant()
    buyer = factories.member(grant.licensee, Role.BUYER)
    browser = Client()
    browser.force_login(buyer)
    address = browser.get(f"/library/{grant.pk}/files/README.md")["Location"]
    assert use(address).status_code == 200
    organizations.remove_member(
        organization=grant.licensee, user=buyer, by=factories.owner_of(grant.licensee)
    )
    callers.problem(use(address), 403, "link-revoked")


def test_an_address_stops_with_the_license():
    bearer = Bearer("key", Role.BUYER)
    grant = trade.grant(trade.offer(), bearer.organization)
    listing = bearer.api.get(f"/api/v1/grants/{grant.pk}/release").json()
    grants.revoke(
        grant=grant, by=factories.owner_of(grant.version.dataset.organization), reason="Breach."
    )
    assert use(listing["files"][0]["url"]).status_code == 403


def test_a_key_that_runs_out_tomorrow_works_today():
    bearer = Bearer("key", Role.BUYER)
    ApiKey.objects.update(expiry_date=timezone.now() + timedelta(days=1))
    assert use(file_of(bearer)).status_code == 200
