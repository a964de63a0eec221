"""Who calls: the key in `Authorization: Bearer`, or the browser's session with its CSRF token."""

from datetime import timedelta
from typing import Any

from commonhold.errors import CommonholdError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import requests
from accounts.models import ApiKey, Organization, User
from marketplace.http.acting import acting_organization

SEEN_AGAIN_AFTER = timedelta(minutes=1)


class NoOrganization(CommonholdError):
    """The person acts for nobody yet."""

    code = "no-organization"
    status = 403


class ApiKeyAuthentication(BaseAuthentication):
    """A key stands for its user, acting for its organization, within its scopes."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return (user, key), or None when no Bearer key was sent. A useless key is 401."""
        scheme, _blank, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        key = find_key(secret.strip().decode("ascii", "replace"))
        note_use(key)
        requests.with_key(key.name, prefix=key.prefix)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """Say how to log in (RFC 6750 §3): this also makes a missing key 401 rather than 403."""
        return 'Bearer realm="commonhold"'


def find_key(secret: str) -> ApiKey:
    """Return the key with this secret. Raises AuthenticationFailed, which never says why not."""
    keys = ApiKey.objects.select_related("user", "organization")
    key: ApiKey | None = keys.filter(prefix=secret.partition(".")[0], revoked=False).first()
    if key is None or not key.is_valid(secret) or key.has_expired or not key.user.is_active:
        message = _(
            "This key is not known, was revoked or has expired. Make another one in your account."
        )
        raise AuthenticationFailed(message)
    return key


def note_use(key: ApiKey) -> None:
    """Remember that the key was used, at most once a minute."""
    now = timezone.now()
    long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - SEEN_AGAIN_AFTER)
    if key.last_used_at is None or key.last_used_at < now - SEEN_AGAIN_AFTER:
        ApiKey.objects.filter(long_ago, pk=key.pk).update(last_used_at=now)


def acted_for(request: Request) -> Organization | None:
    """Return the key's organization, or the one chosen in the session; None for loners."""
    key = request.auth
    return key.organization if isinstance(key, ApiKey) else acting_organization(request._request)  # noqa: SLF001 - DRF's own name for Django's request


def organization_of(request: Request) -> Organization:
    """Return whom the caller acts for. Raises NoOrganization."""
    found = acted_for(request)
    if found is None:
        raise NoOrganization(
            _("You are not a member of an organization yet. Create one, or ask to be invited.")
        )
    return found


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema describes our keys."""

    target_class = "marketplace.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        """See drf-spectacular, “Authentication extensions”."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key from your account. Scopes: read, contribute, buy, download.",
        }
