"""What an owner does about an organization's people: invites, changes roles, takes away."""

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import invitations, organizations
from accounts.models import Invitation, Role
from marketplace.http import mailed
from marketplace.http.acting import signed_in
from marketplace.http.reauthentication import recently
from marketplace.http.telling import tell
from marketplace.pages.account import own_organization, page
from marketplace.pages.roster import InvitationForm


@recently("account")
@require_POST
@login_required
def invite(request: HttpRequest) -> HttpResponse:
    """Ask an address to join. The answer is the same whether or not it has an account."""
    organization = own_organization(request)
    form = InvitationForm(request.POST, prefix="member")
    if not form.is_valid():
        return page(request, status=422, invitation_form=form)
    try:
        with transaction.atomic():
            invitation, secret = invitations.invite(
                organization=organization,
                address=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                by=signed_in(request),
            )
            mailed.count_invitation(invitation)
    except (invitations.AlreadyInvited, organizations.AlreadyMember) as error:
        form.add_error("email", tell(error))
        return page(request, status=error.status, invitation_form=form)
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error), invitation_form=form)
    return send(request, invitation, secret)


@recently("account")
@require_POST
@login_required
def renew_invitation(request: HttpRequest, number: int) -> HttpResponse:
    """Send an invitation again, with a new link."""
    try:
        with transaction.atomic():
            invitation, secret = invitations.renew(
                invitation=own_invitation(request, number), by=signed_in(request)
            )
            mailed.count_invitation(invitation)
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    return send(request, invitation, secret)


@recently("account")
@require_POST
@login_required
def withdraw_invitation(request: HttpRequest, number: int) -> HttpResponse:
    """Take an invitation back."""
    invitation = own_invitation(request, number)
    try:
        invitations.withdraw(invitation=invitation, by=signed_in(request))
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("The invitation of %(address)s is withdrawn. Its link no longer works.")
    messages.success(request, told % {"address": invitation.address})
    return redirect("account")


@recently("account")
@require_POST
@login_required
def change_role(request: HttpRequest, number: int) -> HttpResponse:
    """Give a member another role."""
    organization = own_organization(request)
    member = get_object_or_404(organization.memberships.select_related("user"), pk=number)
    role = request.POST.get("role", "")
    if role not in Role.values:
        roles = ", ".join(str(label) for label in Role.labels)
        refusal = _("Choose one of %(roles)s.") % {"roles": roles}
        return page(request, status=422, refusal=refusal)
    try:
        organizations.change_role(membership=member, role=Role(role), by=signed_in(request))
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("%(person)s is %(role)s now.")
    words = {"person": member.user, "role": Role(role).label.lower()}
    messages.success(request, told % words)
    return redirect("account")


@recently("account")
@require_POST
@login_required
def remove_member(request: HttpRequest, number: int) -> HttpResponse:
    """Take a membership away, with the member's keys for this organization."""
    organization = own_organization(request)
    member = get_object_or_404(organization.memberships.select_related("user"), pk=number)
    try:
        organizations.remove_member(
            organization=organization, user=member.user, by=signed_in(request)
        )
    except CommonholdError as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("%(person)s has left %(organization)s, and their keys with them.")
    messages.success(request, told % {"person": member.user, "organization": organization})
    return redirect("account")


def own_invitation(request: HttpRequest, number: int) -> Invitation:
    """Return an invitation of the organization that the reader acts for, or Http404."""
    return get_object_or_404(own_organization(request).invitations, pk=number)


def send(request: HttpRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Send the link of an invitation, and say so; one that could not be sent can be again."""
    try:
        mailed.send_invitation(request, invitation=invitation, secret=secret)
    except mailed.MailNotSent as error:
        return page(request, status=error.status, refusal=tell(error))
    told = _("We wrote to %(address)s. Whoever reads that mail can join.")
    messages.success(request, told % {"address": invitation.address})
    return redirect("account")
