"""Sessions: how long they last, who ends them, and what no browser keeps of them."""

import re
import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import organizations
from accounts.models import ApiKey, User
from marketplace import tasks
from marketplace.pages.signing_in import device_of
from tests import factories
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture
def owner() -> User:
    person = factories.user("amina@example.org")
    factories.organization("Radio Kasese", owner=person)
    return person


def sign_in(client: Client, person: User, password: str = factories.PASSWORD):
    return client.post("/accounts/login/", {"login": person.email, "password": password})


# ---- sessions ----


def test_a_browser_in_which_nothing_was_done_for_half_a_day_is_signed_out(owner, monkeypatch):
    client = Client()
    sign_in(client, owner)
    client.get("/account/")
    later(monkeypatch, hours=11.9)
    assert client.get("/account/").status_code == 200
    later(monkeypatch, hours=24)
    answer = client.get("/account/", follow=True)
    assert answer.redirect_chain[0][0] == "/accounts/login/?next=/account/"
    assert "Your session has ended" in answer.content.decode()


def later(monkeypatch, *, hours: float) -> None:
    """Let it be some hours later than it is, whatever was set before."""
    now = NOW() + hours * 3600
    monkeypatch.setattr("marketplace.http.sessions.time.time", lambda: now)


NOW = time.time


def test_an_open_page_that_asks_by_itself_keeps_nobody_signed_in(owner, monkeypatch):
    client = browser_of(owner)
    client.get("/account/")
    for hours in (6, 11.9):
        later(monkeypatch, hours=hours)
        assert client.get("/account/", headers={"HX-Request": "true"}).status_code == 200
    later(monkeypatch, hours=12.1)
    assert client.get("/account/").status_code == 302


def test_no_session_lasts_longer_than_a_fortnight(owner, monkeypatch):
    client = browser_of(owner)
    for hours in range(0, 14 * 24, 11):
        later(monkeypatch, hours=hours)
        assert client.get("/account/").status_code == 200
    later(monkeypatch, hours=14 * 24 + 0.1)
    assert client.get("/account/").status_code == 302


def test_sessions_are_listed_and_ended_one_by_one_or_all(owner):
    here, there, away = (Client(headers={"user-agent": FIREFOX}) for _ in range(3))
    for client in (here, there, away):
        sign_in(client, owner)
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count("Firefox on Linux") == 3 + 2
    assert page.count("This one") == 1
    other = UserSession.objects.get(session_key=there.session.session_key)
    here.post(f"/accounts/sessions/{other.pk}/end/")
    assert there.get("/account/").status_code == 302
    assert away.get("/account/").status_code == 200
    here.post("/accounts/sessions/")
    assert away.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200


def test_sessions_that_are_over_do_not_pile_up(owner):
    browser_of(owner)
    over = Session.objects.get()
    over.expire_date = timezone.now() - timedelta(seconds=1)
    over.save()
    browser_of(owner)
    tasks.tidy_sessions_task()
    assert Session.objects.count() == 1
    assert not Session.objects.filter(pk=over.pk).exists()


def test_nobody_ends_the_session_of_somebody_else(owner):
    here, stranger = Client(), Client()
    sign_in(here, owner)
    sign_in(stranger, factories.user())
    mine = UserSession.objects.get(user=owner)
    assert stranger.post(f"/accounts/sessions/{mine.pk}/end/").status_code == 404
    assert here.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("curl/8.5.0", "curl"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_called_by_its_name(user_agent, device):
    assert device_of(user_agent) == device


# ---- a lost password ----


def reset_password(client: Client, person: User, password: str = "another long password"):  # noqa: S107
    """Set a new password by the link in the letter."""
    client.post("/accounts/password/reset/", {"email": person.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)
    assert link is not None
    form = client.get(link[1])["Location"]
    return client.post(form, {"password1": password, "password2": password}, follow=True)


def key_of(person: User, name: str = "box") -> ApiKey:
    organization = person.memberships.get().organization
    return organizations.issue_key(
        organization=organization, user=person, name=name, scopes=["read"]
    )[0]


def test_after_a_lost_password_the_keys_are_offered_to_be_stopped(owner):
    first, second, gone = (key_of(owner, name) for name in ("first", "second", "gone"))
    organizations.revoke_key(key=gone, by=owner)
    late = key_of(owner, "late")
    ApiKey.objects.filter(pk=late.pk).update(expiry_date=timezone.now() - timedelta(days=1))
    stranger = factories.user()
    factories.organization(owner=stranger)
    foreign = key_of(stranger, "foreign")
    client = Client()
    answer = reset_password(client, owner)
    page = answer.content.decode()
    assert answer.request["PATH_INFO"] == "/accounts/password/reset/key/done/"
    assert [key.name for key in answer.context["keys"]] == ["second", "first"]
    assert page.count("checked") == 2
    client.post("/accounts/password/reset/key/done/", {"key": [first.prefix, foreign.prefix]})
    assert set(ApiKey.objects.filter(revoked=True)) == {first, gone}
    assert client.get("/accounts/password/reset/key/done/").context["keys"] == []
    assert not second.revoked


def test_nobody_sees_keys_who_set_no_password(owner, monkeypatch):
    key = key_of(owner)
    client = Client()
    assert client.get("/accounts/password/reset/key/done/").context["keys"] == []
    client.post("/accounts/password/reset/key/done/", {"key": [key.prefix]})
    key.refresh_from_db()
    assert not key.revoked
    reset_password(client, owner)
    now = time.time() + 901
    monkeypatch.setattr("marketplace.pages.signing_in.time.time", lambda: now)
    assert client.get("/accounts/password/reset/key/done/").context["keys"] == []


def test_a_new_password_by_mail_ends_every_session(owner):
    key_of(owner)
    elsewhere, here = Client(), Client()
    for client in (elsewhere, here):
        sign_in(client, owner)
    assert len(reset_password(here, owner).context["keys"]) == 1
    for client in (elsewhere, here):
        assert client.get("/account/").status_code == 302
    assert sign_in(here, owner).status_code == 200
    sign_in(here, owner, "another long password")
    assert here.get("/account/").status_code == 200


# ---- what is kept ----


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/account/",
        "/accounts/2fa/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/sessions/",
        "/help/",
        "/library/",
        "/studio/",
        "/nothing",
    ],
)
def test_no_page_of_somebody_who_is_signed_in_is_kept(owner, path):
    assert "no-store" in browser_of(owner).get(path)["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"]
)
def test_no_page_of_an_account_is_kept(path, db):
    assert "no-store" in Client().get(path)["Cache-Control"]


def test_what_is_the_same_for_everybody_may_be_kept(owner):
    for client in (Client(), browser_of(owner)):
        assert client.get("/.well-known/commonhold/trusted_root.json")["Cache-Control"].startswith(
            "public"
        )
    assert "no-store" not in Client().get("/").get("Cache-Control", "")
    assert "Cookie" not in Client().get("/.well-known/commonhold/trusted_root.json").get("Vary", "")


@pytest.mark.parametrize(
    ("url", "labels"),
    [
        ("/accounts/login/", ["Email", "Password", "Stay signed in on this device"]),
        (
            "/accounts/password/change/",
            ["Current password", "New password", "New password, once more"],
        ),
    ],
)
def test_the_forms_around_a_password_speak_like_the_site(owner, url, labels):
    browser = Client() if "login" in url else browser_of(owner)
    form = browser.get(url).context["form"]
    assert [str(field.label) for field in form] == labels


def test_a_letter_about_a_change_says_what_to_do_if_it_was_somebody_else(owner):
    browser = browser_of(owner)
    new = {
        "oldpassword": factories.PASSWORD,
        "password1": "kasese mornings",
        "password2": "kasese mornings",
    }
    browser.post("/accounts/password/change/", new)
    letter = str(mail.outbox[-1].body)
    assert "This was changed about how you sign in:\n\nYour password" in letter
    assert "If it was not you, set a new password now" in letter
    assert "Hello" not in letter
    assert "Thank you" not in letter
