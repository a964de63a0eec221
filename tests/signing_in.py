"""Browsers of people who are signed in, and have just said so."""

import time
from typing import cast

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows import login
from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from accounts.models import User
from marketplace.http.sessions import BEGAN, SEEN


def browser_of(user: User, client: Client | None = None) -> Client:
    """A browser in which somebody signed in this moment, and has seen a page."""
    client = client or Client()
    client.force_login(user)
    prove(client, user)
    session = client.session
    session[BEGAN] = session[SEEN] = time.time()
    session.save()
    return client


def prove(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """Let the last proof of who somebody is lie so far back."""
    session = client.session
    session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
    record = {"method": "password", "at": time.time() - seconds_ago, "reauthenticated": True}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [record]
    session.save()


def codes_of(secret: str) -> list[str]:
    """The six digits that an app showed before, shows now, and shows next: all are taken now."""
    return [format_hotp_value(hotp_value(secret, at)) for at in yield_hotp_counters_from_time()]


def code_of(secret: str) -> str:
    """The six digits that an app shows now, which are taken for another half a minute at least."""
    return codes_of(secret)[1]


def set_up_app(client: Client) -> str:
    """Set up an authenticator app in a browser; return its secret."""
    form = client.get("/accounts/2fa/totp/activate/").context["form"]
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(form.secret)})
    assert done.status_code == 302
    return cast("str", form.secret)
