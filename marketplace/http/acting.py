"""For which organization the reader acts, and changing it."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Membership, Organization, User
from accounts.permissions import is_somebody

SESSION_KEY = "organization"


def signed_in(request: HttpRequest) -> User:
    """Return the reader's user; PermissionDenied for those who have not proved their address.

    And for visitors, whom login_required sends away.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied(_("Sign in to see this page."))
    if not is_somebody(request.user):
        raise PermissionDenied(_("First confirm that your address is yours."))
    return request.user


def is_signed_in(request: HttpRequest) -> bool:
    """Tell whether a browser asks in which somebody is signed in.

    Without a cookie there is no session to look into: what is the same for everybody stays so.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    user = getattr(request, "user", None)  # absent where a request failed before it was read
    return user is not None and bool(user.is_authenticated)


def acting_membership(request: HttpRequest) -> Membership | None:
    """Return how the reader belongs to the organization they act for; None for visitors.

    The session remembers a choice by the organization's id; without one, or once that membership
    is gone, it is the membership they have had longest.
    """
    user = getattr(request, "user", None)  # absent where a request failed before it was read
    if not is_somebody(user):
        return None
    memberships = memberships_of(user)
    chosen = request.session.get(SESSION_KEY)
    for membership in memberships:
        if membership.organization_id == chosen:
            return membership
    return memberships[0] if memberships else None


def memberships_of(user: User) -> list[Membership]:
    """Return how a reader belongs to organizations, the longest membership first.

    Read once for the user of a request: permissions that are asked afterwards read nothing more.
    """
    longest_first = Membership.objects.select_related("organization").order_by("created_at", "pk")
    prefetch_related_objects([user], Prefetch("memberships", queryset=longest_first))
    if settings.REQUIRE_MFA_FOR_OWNERS:
        prefetch_related_objects([user], "authenticator_set")
    return list(user.memberships.all())


def acting_organization(request: HttpRequest) -> Organization | None:
    """Return the organization that the reader acts for; None for visitors and loners."""
    membership = acting_membership(request)
    return membership.organization if membership else None


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Act for another organization of one's own from now on, in this session."""
    slug = request.POST.get("organization", "")
    memberships = signed_in(request).memberships.select_related("organization")
    membership = memberships.filter(organization__slug=slug).first()
    if membership is None:
        messages.error(request, _("You are not a member of that organization."))
    else:
        request.session[SESSION_KEY] = membership.organization_id
        told = _("You act for %(organization)s now.") % {"organization": membership.organization}
        messages.success(request, told)
    return redirect(back_to(request))


def back_to(request: HttpRequest, otherwise: str = "/account/") -> str:
    """Return the page that the form names in `next`, if it is one of ours."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return target
    return otherwise
