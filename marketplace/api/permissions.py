"""What a caller may do: the key's scope, then the person's right to the thing itself.

A thing that somebody may not see answers like one that isn't there; a thing that somebody may see
but not change says so.
"""

from typing import Any

from commonhold.errors import CommonholdError
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from rules.permissions import has_perm

from accounts import people
from accounts.models import ApiKey, Organization, Scope, User
from accounts.organizations import require_factor
from ingestion.models import Dataset, File, Upload, Version
from ingestion.permissions import Owned, dataset_of
from marketplace.api.authentication import acted_for, organization_of
from marketplace.http.reauthentication import is_recent
from marketplace.http.requests import SAFE

VIEW = "licensing.view_dataset"
"""To see a dataset or version: anybody once it was offered, before that its members alone."""
BELONG = "ingestion.view_dataset"
"""To belong to those who publish it."""


class ScopeMissing(CommonholdError):
    """The key was not made for this."""

    code = "scope-missing"
    status = 403


class ProofTooOld(CommonholdError):
    """A browser's session did not say for a while who it is."""

    code = "proof-too-old"
    status = 403


class Scoped(BasePermission):
    """Ask for one of the scopes that the view names for the method in `scopes`.

    A method whose scopes are empty is open to anybody, and shows what anybody may see.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether somebody is there at all.

        Raises Unconfirmed for whoever has not proved an address, ScopeMissing for a key that lacks
        one, SecondFactorNeeded for an owner who acts without the one that the site asks for.
        """
        method = "GET" if request.method in SAFE else str(request.method)
        scopes: tuple[str, ...] = getattr(view, "scopes", {}).get(method, (Scope.READ,))
        if not scopes or request.method == "OPTIONS":
            return True
        if not isinstance(request.user, User):
            return False
        people.require_somebody(request.user)
        require_scope(request, *scopes)
        if settings.REQUIRE_MFA_FOR_OWNERS and (organization := acted_for(request)):
            require_factor(organization=organization, user=request.user)
        return True


def require_scope(request: Request, *scopes: str) -> None:
    """Raise ScopeMissing if the request carries a key that has none of the scopes."""
    key = request.auth
    if isinstance(key, ApiKey) and not set(scopes) & set(key.scopes):
        message = _("The key «%(key)s» lacks the scope «%(scopes)s». Make a key that has it.") % {
            "key": key.name,
            "scopes": _("» or «").join(scopes),
        }
        raise ScopeMissing(message, scopes_needed=list(scopes), scopes=key.scopes)


def require_recent_proof(request: Request) -> None:
    """Raise ProofTooOld for a session whose person didn't prove who they are a short while ago.

    A key is its own proof: whoever made it was asked.
    """
    if not isinstance(request.auth, ApiKey) and not is_recent(request._request):  # noqa: SLF001 - as in authentication
        raise ProofTooOld(
            _("Sign in again before you do this, or do it with a key from your account.")
        )


def may(request: Request, permission: str, thing: Any, *, owner: Organization) -> bool:
    """Tell whether the caller has a right to a thing of `owner`.

    A key speaks for one organization alone, and without the scope «read» it sees what anybody
    sees. Rules are asked directly: running the site opens nobody's originals.
    """
    user: User | AnonymousUser = request.user
    key = request.auth
    if isinstance(key, ApiKey) and (
        key.organization_id != owner.pk
        or (permission in {VIEW, BELONG} and Scope.READ not in key.scopes)
    ):
        user = AnonymousUser()
    return bool(has_perm(permission, user, thing))


def require_dataset(request: Request, permission: str, thing: Owned) -> None:
    """Raise Http404 if the caller may not see the thing, PermissionDenied if only not this.

    `permission` is VIEW, or one of ingestion's: view_originals, change_dataset.
    """
    dataset = dataset_of(thing)
    owner = dataset.organization
    if may(request, permission, thing, owner=owner):
        return
    if permission == VIEW or not is_visible(request, thing):
        raise Http404
    message = _("Only the owners and editors of %(organization)s can do this with «%(dataset)s».")
    raise PermissionDenied(message % {"organization": owner, "dataset": dataset})


def is_visible(request: Request, thing: Owned) -> bool:
    """Tell whether the caller may know of a thing; of what is inside a version members alone."""
    owner = dataset_of(thing).organization
    match thing:
        case Dataset() | Version():
            return may(request, VIEW, thing, owner=owner)
        case File() | Upload():
            return may(request, VIEW, thing.version, owner=owner)
        case _inside:
            return may(request, BELONG, thing, owner=owner)


def require_role(request: Request, permission: str) -> Organization:
    """Return the organization that the caller acts for, if the caller may do this for it.

    `permission` is one of accounts': contribute_for_organization, buy_for_organization, ….
    """
    organization = organization_of(request)
    if not may(request, permission, organization, owner=organization):
        message = _("Your role in %(organization)s does not allow this. Ask an owner of it.")
        raise PermissionDenied(message % {"organization": organization})
    return organization
