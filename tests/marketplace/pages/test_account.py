"""Joining, members, keys and the organization one acts for."""

import re

import pytest
from django.test import Client

from accounts.models import ApiKey, Organization, Role, User
from tests import factories

pytestmark = pytest.mark.django_db

JOINING = {
    "email": "amina@example.org",
    "password1": factories.PASSWORD,
    "name": "Amina Kato",
    "organization": "Radio Kasese",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def key_form(**changes: object) -> dict[str, object]:
    return {
        "key-name": "training box",
        "key-scopes": ["read", "download"],
        "key-days": "90",
    } | changes


def test_joining_makes_the_person_and_their_organization():
    answer = Client().post("/accounts/signup/", JOINING)
    assert answer.status_code == 302
    membership = User.objects.get(email="amina@example.org").memberships.get()
    assert (membership.organization.slug, membership.role) == ("radio-kasese", Role.OWNER)
    assert membership.user.name == "Amina Kato"


def test_joining_under_a_taken_name_makes_nothing_and_keeps_what_was_typed():
    factories.organization("Radio Kasese")
    answer = Client().post("/accounts/signup/", JOINING)
    assert answer.status_code == 409
    assert "is taken" in answer.content.decode()
    assert "amina@example.org" in answer.content.decode()
    assert not User.objects.filter(email="amina@example.org").exists()


def test_a_name_without_latin_letters_takes_a_short_name_beside_it():
    refused = Client().post("/accounts/signup/", JOINING | {"organization": "ራዲዮ"})
    assert refused.status_code == 409
    assert "short name in Latin letters" in refused.content.decode()
    answer = Client().post(
        "/accounts/signup/", JOINING | {"organization": "ራዲዮ", "slug": "radio-addis"}
    )
    assert answer.status_code == 302
    assert Organization.objects.get(slug="radio-addis").name == "ራዲዮ"


def test_visitors_are_sent_to_sign_in_and_back():
    answer = Client().get("/account/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/account/"


def test_a_new_key_is_shown_once_with_its_export_line():
    owner = factories.user()
    factories.organization(owner=owner)
    client = signed_in(owner)
    made = client.post("/account/keys/", key_form())
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    secret = re.search(r"COMMONHOLD_API_KEY=([\w.-]+)", made.content.decode())
    assert secret is not None
    key = ApiKey.objects.get_from_key(secret[1])
    assert (key.user, key.scopes) == (owner, ["download", "read"])
    assert secret[1] not in client.get("/account/").content.decode()


def test_a_key_without_a_scope_is_refused_beside_its_field():
    owner = factories.user()
    factories.organization(owner=owner)
    answer = signed_in(owner).post("/account/keys/", key_form(**{"key-scopes": []}))
    assert answer.status_code == 422
    assert "Choose at least one thing" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_revoked_key_is_gone_and_a_colleagues_key_cannot_be_revoked():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    editor = factories.member(organization)
    signed_in(owner).post("/account/keys/", key_form())
    key = ApiKey.objects.get()
    refused = signed_in(editor).post(f"/account/keys/{key.prefix}/revoke/")
    assert refused.status_code == 403
    assert key.prefix not in signed_in(editor).get("/account/").content.decode()
    assert signed_in(owner).post(f"/account/keys/{key.prefix}/revoke/").status_code == 302
    key.refresh_from_db()
    assert key.revoked


def test_an_owner_adds_promotes_and_removes_a_member():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    person = factories.user("juma@example.org")
    client = signed_in(owner)
    added = client.post(
        "/account/members/", {"member-email": "Juma@Example.org", "member-role": "buyer"}
    )
    assert added.status_code == 302
    membership = organization.memberships.get(user=person)
    assert membership.role == Role.BUYER
    client.post(f"/account/members/{membership.pk}/role/", {"role": "editor"})
    membership.refresh_from_db()
    assert membership.role == Role.EDITOR
    client.post(f"/account/members/{membership.pk}/remove/")
    assert not organization.memberships.filter(user=person).exists()


def test_the_last_owner_stays():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    number = organization.memberships.get().pk
    answer = signed_in(owner).post(f"/account/members/{number}/remove/")
    assert answer.status_code == 409
    assert "last owner" in answer.content.decode()


def test_somebody_who_has_not_joined_cannot_be_added():
    owner = factories.user()
    factories.organization(owner=owner)
    answer = signed_in(owner).post(
        "/account/members/", {"member-email": "nobody@example.org", "member-role": "buyer"}
    )
    assert answer.status_code == 422
    assert "Nobody has joined" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.EDITOR, Role.BUYER])
def test_only_owners_change_members(role: Role):
    organization = factories.organization()
    person = factories.member(organization, role)
    stranger = factories.user("x@example.org")
    client = signed_in(person)
    answer = client.post(
        "/account/members/", {"member-email": stranger.email, "member-role": "owner"}
    )
    assert answer.status_code == 403
    assert not organization.memberships.filter(user=stranger).exists()
    assert "Add a member" not in client.get("/account/").content.decode()


def test_another_organizations_member_cannot_be_touched():
    owner = factories.user()
    factories.organization(owner=owner)
    elsewhere = factories.organization().memberships.get()
    assert signed_in(owner).post(f"/account/members/{elsewhere.pk}/remove/").status_code == 404


def test_acting_for_another_organization_is_remembered_and_strangers_cannot():
    owner = factories.user()
    factories.organization("First", owner=owner)
    second = factories.organization("Second", owner=owner)
    client = signed_in(owner)
    assert client.get("/account/").context["organization"].name == "First"
    client.post("/account/acting/", {"organization": second.slug})
    assert client.get("/account/").context["organization"] == second
    client.post("/account/acting/", {"organization": factories.organization().slug})
    assert client.get("/account/").context["organization"] == second


def test_switching_never_leads_off_the_site():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    answer = signed_in(owner).post(
        "/account/acting/", {"organization": organization.slug, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/account/"


def test_a_person_without_an_organization_can_found_one():
    client = signed_in(factories.user())
    assert "You belong to no organization" in client.get("/account/").content.decode()
    assert client.post("/account/keys/", key_form()).status_code == 404
    client.post("/account/organizations/", {"organization-name": "Sauti ya Milima"})
    assert client.get("/account/").context["organization"].slug == "sauti-ya-milima"
