"""The second factor, asking again, and owners who need more than a password."""

import re
import time
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from accounts import invitations, organizations
from accounts.models import ApiKey, Role, User
from ingestion.archive import datasets
from marketplace.http.factors import Adapter, SecretUnreadable
from tests import factories
from tests.signing_in import browser_of, code_of, codes_of, prove, set_up_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    person = factories.user("amina@example.org")
    factories.organization("Radio Kasese", owner=person)
    return person


def sign_in(client: Client, person: User, password: str = factories.PASSWORD):
    return client.post("/accounts/login/", {"login": person.email, "password": password})


def test_the_password_alone_signs_nobody_in_who_has_an_app(owner):
    secret = set_up_app(browser_of(owner))
    thief = Client()
    assert sign_in(thief, owner)["Location"].startswith("/accounts/2fa/authenticate/")
    assert thief.get("/account/").status_code == 302
    wrong = thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert thief.get("/account/").status_code == 302
    thief.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert thief.get("/account/").status_code == 200


def test_a_recovery_code_works_once(owner):
    client = browser_of(owner)
    set_up_app(client)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    code = re.findall(r"<code>(\d{8})</code>", page)[0]
    for works in (True, False):
        lost = Client()
        sign_in(lost, owner)
        lost.post("/accounts/2fa/authenticate/", {"code": code})
        assert (lost.get("/account/").status_code == 200) is works


def test_the_secret_of_an_app_does_not_lie_in_the_database(owner):
    secret = set_up_app(browser_of(owner))
    kept = Authenticator.objects.values_list("data", flat=True)
    assert len(kept) == 2
    assert secret not in str(list(kept))
    assert {key for data in kept for key in data} == {"secret", "seed", "used_mask"}


def test_secrets_survive_a_new_secret_of_the_site(owner, settings):
    secret = set_up_app(browser_of(owner))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    client = Client()
    sign_in(client, owner)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert client.get("/account/").status_code == 200


def test_a_secret_that_changed_in_the_database_is_not_believed(settings):
    adapter = Adapter()
    kept = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert adapter.encrypt("JBSWY3DPEHPK3PXP") != kept
    assert adapter.decrypt(kept) == "JBSWY3DPEHPK3PXP"
    for place in range(0, len(kept), 7):
        other = "A" if kept[place] != "A" else "B"
        with pytest.raises(SecretUnreadable):
            adapter.decrypt(kept[:place] + other + kept[place + 1 :])
    settings.SECRET_KEY = "another"
    with pytest.raises(SecretUnreadable):
        adapter.decrypt(kept)


def test_the_code_of_an_app_works_once_for_as_long_as_it_is_taken(owner, monkeypatch):
    code = codes_of(set_up_app(browser_of(owner)))[-1]
    moment = time.time()
    for seconds, works in ((0, True), (1, False), (31, False)):
        monkeypatch.setattr("time.time", lambda now=moment + seconds: now)
        moved = datetime.fromtimestamp(moment + seconds, UTC)
        monkeypatch.setattr("django.core.cache.backends.db.tz_now", lambda now=moved: now)
        thief = Client()
        sign_in(thief, owner)
        thief.post("/accounts/2fa/authenticate/", {"code": f"{code[:3]} {code[3:]}"})
        assert (thief.get("/account/").status_code == 200) is works


@pytest.mark.django_db(transaction=True)
def test_a_second_factor_is_told_to_its_person_by_mail(owner):
    set_up_app(browser_of(owner))
    assert [letter.to for letter in mail.outbox] == [["amina@example.org"]]


def test_nobody_sets_up_or_removes_a_factor_in_an_open_browser(owner):
    set_up_app(browser_of(owner))
    left_open = Client()
    left_open.force_login(owner)
    for path in (
        "/accounts/2fa/totp/deactivate/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
    ):
        assert "reauthenticate" in left_open.get(path)["Location"]
        left_open.post(path)
    assert Authenticator.objects.count() == 2


KEY = {"key-name": "box", "key-scopes": ["read"], "key-days": "90"}


def test_a_key_is_not_made_in_a_browser_that_was_left_open(owner):
    left_open = Client()
    left_open.force_login(owner)
    asked = left_open.post("/account/keys/", KEY)
    assert unquote(asked["Location"]) == "/accounts/reauthenticate/?next=/account/keys/"
    refused = left_open.post(asked["Location"], {"password": "wrong"})
    assert refused.status_code == 200
    assert not ApiKey.objects.exists()


def test_after_the_password_the_form_goes_on_as_it_was_typed(owner):
    client = Client()
    client.force_login(owner)
    asked = client.post("/account/keys/", KEY)
    answer = client.post(
        asked["Location"], {"password": factories.PASSWORD, "next": "/account/keys/"}
    )
    assert answer.status_code == 201
    assert ApiKey.objects.get().name == "box"
    assert client.get("/account/keys/")["Location"] == "/account/"


def test_whoever_just_signed_in_is_not_asked_again(owner):
    client = Client()
    sign_in(client, owner)
    assert client.post("/account/keys/", KEY).status_code == 201
    for page in ("totp/activate", "webauthn/add"):
        assert client.get(f"/accounts/2fa/{page}/").status_code == 200
    client.post("/accounts/email/", {"action_add": "", "email": "new@example.org"})
    assert [letter.to for letter in mail.outbox] == [["new@example.org"]]


def test_the_proof_is_too_old_after_a_quarter_of_an_hour(owner):
    client = browser_of(owner)
    prove(client, owner, seconds_ago=800)
    assert client.post("/account/keys/", KEY).status_code == 201
    prove(client, owner, seconds_ago=901)
    assert client.post("/account/keys/", KEY).status_code == 302


def test_members_and_addresses_are_not_changed_in_a_browser_that_was_left_open(owner):
    organization = owner.memberships.get().organization
    member = factories.member(organization)
    number = organization.memberships.get(user=member).pk
    left_open = Client()
    left_open.force_login(owner)
    left_open.get("/accounts/email/")
    for path, form in (
        ("/account/invitations/", {"member-email": "x@example.org", "member-role": "buyer"}),
        (f"/account/members/{number}/role/", {"role": "owner"}),
        (f"/account/members/{number}/remove/", {}),
        ("/accounts/email/", {"action_add": "", "email": "new@example.org"}),
    ):
        asked = left_open.post(path, form)
        assert "/accounts/reauthenticate/" in asked["Location"], path
    assert organization.memberships.get(user=member).role == Role.EDITOR
    assert set(owner.emailaddress_set.values_list("email", flat=True)) <= {owner.email}


def test_a_person_with_an_app_can_prove_it_with_the_app(owner):
    client = browser_of(owner)
    secret = set_up_app(client)
    Authenticator.objects.update(last_used_at=None)
    prove(client, owner, seconds_ago=3600)
    page = unquote(client.get(client.post("/account/keys/", KEY)["Location"]).content.decode())
    assert "/accounts/2fa/reauthenticate/?next=/account/keys/" in page
    answer = client.post(
        "/accounts/2fa/reauthenticate/", {"code": code_of(secret), "next": "/account/keys/"}
    )
    assert answer.status_code == 201


# ---- owners ----


@pytest.fixture
def required(settings):
    settings.REQUIRE_MFA_FOR_OWNERS = True


@pytest.mark.parametrize("path", ["/account/", "/studio/", "/library/", "/library/receipts/"])
def test_an_owner_without_a_factor_is_led_to_set_one_up(owner, required, path):
    client = browser_of(owner)
    for answer in (client.get(path, follow=True), client.post(path, follow=True)):
        assert answer.redirect_chain == [("/accounts/2fa/", 302)]
        assert "Owners need a second factor" in answer.content.decode()
    set_up_app(client)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}])
def test_an_owner_without_a_factor_does_nothing_by_a_script_of_the_page(owner, required, headers):
    client = browser_of(owner)
    for answer in (
        client.post("/api/v1/datasets", {"title": "x"}, "application/json", headers=headers),
        client.get("/api/v1/quotas", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-needed")


def test_the_key_of_an_owner_without_a_factor_waits_for_one(owner, required, settings):
    settings.REQUIRE_MFA_FOR_OWNERS = False
    station = owner.memberships.get().organization
    wanted = {"organization": station, "user": owner, "name": "box", "scopes": ["read"]}
    _, secret = organizations.issue_key(**wanted)
    settings.REQUIRE_MFA_FOR_OWNERS = True
    bearer = {"Authorization": f"Bearer {secret}"}
    refused = Client().get("/api/v1/me", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-needed")
    with pytest.raises(organizations.SecondFactorNeeded):
        organizations.issue_key(**wanted)
    set_up_app(browser_of(owner))
    assert Client().get("/api/v1/me", headers=bearer).json()["role"] == "owner"


def test_an_owner_without_a_factor_manages_nobody_on_any_path(owner, required):
    organization = owner.memberships.get().organization
    editor = organization.memberships.get(user=factories.member(organization))
    for act in (
        lambda: organizations.change_role(membership=editor, role=Role.OWNER, by=owner),
        lambda: organizations.remove_member(organization=organization, user=editor.user, by=owner),
        lambda: invitations.invite(
            organization=organization, address="x@example.org", role=Role.OWNER, by=owner
        ),
    ):
        with pytest.raises(organizations.SecondFactorNeeded):
            act()
    set_up_app(browser_of(owner))
    organizations.change_role(membership=editor, role=Role.OWNER, by=owner)
    assert organization.memberships.get(pk=editor.pk).role == Role.OWNER


def test_editors_visitors_and_the_catalogue_need_no_factor(owner, required):
    editor = factories.member(owner.memberships.get().organization)
    assert browser_of(editor).get("/studio/").status_code == 200
    assert Client().get("/").status_code == 200
    assert browser_of(owner).get("/").status_code == 200


def test_an_owner_can_turn_to_an_organization_of_others_and_works_for_that_alone(owner, required):
    station = owner.memberships.get().organization
    particulars = {
        "slug": "talks",
        "title": "Talks",
        "language": "sw",
        "task": "speech-recognition",
    }
    own = datasets.create(organization=station, by=owner, **particulars)
    elsewhere = factories.organization("Radio Mtoni")
    elsewhere.memberships.create(user=owner, role=Role.EDITOR)
    client = browser_of(owner)
    client.post("/account/acting/", {"organization": elsewhere.slug})
    assert client.get("/studio/").status_code == 200
    place = f"{own.organization.slug}/{own.slug}"
    assert client.get(f"/studio/{place}/").headers["Location"] == "/accounts/2fa/"
    assert client.get(f"/api/v1/datasets/{place}").status_code == 404
    set_up_app(client)
    assert client.get(f"/studio/{place}/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(owner, required):
    Authenticator.objects.create(user=owner, type="recovery_codes", data={})
    assert browser_of(owner).get("/account/").status_code == 302
