"""The second factor: how its secrets are kept, and whose organization waits for one."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import suppress

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.translation import gettext

from accounts.models import Membership, User
from accounts.permissions import counts
from marketplace.http.acting import acting_membership, is_signed_in, memberships_of
from marketplace.http.requests import GetResponse

# Where somebody acts for an organization.
ACTING = ("/account/", "/checkout/", "/library/", "/studio/")
NEEDED = _(
    "Owners need a second factor on this site. Set one up here, then go on with what you were at."
)
PURPOSE = b"commonhold.factors"
KEY_BYTES, NONCE_BYTES = 32, 12
"""AES-256-GCM, with the nonce that NIST SP 800-38D recommends."""


class SecretUnreadable(CommonholdError):
    """A secret was encrypted with a key that this site does not have, or was changed."""

    code = "secret-unreadable"
    status = 500


class Adapter(DefaultMFAAdapter):
    """What allauth asks the site: secrets of apps and recovery codes are not kept in the clear."""

    def generate_authenticator_name(self, user: User, type: str) -> str:  # noqa: A002 - allauth's
        """Return what a passkey is called whose owner gives it no name."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return gettext("Passkey %(number)s") % {"number": count + 1}

    def encrypt(self, text: str) -> str:
        """Return a secret as the database keeps it: a nonce, and what AES-GCM made of it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(next(derived())).encrypt(nonce, text.encode(), None)
        return base64.b64encode(nonce + sealed).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that the database keeps, by the site's secret or a former one.

        Raises SecretUnreadable if none fits, or a bit of it changed.
        """
        kept = base64.b64decode(encrypted_text)
        for key in derived():
            with suppress(InvalidTag):
                return AESGCM(key).decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], None).decode()
        raise SecretUnreadable(_("This second factor can no longer be read. Ask the operator."))


def derived() -> Iterator[bytes]:
    """Yield a key for each secret of the site, the one in use first (RFC 5869)."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        yield HKDF(SHA256(), KEY_BYTES, salt=None, info=PURPOSE).derive(force_bytes(secret))


def led(get_response: GetResponse) -> GetResponse:
    """Lead owners without a second factor to set one up, where whoever runs the site asks for it.

    They can look at what anybody sees, and act for organizations that they do not own.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        if not settings.REQUIRE_MFA_FOR_OWNERS or not lacks_factor(request):
            return get_response(request)
        messages.warning(request, gettext(NEEDED))
        return redirect("mfa_index")

    return respond


def lacks_factor(request: HttpRequest) -> bool:
    """Tell whether an owner asks for a page of their organization's, and has no second factor."""
    if not request.path.startswith(ACTING) or request.path == reverse("switch_organization"):
        return False
    acting = acting_membership(request) if is_signed_in(request) else None
    if acting is None:
        return False
    others = (one for one in memberships_of(acting.user) if is_named(request, one))
    return not all(map(counts, (acting, *others)))


def is_named(request: HttpRequest, membership: Membership) -> bool:
    """Tell whether the address names the organization, for which one need not act to work on it."""
    return request.path.startswith(f"/studio/{membership.organization.slug}/")
