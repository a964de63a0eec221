"""What every answer says to the browser, also one that no view made."""

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import User
from tests import factories
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db
YEAR = 31_536_000


@pytest.fixture
def public(settings) -> Client:
    """A browser at a site that is reached by https."""
    settings.SECURE_HSTS_SECONDS = YEAR
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    return Client(enforce_csrf_checks=True)


ANSWERS = [
    ("GET", "/", {}),
    ("GET", "/nowhere", {}),
    ("GET", "/api/v1/datasets", {}),
    ("GET", "/healthz", {}),
    ("GET", "/studio/", {}),
    ("POST", "/accounts/login/", {}),
    ("POST", "/accounts/login/", {"CONTENT_LENGTH": "9000000"}),
    ("POST", "/api/v1/datasets", {"CONTENT_LENGTH": "nonsense"}),
    ("GET", "/", {"HTTP_HOST": "elsewhere.example"}),
]


@pytest.mark.parametrize(("method", "path", "said"), ANSWERS)
def test_no_answer_leaves_out_what_keeps_a_browser_safe(public, method, path, said):
    answer = public.generic(method, path, secure=True, **said)
    strict = answer["Strict-Transport-Security"]
    assert strict == f"max-age={YEAR}; includeSubDomains; preload"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    for directive in ("default-src", "object-src", "base-uri", "frame-ancestors"):
        assert policy[directive] == "'none'", directive
    for directive in ("script-src", "style-src"):
        assert policy[directive] == "'self'", directive


@pytest.mark.parametrize(("method", "path", "said"), ANSWERS)
def test_no_text_is_sent_without_its_encoding(public, method, path, said):
    answer = public.generic(method, path, secure=True, **said)
    kind = answer.get("Content-Type", "")
    assert not answer.content or kind
    if kind.startswith("text/") or kind.partition(";")[0].endswith("xml"):
        assert kind.endswith("; charset=utf-8")


def test_every_cookie_is_bound_to_the_site_and_to_https(public):
    person = factories.user()
    public.get("/accounts/login/", secure=True)
    token = public.cookies["__Host-csrftoken"].value
    form = {"login": person.email, "password": factories.PASSWORD, "csrfmiddlewaretoken": token}
    headers = {"referer": "https://testserver/accounts/login/"}
    public.post("/accounts/login/", form, secure=True, headers=headers)
    public.post("/accounts/login/", {**form, "password": "wrong"}, secure=True, headers=headers)
    assert set(public.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for name, cookie in public.cookies.items():
        assert cookie["secure"], name
        assert cookie["path"] == "/", name
        assert not cookie["domain"], name
        assert cookie["samesite"] == "Lax", name
    assert public.cookies["__Host-sessionid"]["httponly"]


def test_what_a_page_tells_after_an_act_lies_in_no_cookie():
    person = factories.user()
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": factories.PASSWORD})
    assert set(client.cookies) <= {
        django_settings.SESSION_COOKIE_NAME,
        django_settings.CSRF_COOKIE_NAME,
    }


PAGES = ["/", "/accounts/login/", "/account/", "/verify", "/healthz", "/api/v1/datasets", "/log"]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_echoes_a_request(path):
    answer = Client().generic("TRACE", path, headers={"X-Secret": "do not repeat"})
    assert answer.status_code in {401, 404, 405}
    assert b"do not repeat" not in answer.content


@pytest.mark.parametrize(
    "path", ["/.git/config", "/.git/", "/static/", "/static/built/", "/static/../manage.py"]
)
def test_no_folder_of_ours_is_shown(path):
    assert Client().get(path).status_code == 404


FORGED = {"referer": "https://elsewhere.example/", "origin": "https://elsewhere.example"}


@pytest.mark.parametrize(
    "path",
    [
        "/account/acting/", "/account/keys/", "/account/invitations/", "/accounts/email/",
        "/accounts/2fa/totp/activate/", "/accounts/login/", "/accounts/logout/",
        "/accounts/password/change/",
        "/accounts/sessions/", "/studio/new/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, FORGED])
def test_no_form_of_another_site_does_anything(path, headers):
    person = factories.user()
    factories.organization(owner=person)
    client = browser_of(person, Client(enforce_csrf_checks=True))
    assert client.post(path, {}, headers=headers).status_code == 403
    assert client.get("/account/").status_code == 200


def test_nobody_has_an_account_before_somebody_joined():
    assert not User.objects.exists()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_program_that_calls_in_the_clear_is_refused_and_not_led_on(public, settings, method):
    settings.SECURE_SSL_REDIRECT = True
    answer = public.generic(method, "/api/v1/me", headers={"Authorization": "Bearer x.y"})
    assert (answer.status_code, answer.json()["code"]) == (403, "https-required")
    person = public.get("/library/")
    assert (person.status_code, person["Location"]) == (301, "https://testserver/library/")
    assert public.get("/healthz").status_code == 200
    assert public.get("/api/v1/datasets", secure=True).status_code == 200
