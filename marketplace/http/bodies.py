"""How much a request may bring: asked of its headers, before a byte of its body is read.

The first middleware that looks at more than headers, so that it holds for every address, also those
that don't exist, and before anything else looks for a form in the body. The server asks it too,
before it receives what is large (marketplace.host.web).
"""

from dataclasses import dataclass
from importlib import import_module

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from accounts.models import ApiKey
from marketplace.host.asking import ASKING
from marketplace.http import links, refusals
from marketplace.http.requests import GetResponse

MIB = 1024 * 1024
DEFAULT = MIB
PAPERS = 5 * MIB
"""The papers of a release: each is kilobytes."""


class BodyTooLarge(CommonholdError):
    """More is announced than the address takes."""

    code = "request-too-large"
    status = 413


class LengthRequired(CommonholdError):
    """A body came without saying how long it is."""

    code = "length-required"
    status = 411


class LengthInvalid(CommonholdError):
    """What stands for the length of a body is no number."""

    code = "bad-request"
    status = 400


@dataclass(frozen=True)
class Limit:
    """Bytes that an address takes, and from whom: others may bring the default."""

    size: int
    signed_in: bool = False


FORMS = {
    "studio:upload": Limit(64 * MIB, signed_in=True),
    "studio:new_consent": Limit(64 * MIB, signed_in=True),
    # Hundreds of speakers come with hundreds of signed forms.
    "studio:import_consent": Limit(128 * MIB, signed_in=True),
    "api:consent-import": Limit(128 * MIB, signed_in=True),
    "verify": Limit(PAPERS),
    "api:verify": Limit(PAPERS),
}


def limited(get_response: GetResponse) -> GetResponse:
    """Refuse bodies that are too large, or that do not say how large they are."""

    def respond(request: HttpRequest) -> HttpResponse:
        try:
            require_takeable(request)
        except CommonholdError as error:
            return refusals.answer(request, error)
        if ASKING in request.META:
            return HttpResponse(status=204)
        return get_response(request)

    return respond


def require_takeable(request: HttpRequest) -> None:
    """Raise LengthRequired, LengthInvalid, BodyTooLarge or LinkInvalid by the headers alone."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired(_("Say with Content-Length how many bytes you send."))
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdigit()):
        raise LengthInvalid(_("The Content-Length is not a number of bytes."))
    length = int(announced)
    if length > DEFAULT and length > (most := most_taken(request)):
        sentence = _("This address takes %(most)s bytes from you; %(sent)s were about to be sent.")
        raise BodyTooLarge(sentence, most=most, sent=length)


def most_taken(request: HttpRequest) -> int:
    """Return how many bytes an address takes from whoever sent these headers.

    Raises LinkInvalid for a part of an upload whose address we did not make.
    """
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return DEFAULT
    if name == "api:part":
        links.require(request)
        return max(int(settings.UPLOAD_LARGEST_PART), DEFAULT)
    limit = FORMS.get(name, Limit(DEFAULT))
    return limit.size if not limit.signed_in or is_signed_in(request) else DEFAULT


def is_signed_in(request: HttpRequest) -> bool:
    """Whether the request carries a key that works, or the cookie of somebody who is signed in."""
    scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bool(ApiKey.objects.is_valid(secret.strip()))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return get_user(request).is_authenticated
