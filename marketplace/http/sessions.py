"""A browser that is signed in: until nothing was done for a while, and never for ever.

Whoever proves once more who they are gets a new name of the session, as at the sign-in, so that a
name that was seen before is worth nothing afterwards (ASVS 7.2.4).
"""

import time
from collections.abc import Iterable

from allauth.account.authentication import get_authentication_records
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from marketplace.http.acting import is_signed_in
from marketplace.http.requests import GetResponse

BEGAN, SEEN = "began", "seen"
SEEN_AGAIN_AFTER = 60
"""Seconds for which a session is taken for just seen: one write a minute, not one a request."""


class Adapter(DefaultUserSessionsAdapter):
    """What allauth asks of the site about sessions."""

    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        """End some, and write down those that their owner ended from another browser."""
        for session in sessions:
            if not session.is_current():
                user = session.user
                audit.note(by=user, verb="session.ended", about=(user,), why="from elsewhere")
            session.end()


def limited(get_response: GetResponse) -> GetResponse:
    """Sign out whoever did nothing for SESSION_IDLE_HOURS, or came in SESSION_DAYS ago."""

    def respond(request: HttpRequest) -> HttpResponse:
        if not is_signed_in(request):
            return get_response(request)
        if is_over(request):
            end(request)
        else:
            note(request)
        key, proofs = request.session.session_key, proofs_of(request)
        response = get_response(request)
        if not request.user.is_authenticated:
            # What the site's scripts noted in this browser goes with who was signed in.
            response["Clear-Site-Data"] = '"storage"'
        elif request.session.session_key == key and proofs_of(request) > proofs:
            rename(request)
        return response

    return respond


def proofs_of(request: HttpRequest) -> int:
    """Return how often somebody proved in this session who they are."""
    return len(get_authentication_records(request, request.user))


def rename(request: HttpRequest) -> None:
    """Give the session another key; the one so far opens nothing any more."""
    former = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=former).update(session_key=request.session.session_key)


def is_over(request: HttpRequest) -> bool:
    """Tell whether the session's time is over."""
    now = time.time()
    began = request.session.get(BEGAN, now)
    seen = request.session.get(SEEN, now)
    is_old = now - began > settings.SESSION_DAYS * 24 * 3600
    return bool(is_old or now - seen > settings.SESSION_IDLE_HOURS * 3600)


def end(request: HttpRequest) -> None:
    """Sign out, and say so on the next page."""
    user = request.user
    if isinstance(user, User):
        audit.note(by=user, verb="session.ended", about=(user,), why="its time was over")
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request)
    messages.info(request, _("Your session has ended. Sign in again to go on."))


def note(request: HttpRequest) -> None:
    """Remember when the session began, and that the person is there.

    What an open page asks for by itself (htmx's GET) is nobody's doing, and doesn't count.
    """
    now = time.time()
    request.session.setdefault(BEGAN, now)
    is_by_itself = request.method == "GET" and "HX-Request" in request.headers
    if not is_by_itself and now - request.session.get(SEEN, 0) > SEEN_AGAIN_AFTER:
        request.session[SEEN] = now
        ours = UserSession.objects.filter(session_key=request.session.session_key)
        ours.update(last_seen_at=timezone.now())


@transaction.atomic
def end_all(*, of: User | None = None) -> int:
    """Sign somebody, or everybody, out of every browser, for who runs the site; return how many.

    Keys of the API are no sessions, and stay.
    """
    listed = UserSession.objects.all() if of is None else UserSession.objects.filter(user=of)
    keys = list(listed.values_list("session_key", flat=True))
    sessions = Session.objects.all() if of is None else Session.objects.filter(pk__in=keys)
    sessions.delete()
    listed.delete()
    about, why = ((of,), "by the operator") if of else ((), "everybody's, by the operator")
    audit.note(by=audit.SITE, verb="session.ended", about=about, why=why)
    return len(keys)
