"""Failed sign-ins make whoever guesses wait, and nobody else."""

import time
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test import Client

from marketplace.http import signing_in
from tests import at_once, factories, letters
from tests.signing_in import browser_of, code_of, codes_of, set_up_app

pytestmark = pytest.mark.django_db
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.66"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(signing_in, "time", made)
    return made


def sign_in(email: str, password: str, address: str, **headers: str):
    """Send the form from an address."""
    form = {"login": email, "password": password}
    return Client(REMOTE_ADDR=address).post("/accounts/login/", form, headers=headers)


def test_a_strangers_failures_do_not_stop_the_owner():
    owner = factories.user()
    for _ in range(30):
        sign_in(owner.email, "guess", ELSEWHERE)
    assert sign_in(owner.email, "guess", ELSEWHERE).status_code == 429
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 302


def test_a_strangers_failures_behind_the_same_proxy_do_not_stop_the_owner(settings):
    settings.TRUSTED_PROXIES = 1
    owner = factories.user()
    for number in range(40):
        sign_in(f"x{number}@example.org", "no", "10.0.0.1", **{"X-Forwarded-For": ELSEWHERE})
    answer = sign_in(owner.email, factories.PASSWORD, "10.0.0.1", **{"X-Forwarded-For": HOME})
    assert answer.status_code == 302


def test_who_guesses_at_one_account_waits_longer_and_longer(clock):
    owner = factories.user()
    waits = []
    for _ in range(14):
        answer = sign_in(owner.email, "guess", HOME)
        if answer.status_code == 429:
            waits.append(int(answer["Retry-After"]))
            clock.now += waits[-1]
            answer = sign_in(owner.email, "guess", HOME)
        assert answer.status_code == 200
    assert waits == [16, 31, 61, 121, 241, 481, 901, 901, 901]
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 429
    clock.now += 901
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 302
    assert sign_in(owner.email, "guess", HOME).status_code == 200


def test_the_refusal_says_how_long_to_wait():
    owner = factories.user()
    for _ in range(5):
        sign_in(owner.email, "guess", HOME)
    answer = sign_in(owner.email, "guess", HOME, Accept="text/html")
    assert answer.status_code == 429
    assert f"Wait {answer['Retry-After']} seconds" in answer.content.decode()


def test_who_sets_a_new_password_while_waiting_signs_in_with_it():
    owner = factories.user()
    for address, proved in (("second@example.org", True), ("claimed@example.org", False)):
        EmailAddress.objects.create(user=owner, email=address, verified=proved)
    for address in (owner.email, "second@example.org", "claimed@example.org") * 6:
        assert sign_in(address, "guess", HOME).status_code in {200, 429}
    for number in range(12):
        sign_in(f"x{number}@example.org", "no", HOME)
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 429
    browser = Client(REMOTE_ADDR=HOME)
    browser.post("/accounts/password/reset/", {"email": owner.email})
    form = browser.get(letters.link(owner.email))["Location"]
    browser.post(form, dict.fromkeys(("password1", "password2"), "another and a good one"))
    assert sign_in(owner.email, "another and a good one", HOME).status_code == 302
    assert sign_in("second@example.org", "another and a good one", HOME).status_code == 302
    assert sign_in("claimed@example.org", "guess", HOME).status_code == 429
    assert sign_in("x@example.org", "no", HOME).status_code == 429


def test_who_guesses_at_many_accounts_waits_too():
    for number in range(21):
        assert sign_in(f"x{number}@example.org", "no", ELSEWHERE).status_code == 200
    assert sign_in("another@example.org", "no", ELSEWHERE).status_code == 429


def test_who_has_signed_in_from_an_address_is_not_stopped_by_others_failures_there():
    owner = factories.user()
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 302
    for number in range(25):
        sign_in(f"x{number}@example.org", "no", HOME)
    assert sign_in("another@example.org", "no", HOME).status_code == 429
    assert sign_in(owner.email, factories.PASSWORD, HOME).status_code == 302


def test_a_forged_address_buys_no_further_guess():
    owner = factories.user()
    for number in range(5):
        forged = {"X-Forwarded-For": f"192.0.2.{number}"}
        sign_in(owner.email, "guess", ELSEWHERE, **forged)
    answer = sign_in(owner.email, "guess", ELSEWHERE, **{"X-Forwarded-For": "192.0.2.99"})
    assert answer.status_code == 429


def test_an_account_that_does_not_exist_waits_like_one_that_does():
    known, unknown = factories.user().email, "nobody@example.org"
    for email in (known, unknown):
        statuses = [sign_in(email, "guess", f"192.0.2.{len(email)}").status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2


def test_a_success_does_not_give_an_address_its_guesses_back():
    mine = factories.user()
    for number in range(20):
        sign_in(f"x{number}@example.org", "no", ELSEWHERE)
        assert sign_in(mine.email, factories.PASSWORD, ELSEWHERE).status_code == 302
    sign_in("x@example.org", "no", ELSEWHERE)
    assert sign_in("x@example.org", "no", ELSEWHERE).status_code == 429


def test_the_cache_holds_nobodys_address():
    owner = factories.user()
    sign_in(owner.email, "guess", HOME)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM shared_cache WHERE cache_key NOT LIKE ':1:allauth%%'")
        names = " ".join(row[0] for row in cursor.fetchall())
    assert names
    assert owner.email not in names
    assert HOME not in names


def try_code(email: str, code: str, address: str):
    """Sign in with the right password, and send a code."""
    browser = Client(REMOTE_ADDR=address)
    browser.post("/accounts/login/", {"login": email, "password": factories.PASSWORD})
    return browser.post("/accounts/2fa/authenticate/", {"code": code})


def test_who_knows_the_password_and_guesses_codes_waits_longer_and_longer(clock):
    owner = factories.user()
    secret = set_up_app(browser_of(owner))
    assert [try_code(owner.email, "no", ELSEWHERE).status_code for _ in range(5)] == [200] * 5
    for wait in (16, 31, 61):
        refused = try_code(owner.email, code_of(secret), ELSEWHERE)
        assert (refused.status_code, refused["Retry-After"]) == (429, str(wait))
        clock.now += wait
        assert try_code(owner.email, "no", ELSEWHERE).status_code == 200
    assert try_code(owner.email, code_of(secret), HOME).status_code == 302


def test_who_guesses_codes_in_a_browser_that_was_left_open_waits():
    owner = factories.user()
    browser = browser_of(owner)
    set_up_app(browser)
    page = "/accounts/2fa/reauthenticate/"
    answers = [
        browser.post(page, {"code": "no"}, headers={"Accept": "text/html"}) for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    told = answers[-1].content.decode()
    assert "Too many codes were wrong." in told
    assert "set a new password" not in told


def test_codes_guessed_from_many_addresses_make_all_wait_but_where_the_owner_came_from(
    clock, monkeypatch
):
    monkeypatch.setattr(signing_in, "FREE_ANYWHERE", 2)
    owner = factories.user()
    _before, now, later = codes_of(set_up_app(browser_of(owner)))
    assert try_code(owner.email, now, HOME).status_code == 302
    for number in range(3):
        assert try_code(owner.email, "no", f"192.0.2.{number}").status_code == 200
    assert try_code(owner.email, later, ELSEWHERE).status_code == 429
    assert try_code(owner.email, later, HOME).status_code == 302
    clock.now += signing_in.LONGEST_WAIT
    assert try_code(owner.email, "no", ELSEWHERE).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_moment_are_all_counted():
    cache.clear()
    guess = partial(signing_in.note_attempt, account="a@example.org", address=ELSEWHERE)
    ended = at_once.all_of(*[guess] * 12)
    refused = [one for one in ended if isinstance(one, signing_in.TooManyAttempts)]
    assert len(refused) == 12 - signing_in.FREE_AT_ACCOUNT - 1
