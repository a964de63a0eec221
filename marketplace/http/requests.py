"""A name for each request: answered as a header, and written down with whatever is done in it."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import requests

HEADER = "X-Request-ID"
TOKEN = re.compile(r"[A-Za-z0-9_.-]{8,64}")
"""What a proxy or client may call its request: it is written down, so it can't be just anything."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110 section 9.2.1)."""
GetResponse = Callable[[HttpRequest], HttpResponse]


def identified(get_response: GetResponse) -> GetResponse:
    """Give each request an id: the one it came with, if that is a plain token, or a random one."""

    def respond(request: HttpRequest) -> HttpResponse:
        request_id = id_of(request)
        with requests.during(requests.Request(id=request_id)):
            response = get_response(request)
        response[HEADER] = request_id
        return response

    return respond


def id_of(request: HttpRequest) -> str:
    """Return the id that a request came with, or a new one."""
    named = request.headers.get(HEADER, "")
    return named if TOKEN.fullmatch(named) else uuid.uuid4().hex
