"""Addresses that carry their own permission: one method, one path, until one moment.

A part is sent and a file fetched without a key, so that plain HTTP clients can do it. Changing
anything in such an address, or using it too late or otherwise, is refused.
"""

import time
from urllib.parse import unquote, urlencode

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.core.signing import Signer
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare


class LinkInvalid(CommonholdError):
    """The address was not made by us for this, or its time is over."""

    code = "link-invalid"
    status = 403


def make(request: HttpRequest, method: str, path: str, *, seconds: int) -> str:
    """Return the absolute address of `path` (as reversed) that is good for `method` for a while."""
    expires = str(int(time.time()) + seconds)
    signature = sign(method, unquote(path), expires)
    query = urlencode({"expires": expires, "signature": signature})
    return str(request.build_absolute_uri(f"{path}?{query}"))


def require(request: HttpRequest) -> None:
    """Raise LinkInvalid unless the request's address was made for just this. HEAD counts as GET."""
    expires = request.GET.get("expires", "")
    method = "GET" if request.method == "HEAD" else str(request.method)
    expected = sign(method, request.path, expires)
    if not constant_time_compare(request.GET.get("signature", ""), expected):
        sentence = _("This address was not made for what you are doing with it. Ask for a new one.")
        raise LinkInvalid(sentence)
    if int(expires) < time.time():
        raise LinkInvalid(
            _("This address was good for a while, and that is over. Ask for a new one.")
        )


def sign(method: str, path: str, expires: str) -> str:
    """Return the signature of a method, a decoded path and an end (Unix seconds)."""
    return Signer(salt="commonhold.link").signature(f"{method}\n{path}\n{expires}")
