"""Asking again who somebody is, before what can change who gets in, or what is paid."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

View = Callable[..., HttpResponse]


def require_recent(request: HttpRequest) -> None:
    """Raise ReauthenticationRequired unless the person proved who they are a short while ago.

    Signing in counts. allauth's middleware answers by asking, and then goes on with the request,
    whatever was typed into its form included.
    """
    if not is_recent(request):
        raise ReauthenticationRequired


def is_recent(request: HttpRequest) -> bool:
    """Tell whether the last proof in this session is younger than the timeout."""
    records = get_authentication_records(request, request.user)
    last = max((record["at"] for record in records), default=0)
    return bool(time.time() - last < app_settings.REAUTHENTICATION_TIMEOUT)


def recently(page: str) -> Callable[[View], View]:
    """Guard a view that takes a form of the page of this name; a GET leads to that page.

    Which is where a browser ends that asks again for an address after it was made to sign in.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "GET":
                return redirect(page)
            if request.method == "POST":
                require_recent(request)
            return view(request, *args, **kwargs)

        return asked

    return guard
