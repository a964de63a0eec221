"""How often: a number of calls of each kind in a window of time, counted for whoever calls.

What costs only this process's time (reading) is counted in this process; everything else in the
cache that all processes share. A limit that is reached says when it is over.
"""

import hashlib
from dataclasses import dataclass
from time import time

from commonhold.errors import CommonholdError
from commonhold.sentences import n_
from django.conf import settings
from django.core.cache import BaseCache, caches
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.models import User
from marketplace.http import refusals
from marketplace.http.clients import address_of
from marketplace.http.requests import SAFE, GetResponse

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
IN_THIS_PROCESS = frozenset({"read", "read-anonymous", "parts"})
PAGES = {"checkout": "spend", "verify": "verify"}
"""What is posted to a page, where it is more than an ordinary change."""


class TooManyCalls(CommonholdError):
    """The caller did this too often for now; `wait` seconds, and it can be done again."""

    code = "too-many-requests"
    status = 429


@dataclass(frozen=True)
class Rate:
    """So many calls in so many seconds, written `600/m`."""

    calls: int
    seconds: int

    @classmethod
    def of(cls, written: str) -> "Rate":
        """Read a rate."""
        calls, unit = written.split("/")
        return cls(int(calls), SECONDS[unit])


def require(kind: str, who: str) -> None:
    """Count a call, or raise TooManyCalls if there were as many as there may be."""
    cache = caches["local" if kind in IN_THIS_PROCESS else "default"]
    now = int(time())
    for rate in map(Rate.of, settings.RATES[kind]):
        window, passed = divmod(now, rate.seconds)
        key = f"pace:{kind}:{rate.seconds}:{window}:{who}"
        if cache.add(key, 1, timeout=rate.seconds + 1):
            continue
        if count(cache, key) > rate.calls:
            raise too_many(rate.seconds - passed)


def count(cache: BaseCache, key: str) -> int:
    """Return how many calls there were with this one; 1 where the window ended this moment."""
    try:
        return int(cache.incr(key))
    except ValueError:
        return 1


def too_many(wait: int) -> TooManyCalls:
    """Make the refusal that says how many seconds to wait."""
    sentence = n_(
        "That was too often for now. Try again in %(wait)s second.",
        "That was too often for now. Try again in %(wait)s seconds.",
        wait,
    )
    return TooManyCalls(sentence, wait=wait)


def too_often(request: HttpRequest) -> HttpResponse:
    """Answer where allauth's limits are reached: they count minutes, or hours by the minute."""
    return refusals.answer(request, too_many(60))


def name_of(request: HttpRequest | Request) -> str:
    """Return by what a caller is counted: the person, or the digest of a stranger's address."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return f"user:{user.pk}"
    return f"address:{hashlib.sha256(address_of(request).encode()).hexdigest()}"


class Paced:
    """Counts what is posted to pages; the API counts its own calls (marketplace.api.pace)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: object, _arguments: object, _named: object
    ) -> HttpResponseBase | None:
        """Answer in the place of a page that was posted to too often."""
        if request.method in SAFE or request.path.startswith(refusals.PROGRAMS):
            return None
        match = request.resolver_match
        try:
            require(PAGES.get(match.view_name if match else "", "write"), name_of(request))
        except TooManyCalls as error:
            return refusals.answer(request, error)
        return None
