"""A form that arrived after its session had ended: it comes back as it was typed, to its sender.

It lies for half an hour under an address that only a signed cookie of its browser knows, and is
given to nobody but the person who was signed in there before. It is never sent by itself.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.forms import BaseForm, BaseFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.models import User

HELD_FOR = 30 * 60
MOST = 300_000
"""Bytes of a form that are kept; no form of ours is longer when a person typed it."""
PREFIX = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
OWNER, HELD = f"{PREFIX}last-user", f"{PREFIX}unsent-form"
SALT = "unsent-form"
STANDS = "stands"
"""A field of forms that are not sent to their own page: which of its forms it is. Without it, what
is sent elsewhere is a button, with nothing that somebody typed."""
View = Callable[..., HttpResponseBase]


def put(response: HttpResponseBase, name: str, value: str, *, max_age: int) -> None:
    """Set a signed cookie that no script reads."""
    response.set_signed_cookie(
        name,
        value,
        salt=SALT,
        max_age=max_age,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def read(request: HttpRequest, name: str, *, max_age: int | None = None) -> str:
    """Return what a signed cookie says; "" for none, or one that we did not sign."""
    return request.get_signed_cookie(name, default="", salt=SALT, max_age=max_age) or ""


def owner_of(request: HttpRequest) -> int | None:
    """Return the primary key of who was signed in in this browser last."""
    found = read(request, OWNER)
    return int(found) if found.isdecimal() else None


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a visitor to sign in, and keep what they typed for when they come back."""
    page = page_of(request)
    response: HttpResponse = redirect_to_login(page)
    path = urlsplit(page).path
    if request.method == "POST" and (path == request.path or STANDS in request.POST):
        keep(request, response, path=path)
    return response


def page_of(request: HttpRequest) -> str:
    """Return where to go on after signing in: of what was sent, the page that it was sent from."""
    sender = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        sender, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if request.method == "POST" and is_ours and sender:
        place = urlsplit(sender)
        return f"{place.path}?{place.query}" if place.query else place.path
    return request.get_full_path()


def keep(request: HttpRequest, response: HttpResponse, *, path: str) -> None:
    """Keep the fields of a page's form for the person who was signed in here before."""
    owner, typed = owner_of(request), request.POST.copy()
    typed.pop("csrfmiddlewaretoken", None)
    data = typed.urlencode()
    if owner is None or not typed or len(data) > MOST:
        return
    token = secrets.token_urlsafe(24)
    held = {"owner": owner, "path": path, "data": data, "files": bool(request.FILES)}
    cache.set(f"{SALT}:{token}", held | {"at": time.time()}, HELD_FOR)
    put(response, HELD, token, max_age=HELD_FOR)


def take(request: HttpRequest, user: User) -> QueryDict | None:
    """Return what its reader typed here before they signed in again, once."""
    token = read(request, HELD, max_age=HELD_FOR)
    if not token or request.method != "GET":
        return None
    held: dict[str, Any] | None = cache.get(f"{SALT}:{token}")
    if held is None or (held["owner"] == user.pk and held["path"] != request.path):
        return None
    cache.delete(f"{SALT}:{token}")
    if held["owner"] != user.pk:
        return None
    sentence = _(
        "You were signed out before this arrived. What you typed is here again: send it now."
    )
    messages.info(request, sentence)
    if held["files"]:
        messages.info(request, _("A browser forgets chosen files: choose them again."))
    return QueryDict(held["data"], mutable=True)


def refill(typed: QueryDict, form: BaseForm | BaseFormSet[Any]) -> None:
    """Put what was typed into a form, unjudged: its sender is not done with it."""
    form.data, form.is_bound = typed, True
    form.full_clean()
    parts = form.forms if isinstance(form, BaseFormSet) else [form]
    for one in parts:
        one.errors.clear()


def with_unsent(view: View) -> View:
    """Let only those in who are signed in, with what they typed before as `request.unsent`.

    Their browser remembers, signed, who it was.
    """

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return ask_to_sign_in(request)
        request.unsent = take(request, request.user)  # type: ignore[attr-defined]  # StudioRequest
        response = view(request, *args, **kwargs)
        if owner_of(request) != request.user.pk:
            days = settings.SESSION_DAYS + 1
            put(response, OWNER, str(request.user.pk), max_age=days * 24 * 3600)
        return response

    return guarded
