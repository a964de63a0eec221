"""Addresses that carry their own permission: one method, one path, one holder, until one moment.

A part is sent and a file fetched without a key, so that plain HTTP clients can do it. Changing
anything in such an address, or using it too late or otherwise, is refused. So it is once its
holder, the member or the key that it was made for, may no longer do what it is for.
"""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.core.signing import Signer
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rules.permissions import has_perm

from accounts.models import ApiKey, Organization, Scope, User


class LinkInvalid(CommonholdError):
    """The address was not made by us for this, or its time is over."""

    code = "link-invalid"
    status = 403


class LinkRevoked(CommonholdError):
    """Whoever the address was made for may not do this any more."""

    code = "link-revoked"
    status = 403


@dataclass(frozen=True)
class Holder:
    """For whom an address is made: a member, or a key of theirs."""

    user: int
    key: str = ""
    """The prefix of the key, which is no secret; empty for a member at a browser."""

    @classmethod
    def of(cls, user: User, key: object = None) -> "Holder":
        """Return who asks for an address: a user, with the key that they used if they did."""
        return cls(user.pk, key.prefix if isinstance(key, ApiKey) else "")

    @classmethod
    def read(cls, text: str) -> "Holder":
        """Read what `str` wrote."""
        user, _dot, key = text.partition(".")
        return cls(int(user), key)

    def __str__(self) -> str:
        return f"{self.user}.{self.key}"

    def require(self, permission: str, thing: Any, *, owner: Organization, scope: Scope) -> None:
        """Raise LinkRevoked unless the holder may do this with a thing of `owner` now."""
        user = User.objects.filter(pk=self.user).first()
        if not has_perm(permission, user, thing) or not self.has_key(owner=owner, scope=scope):
            sentence = _(
                "This address was made for somebody who may not use it any more: their key or "
                "their membership of %(organization)s has ended. Ask for a new one."
            )
            raise LinkRevoked(sentence, organization=str(owner))

    def has_key(self, *, owner: Organization, scope: Scope) -> bool:
        """Tell whether the key still works for this; without one there is nothing to ask."""
        if not self.key:
            return True
        keys = ApiKey.objects.filter(
            prefix=self.key, user=self.user, organization=owner, revoked=False
        )
        key = keys.first()
        return key is not None and not key.has_expired and scope in key.scopes


def make(request: HttpRequest, method: str, path: str, *, holder: Holder, seconds: int) -> str:
    """Return the absolute address of `path` (as reversed) that is good for `method` for a while."""
    expires = str(int(time.time()) + seconds)
    signature = sign(method, unquote(path), expires, str(holder))
    query = urlencode({"expires": expires, "for": str(holder), "signature": signature})
    return str(request.build_absolute_uri(f"{path}?{query}"))


def require(request: HttpRequest) -> Holder:
    """Return for whom the request's address was made; ask the holder what may be done by it.

    Raises LinkInvalid unless it was made for just this. HEAD counts as GET.
    """
    expires, holder = request.GET.get("expires", ""), request.GET.get("for", "")
    method = "GET" if request.method == "HEAD" else str(request.method)
    expected = sign(method, request.path, expires, holder)
    if not constant_time_compare(request.GET.get("signature", ""), expected):
        sentence = _("This address was not made for what you are doing with it. Ask for a new one.")
        raise LinkInvalid(sentence)
    if int(expires) < time.time():
        raise LinkInvalid(
            _("This address was good for a while, and that is over. Ask for a new one.")
        )
    return Holder.read(holder)


def sign(method: str, path: str, expires: str, holder: str) -> str:
    """Return the signature of a method, a decoded path, an end (Unix seconds) and a holder."""
    return Signer(salt="commonhold.link").signature(f"{method}\n{path}\n{expires}\n{holder}")
