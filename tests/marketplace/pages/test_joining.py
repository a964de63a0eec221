"""Joining: an address is proved first. Nobody learns by it who has joined."""

import re
import time

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.http import HttpResponse
from django.test import Client

from accounts import people
from accounts.models import AuditEntry, Organization, Role, User
from tests import factories, letters
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db
ADDRESS = "amina@example.org"
WHO = {"name": "Amina Kato", "password1": factories.PASSWORD, "organization": "Radio Kasese"}
HASHED: list[str] = []


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed, which is what takes time."""

    def encode(self, password: str, salt: str) -> str:
        HASHED.append(salt)
        return super().encode(password, salt)


class BrokenPost(EmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages: object) -> int:  # noqa: ARG002 - Django's
        raise ConnectionRefusedError


def ask(address: str = ADDRESS, **more: str) -> HttpResponse:
    """Ask to join."""
    return Client().post("/accounts/signup/", {"email": address} | more)


def asked(address: str = ADDRESS, **more: str) -> str:
    """Ask to join, and return the link of the letter."""
    assert ask(address, **more).status_code == 302
    return letters.link(address)


def without_token(answer: HttpResponse) -> str:
    """A page without what differs from one reading to the next."""
    return re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.content.decode())


def test_an_address_is_proved_before_there_is_an_account():
    ask()
    assert "Somebody, probably you, wants to join" in str(letters.to(ADDRESS)[-1].body)
    assert not User.objects.exists()
    assert not EmailAddress.objects.exists()


def test_joining_makes_the_person_and_their_organization_and_signs_them_in():
    browser = Client()
    joined = browser.post(asked(), WHO)
    assert (joined.status_code, joined["Location"]) == (302, "/")
    membership = User.objects.get(email=ADDRESS).memberships.get()
    assert (membership.organization.slug, membership.role) == ("radio-kasese", Role.OWNER)
    assert membership.user.name == "Amina Kato"
    assert membership.user.confirmed_at is not None
    assert browser.get("/account/").context["organization"] == membership.organization
    assert AuditEntry.objects.get(verb="user.joined").actor == ADDRESS


def test_whoever_joins_in_the_middle_of_something_comes_back_to_it():
    link = asked(next="/checkout/7?from=here")
    # On another device: nothing but the letter leads back.
    joined = Client().post(link, WHO)
    assert joined["Location"] == "/checkout/7?from=here"


def test_joining_never_leads_off_the_site():
    assert Client().post(asked(next="https://evil.example/"), WHO)["Location"] == "/"


def test_opening_the_link_changes_nothing():
    link = asked()
    assert Client().get(link).status_code == 200
    assert Client().head(link).status_code == 200
    assert not User.objects.exists()


def test_the_link_works_once():
    link = asked()
    Client().post(link, WHO)
    again = Client().post(link, WHO | {"organization": "Another", "password1": "taken over now"})
    assert again["Location"] == "/accounts/login/"
    assert User.objects.get().check_password(factories.PASSWORD)
    assert Organization.objects.count() == 1


def test_a_link_that_was_changed_or_is_too_old_makes_nobody(monkeypatch):
    link = asked()
    broken = Client().post(f"{link[:-3]}abc", WHO)
    assert (broken.status_code, User.objects.count()) == (410, 0)
    assert "too old, or not whole" in broken.content.decode()
    later = time.time() + 4 * 86400
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert Client().post(link, WHO).status_code == 410
    assert not User.objects.exists()


def test_somebody_elses_link_does_not_change_who_is_signed_in():
    link, other = asked(), factories.user()
    browser = Client()
    browser.force_login(other)
    assert browser.get(link).status_code == 403
    answer = browser.post(link, WHO)
    assert answer.status_code == 403
    assert f"you are signed in as <strong>{other.email}" in answer.content.decode()
    assert not User.objects.filter(email=ADDRESS).exists()


def test_joining_under_a_taken_name_makes_nothing_and_keeps_what_was_typed():
    factories.organization("Radio Kasese")
    answer = Client().post(asked(), WHO)
    assert answer.status_code == 409
    assert "looks like the name of Radio Kasese" in answer.content.decode()
    assert "Amina Kato" in answer.content.decode()
    assert not User.objects.filter(email=ADDRESS).exists()


def test_a_name_without_latin_letters_takes_a_short_name_beside_it():
    link = asked()
    refused = Client().post(link, WHO | {"organization": "ራዲዮ"})
    assert refused.status_code == 409
    assert "short name in Latin letters" in refused.content.decode()
    Client().post(link, WHO | {"organization": "ራዲዮ", "slug": "radio-addis"})
    assert Organization.objects.get(slug="radio-addis").name == "ራዲዮ"


@pytest.mark.parametrize("password", ["short", "password123", "amina@example.org"])
def test_a_password_that_anybody_could_guess_is_refused_beside_its_field(password: str):
    answer = Client().post(asked(), WHO | {"password1": password})
    assert answer.status_code == 422
    assert answer.context["form"].errors["password1"]
    assert not User.objects.exists()


def test_asking_to_join_never_says_whether_an_address_has_joined():
    factories.user(ADDRESS)
    factories.squatter("claimed@example.org")
    answers = []
    for address in (ADDRESS, "claimed@example.org", "nobody@example.org"):
        browser = Client()
        answer = browser.post("/accounts/signup/", {"email": address}, follow=True)
        answers.append((answer.redirect_chain, without_token(answer)))
        assert len(letters.to(address)) == 1
    assert answers[0] == answers[1] == answers[2]
    assert len(mail.outbox) == 3


def test_whoever_has_joined_is_told_so_by_mail_alone():
    factories.user(ADDRESS)
    assert letters.links(asked_text(next="/checkout/7")) == [
        "/accounts/login/?next=%2Fcheckout%2F7",
        "/accounts/password/reset/",
    ]


def asked_text(**more: str) -> str:
    """What the letter says."""
    ask(ADDRESS.upper(), **more)
    return str(letters.to(ADDRESS)[-1].body)


def test_asking_again_and_again_does_not_fill_a_strangers_mailbox():
    answers = {ask().status_code for _ in range(5)}
    assert answers == {302}
    assert len(mail.outbox) == 1


def test_a_letter_that_can_not_be_sent_is_said_on_the_page(settings):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    answer = ask(next="/checkout/7")
    assert answer.status_code == 503
    assert "could not be sent" in answer.content.decode()
    assert 'name="next" value="/checkout/7"' in answer.content.decode()


def test_a_letter_that_could_not_be_sent_can_be_asked_for_again_at_once(settings):
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    assert [ask().status_code for _ in range(2)] == [503, 503]
    settings.EMAIL_BACKEND = works
    assert Client().get(asked()).status_code == 200


@pytest.mark.parametrize("address", [ADDRESS, "nobody@example.org"])
def test_a_letter_for_a_new_password_that_can_not_be_sent_is_said_on_the_page(settings, address):
    factories.user(ADDRESS)
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    answer = Client().post("/accounts/password/reset/", {"email": address})
    assert answer.status_code == 503
    assert "could not be sent" in answer.content.decode()


def test_an_address_whose_letter_can_not_be_sent_is_not_added_and_can_be_again(settings):
    browser, works = browser_of(factories.user()), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    form = {"action_add": "", "email": ADDRESS}
    answer = browser.post("/accounts/email/", form, headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "could not be sent" in answer.content.decode()
    assert not EmailAddress.objects.filter(email=ADDRESS).exists()
    settings.EMAIL_BACKEND = works
    browser.post("/accounts/email/", form)
    assert browser.post(letters.link(ADDRESS)).status_code == 302


def test_signing_in_says_that_the_letter_to_confirm_could_not_be_sent(settings):
    factories.squatter(ADDRESS)
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    form = {"login": ADDRESS, "password": factories.PASSWORD}
    answers = [Client().post("/accounts/login/", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json()["code"] == "mail-not-sent"


def test_a_new_password_is_set_though_the_letter_that_tells_it_is_not_sent(settings):
    person = factories.user(ADDRESS)
    Client().post("/accounts/password/reset/", {"email": ADDRESS})
    browser = Client()
    form = browser.get(letters.link(ADDRESS))["Location"]
    settings.EMAIL_BACKEND = f"{__name__}.BrokenPost"
    new = dict.fromkeys(("password1", "password2"), "another and a good one")
    assert browser.post(form, new).status_code == 302
    person.refresh_from_db()
    assert person.check_password("another and a good one")
    assert AuditEntry.objects.filter(verb="password.reset").exists()


def test_a_stranger_who_asks_to_join_holds_back_no_letter_that_confirms():
    ask()
    form = {"action_add": "", "email": ADDRESS}
    browser_of(factories.user()).post("/accounts/email/", form)
    assert "/accounts/confirm-email/" in letters.link(ADDRESS)


def test_a_squatter_is_displaced_by_whoever_joins_through_the_link():
    squatter = factories.squatter(ADDRESS)
    browser = Client()
    browser_of(squatter, browser)
    Client().post(asked(), WHO)
    assert browser.get("/account/").status_code == 302
    login = Client().post(
        "/accounts/login/", {"login": ADDRESS, "password": "the squatter's password"}
    )
    assert login.status_code == 200
    owner = people.holder(address=ADDRESS)
    assert owner is not None
    assert owner != squatter


def test_a_squatter_who_signs_in_waits_at_the_door():
    factories.squatter(ADDRESS)
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": ADDRESS, "password": factories.PASSWORD})
    assert answer["Location"] == "/accounts/confirm-email/"
    assert browser.get("/account/").status_code == 302


def test_the_owner_of_an_address_never_confirms_a_squatters_account_by_its_letter():
    squatter = factories.squatter(ADDRESS)
    door = Client()
    door.post("/accounts/login/", {"login": ADDRESS, "password": factories.PASSWORD})
    link = letters.link(ADDRESS)
    owner = Client()
    assert "Sign in first" in owner.get(link).content.decode()
    assert owner.post(link).status_code == 403
    squatter.refresh_from_db()
    assert squatter.confirmed_at is None
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_a_strangers_letter_signs_nobody_out():
    factories.squatter(ADDRESS)
    Client().post("/accounts/login/", {"login": ADDRESS, "password": factories.PASSWORD})
    browser = Client()
    browser.force_login(factories.user())
    browser.get(letters.link(ADDRESS))
    assert browser.get("/account/").status_code == 200


def test_an_account_without_proof_is_confirmed_in_the_browser_that_knows_its_password():
    operator = User.objects.create_superuser(ADDRESS, factories.PASSWORD)
    browser = Client()
    browser.post(
        "/accounts/login/",
        {"login": ADDRESS, "password": factories.PASSWORD, "next": "/account/"},
    )
    confirmed = browser.post(letters.link(ADDRESS))
    assert confirmed["Location"] == "/account/"
    operator.refresh_from_db()
    assert operator.confirmed_at is not None
    assert browser.get("/account/").status_code == 200
    assert AuditEntry.objects.get(verb="address.confirmed").copies == {"address": ADDRESS}


def test_a_further_address_is_confirmed_by_whoever_is_signed_in():
    person = factories.user("first@example.org")
    browser = Client()
    browser_of(person, browser)
    browser.post("/accounts/email/", {"action_add": "", "email": ADDRESS})
    assert people.holder(address=ADDRESS) is None
    browser.post(letters.link(ADDRESS))
    assert people.holder(address=ADDRESS) == person


def test_an_address_that_was_claimed_and_then_joined_with_is_not_confirmed_by_the_claimant():
    person = factories.user("first@example.org")
    browser = Client()
    browser_of(person, browser)
    browser.post("/accounts/email/", {"action_add": "", "email": ADDRESS})
    link = letters.link(ADDRESS)
    owner = people.join(address=ADDRESS, password=factories.PASSWORD, name="Amina")
    assert browser.post(link).status_code == 404
    assert people.holder(address=ADDRESS) == owner


def test_a_session_from_before_may_look_around_and_nothing_more():
    squatter = factories.squatter(ADDRESS)
    browser = Client()
    browser_of(squatter, browser)
    assert "have it sent again" in browser.get("/").content.decode()
    refused = browser.get("/account/")
    assert refused.status_code == 403
    assert "Confirm your address first" in refused.content.decode()
    founded = browser.post("/account/organizations/", {"organization-name": "Radio Squat"})
    assert founded.status_code == 403
    assert not Organization.objects.exists()
    assert browser.get("/accounts/email/").status_code == 200


def test_a_new_password_is_sent_to_whoever_proved_the_address_and_to_nobody_who_claims_it():
    factories.user(ADDRESS)
    factories.squatter("claimed@example.org")
    claimant = factories.user()
    EmailAddress.objects.create(user=claimant, email="beside@example.org")
    reset = {}
    for address in (ADDRESS, "claimed@example.org", "beside@example.org", "nobody@example.org"):
        answer = Client().post("/accounts/password/reset/", {"email": address})
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/reset/done/")
        (letter,) = letters.to(address)
        reset[address] = "/accounts/password/reset/key/" in str(letter.body)
    assert [address for address, sent in reset.items() if sent] == [ADDRESS]


def test_signing_in_does_the_same_work_for_addresses_that_have_joined_and_that_have_not(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    factories.user(ADDRESS)
    factories.squatter("claimed@example.org")
    work, answers = [], []
    for address in (ADDRESS, "claimed@example.org", "nobody@example.org"):
        HASHED.clear()
        login = {"login": address, "password": "not the password"}
        answer = Client().post("/accounts/login/", login)
        work.append(len(HASHED))
        answers.append(without_token(answer).replace(address, ""))
    assert work[0] == work[1] == work[2] > 0
    assert answers[0] == answers[1] == answers[2]
