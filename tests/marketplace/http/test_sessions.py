"""What a session is worth, and when it ends."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import audit, organizations
from accounts.models import AuditEntry, User
from tests import factories
from tests.signing_in import prove

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME


@pytest.fixture
def person() -> User:
    found = factories.user("amina@example.org")
    factories.organization(owner=found)
    return found


def sign_in(person: User) -> Client:
    client = Client()
    form = {"login": person.email, "password": factories.PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    return client


def opens(key: str) -> bool:
    """Whether whoever has the name of a session is somebody by it."""
    other = Client()
    other.cookies[COOKIE] = key
    return other.get("/account/").status_code == 200


def test_the_name_of_a_session_can_not_be_guessed(person):
    keys = {sign_in(person).cookies[COOKIE].value for _ in range(5)}
    assert len(keys) == 5
    # 32 characters of 36: 165 bits.
    assert all(len(key) == 32 and set(key) <= set(VALID) for key in keys)


VALID = "abcdefghijklmnopqrstuvwxyz0123456789"


def test_signing_in_takes_no_name_that_was_there_before(person):
    client = Client()
    client.cookies[COOKIE] = "a" * 32
    client.post("/accounts/login/", {"login": person.email, "password": factories.PASSWORD})
    assert client.cookies[COOKIE].value != "a" * 32
    assert not opens("a" * 32)


def test_a_name_from_before_the_proof_opens_nothing_after_it(person):
    client = sign_in(person)
    before = client.cookies[COOKIE].value
    prove(client, person, seconds_ago=3600)
    listed = UserSession.objects.get()
    client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD, "next": "/account/"})
    after = client.cookies[COOKIE].value
    assert after != before
    assert opens(after)
    assert not opens(before)
    again = UserSession.objects.get()
    assert (again.pk, again.session_key) == (listed.pk, after)


def test_a_page_that_is_looked_at_keeps_the_name_of_the_session(person):
    client = sign_in(person)
    before = client.cookies[COOKIE].value
    assert client.get("/account/").status_code == 200
    assert client.cookies[COOKIE].value == before


def test_a_session_that_was_left_opens_nothing_any_more(person):
    client = sign_in(person)
    key = client.cookies[COOKIE].value
    assert opens(key)
    answer = client.post("/accounts/logout/")
    assert not opens(key)
    assert answer["Clear-Site-Data"] == '"storage"'


def test_looking_at_the_way_out_signs_nobody_out(person):
    client = sign_in(person)
    answer = client.get("/accounts/logout/")
    assert "Clear-Site-Data" not in answer
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/account/", "/studio/", "/library/", "/help/", "/nothing"])
def test_every_page_has_a_way_out(person, path):
    page = sign_in(person).get(path).content.decode()
    assert '<form method="post" action="/accounts/logout/">' in page


def test_whoever_is_switched_off_is_signed_out_everywhere(person):
    here, there = sign_in(person), sign_in(person)
    key = organizations.issue_key(
        organization=person.memberships.get().organization,
        user=person,
        name="box",
        scopes=["read"],
    )[1]
    person.is_active = False
    person.save()
    for client in (here, there):
        assert client.get("/account/").status_code == 302
    answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_a_changed_password_ends_the_sessions_elsewhere(person):
    here, elsewhere = sign_in(person), sign_in(person)
    new = "seven quiet herons"
    form = {"oldpassword": "wrong", "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 200
    assert elsewhere.get("/account/").status_code == 200
    form["oldpassword"] = factories.PASSWORD
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert elsewhere.get("/account/").status_code == 302
    person.refresh_from_db()
    assert person.check_password(new)


def test_no_session_is_ended_in_a_browser_that_was_left_open(person):
    here, there = sign_in(person), sign_in(person)
    prove(here, person, seconds_ago=3600)
    number = UserSession.objects.get(session_key=there.cookies[COOKIE].value).pk
    for path in (f"/accounts/sessions/{number}/end/", "/accounts/sessions/"):
        assert "/accounts/reauthenticate/" in here.post(path)["Location"], path
    assert there.get("/account/").status_code == 200


def test_the_operator_signs_somebody_out_of_every_browser(person, capsys):
    here, there, another = sign_in(person), sign_in(person), sign_in(factories.user())
    call_command("end_sessions", "Amina@Example.org")
    assert capsys.readouterr().out == "Ended 2 sessions.\n"
    for client in (here, there):
        assert client.get("/account/").status_code == 302
    assert another.get("/account/").status_code == 200
    entry = audit.history(of=person).first()
    assert entry is not None
    assert (entry.actor, entry.verb) == ("the site", "session.ended")
    assert entry.copies == {"why": "by the operator"}


def test_the_operator_signs_everybody_out(person):
    clients = [sign_in(person), sign_in(factories.user())]
    call_command("end_sessions", "--all")
    assert [client.get("/account/").status_code for client in clients] == [302, 302]
    assert not Session.objects.exclude(pk__in=[c.session.session_key for c in clients]).exists()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.actor, entry.verb, entry.about) == ("the site", "session.ended", [])
    assert entry.copies == {"why": "everybody's, by the operator"}


def test_nobody_is_signed_out_by_an_address_that_nobody_has(person):
    client = sign_in(person)
    with pytest.raises(CommandError, match=r"Nobody signs in with juma@example\.org"):
        call_command("end_sessions", "juma@example.org")
    with pytest.raises(CommandError):
        call_command("end_sessions")
    assert client.get("/account/").status_code == 200


def test_a_new_password_by_mail_does_not_pass_by_the_second_factor(person):
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    person.set_password("seven quiet herons")
    person.save()
    client = Client()
    form = {"login": person.email, "password": "seven quiet herons"}
    answer = client.post("/accounts/login/", form)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/account/").status_code == 302
