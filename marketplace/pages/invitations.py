"""An invitation, as whoever opens its link sees it: what it is, and a button that says yes."""

from typing import Any

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import invitations, people
from accounts.models import Invitation, Organization, User
from marketplace.http.acting import SESSION_KEY
from marketplace.pages import joining
from marketplace.showcase import resemblance

TEMPLATE = "account/invitation.html"


@never_cache
@sensitive_post_parameters("password1")
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, secret: str) -> HttpResponse:
    """Show an invitation and take the answer, of a member's account or of a newcomer."""
    try:
        invitation = invitations.find(secret=secret)
        if isinstance(request.user, User):
            return answer(request, invitation, secret, request.user)
        return greet(request, invitation, secret)
    except CommonholdError as error:
        return joining.refuse(request, error)


def answer(request: HttpRequest, invitation: Invitation, secret: str, user: User) -> HttpResponse:
    """Let somebody who is signed in say yes, if it was sent to an address of theirs."""
    if people.holder(address=invitation.address) != user:
        context = {"address": invitation.address, "invitation": invitation}
        return render(request, "account/somebody_else.html", context, status=403)
    if request.method != "POST":
        return page(request, invitation)
    membership = invitations.accept(secret=secret, user=user)
    welcome(request, membership.organization)
    return redirect("account")


def greet(request: HttpRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Let a newcomer join by it; whoever has an account signs in first, and comes back."""
    if people.holder(address=invitation.address):
        return page(request, invitation, sign_in=True)
    form = joining.PersonForm(request.POST or None, address=invitation.address)
    if request.method != "POST" or not form.is_valid():
        return page(request, invitation, status=422 if request.method == "POST" else 200, form=form)
    with transaction.atomic():
        user = form.save()
        membership = invitations.accept(secret=secret, user=user)
    response = joining.enter(request, user, reverse("account"))
    welcome(request, membership.organization)
    return response


def page(
    request: HttpRequest, invitation: Invitation, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Show who invites to what, and which of these names could be taken for others'."""
    marked = resemblance.of_invitation(invitation=invitation)
    base = {"invitation": invitation, "resemblance": marked}
    return render(request, TEMPLATE, base | context, status=status)


def welcome(request: HttpRequest, organization: Organization) -> None:
    """Say that somebody belongs to an organization now, and let them act for it."""
    request.session[SESSION_KEY] = organization.pk
    told = _("You belong to %(organization)s now, and act for it.")
    messages.success(request, told % {"organization": organization})
