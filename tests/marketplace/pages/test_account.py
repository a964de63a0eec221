"""Keys, and the organization one acts for."""

import html
import re

import pytest
from django.test import Client

from accounts import organizations
from accounts.models import ApiKey, User
from tests import factories
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    return browser_of(user)


def key_form(**changes: object) -> dict[str, object]:
    return {
        "key-name": "training box",
        "key-scopes": ["read", "download"],
        "key-days": "90",
    } | changes


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


def acts_of(client: Client, page: int = 1) -> list[str]:
    """The history, as the page tells it."""
    text = client.get("/account/", {"page": page}).content.decode()
    found = re.findall(r'<li><span dir="auto">(.*?)</span>', text)
    return [html.unescape(one) for one in found]


def test_owners_read_what_was_done_with_members_invitations_and_keys():
    owner = factories.user("amina@example.org")
    organization = factories.organization(owner=owner)
    client, invitation = signed_in(owner), {"member-email": "juma@example.org"}
    client.post("/account/invitations/", invitation | {"member-role": "editor"})
    number = organization.invitations.get().pk
    client.post(f"/account/invitations/{number}/withdraw/")
    editor = factories.member(organization)
    number = organization.memberships.get(user=editor).pk
    client.post(f"/account/members/{number}/role/", {"role": "buyer"})
    client.post(f"/account/members/{number}/remove/")
    client.post("/account/keys/", key_form())
    client.post(f"/account/keys/{ApiKey.objects.get().prefix}/revoke/")
    assert acts_of(client) == [
        "amina@example.org stopped the key «training box».",
        "amina@example.org made the key «training box». It may: download, read.",
        f"amina@example.org removed {editor.email}.",
        f"amina@example.org gave {editor.email} another role: buyer.",
        "amina@example.org withdrew the invitation of juma@example.org.",
        "amina@example.org invited juma@example.org (editor).",
        "amina@example.org founded the organization.",
    ]


def test_a_long_history_comes_in_pages():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    for number in range(50):
        organizations.issue_key(
            organization=organization, user=owner, name=f"key {number}", scopes=["read"]
        )
    client = signed_in(owner)
    newest, oldest = acts_of(client), acts_of(client, 2)
    assert ("«key 49»" in newest[0], len(newest), len(oldest)) == (True, 50, 1)


def test_nobody_but_owners_reads_the_history():
    organization = factories.organization()
    editor, stranger = factories.member(organization), factories.user()
    factories.organization(owner=stranger)
    assert acts_of(signed_in(editor)) == []
    assert len(acts_of(signed_in(stranger))) == 1
