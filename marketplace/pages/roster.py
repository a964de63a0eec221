"""Who belongs to an organization and who is invited, as its settings show it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import Invitation, Membership, Organization, Role

ROLE_MEANING = {
    Role.OWNER: gettext_lazy("Owner: everything, and who else belongs here"),
    Role.EDITOR: gettext_lazy("Editor: uploads, records consent, reviews, publishes"),
    Role.BUYER: gettext_lazy("Buyer: licenses datasets and downloads them"),
}


class InvitationForm(forms.Form):
    """Ask somebody to join the organization."""

    email = forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        help_text=gettext_lazy("We send a link there. Whoever opens it can join, once."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=list(ROLE_MEANING.items()),
        initial=Role.EDITOR,
        widget=forms.RadioSelect,
    )


def context(organization: Organization | None) -> dict[str, Any]:
    """Return what the page shows of an organization's people, with an empty form."""
    return {
        "members": members_of(organization),
        "invitations": invitations_of(organization),
        "roles": Role.choices,
        "invitation_form": InvitationForm(prefix="member"),
    }


def members_of(organization: Organization | None) -> list[Membership]:
    """Return who belongs to the organization, longest first."""
    if organization is None:
        return []
    return list(organization.memberships.select_related("user").order_by("created_at", "pk"))


def invitations_of(organization: Organization | None) -> list[Invitation]:
    """Return the invitations that nobody has answered yet, oldest first."""
    if organization is None:
        return []
    return list(organization.invitations.open().order_by("created_at", "pk"))
