"""Joining an organization: an owner asks an address, and whoever reads its mail may say yes.

A link is good once, for a while. What it says of the invitation it says to its holder alone; an
owner learns nothing of who has an account here.
"""

import hashlib
import secrets
from datetime import timedelta

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import audit, people
from accounts.models import Invitation, Membership, Organization, Role, User
from accounts.organizations import AlreadyMember, hold, join, require_owner
from accounts.permissions import is_owner

LASTS = timedelta(days=7)


class AlreadyInvited(CommonholdError):
    """The address was asked already, and its link still works."""

    code = "already-invited"
    status = 409


class InvitationUnknown(CommonholdError):
    """No invitation has this link: it is not whole, or a newer one took its place."""

    code = "invitation-unknown"
    status = 404


class InvitationUsed(CommonholdError):
    """Somebody joined by it already."""

    code = "invitation-used"
    status = 410


class InvitationWithdrawn(CommonholdError):
    """The organization took it back."""

    code = "invitation-withdrawn"
    status = 410


class InvitationExpired(CommonholdError):
    """Its link is too old."""

    code = "invitation-expired"
    status = 410


class InvitationForeign(CommonholdError):
    """It was sent to an address that is not this person's."""

    code = "invitation-foreign"
    status = 403


@transaction.atomic
def invite(
    *, organization: Organization, address: str, role: Role, by: User
) -> tuple[Invitation, str]:
    """Ask an address to join; return the invitation and the secret of its link, kept as a hash.

    The caller sends it. Raises NotAllowed, AlreadyMember, AlreadyInvited.
    """
    address = address.lower()
    require_owner(organization=organization, user=by)
    # Not by another address of a member's: which those are is theirs to say.
    if organization.memberships.filter(user__email__iexact=address).exists():
        sentence = _("%(address)s is a member already; change the role in the list.")
        raise AlreadyMember(sentence, address=address)
    open_one = organization.invitations.open().filter(address=address).first()
    if open_one and not open_one.has_expired:
        sentence = _("%(address)s is invited already. Send the mail again, or withdraw it first.")
        raise AlreadyInvited(sentence, address=address)
    if open_one:
        end(open_one, by=by)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        address=address,
        role=role,
        token_sha256=digest(secret),
        invited_by=by,
        expires_at=timezone.now() + LASTS,
    )
    note(invitation, "sent", by=by)
    return invitation, secret


@transaction.atomic
def renew(*, invitation: Invitation, by: User) -> tuple[Invitation, str]:
    """Give an open invitation a new link, and with it a new end; the former link is over.

    Raises NotAllowed, InvitationUsed, InvitationWithdrawn.
    """
    require_owner(organization=invitation.organization, user=by)
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    require_open(invitation)
    secret = secrets.token_urlsafe(32)
    invitation.token_sha256 = digest(secret)
    invitation.expires_at, invitation.invited_by = timezone.now() + LASTS, by
    invitation.save(update_fields=["token_sha256", "expires_at", "invited_by"])
    note(invitation, "sent", by=by)
    return invitation, secret


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User) -> None:
    """Take an invitation back. Raises NotAllowed, InvitationUsed, InvitationWithdrawn."""
    require_owner(organization=invitation.organization, user=by)
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    require_open(invitation)
    end(invitation, by=by)


def find(*, secret: str) -> Invitation:
    """Return the invitation of a link that can be accepted now.

    Raises InvitationUnknown, InvitationUsed, InvitationWithdrawn, InvitationExpired.
    """
    found = Invitation.objects.select_related("organization", "invited_by")
    invitation = found.filter(token_sha256=digest(secret)).first()
    if invitation is None:
        raise InvitationUnknown(UNKNOWN)
    require_acceptable(invitation)
    return invitation


@transaction.atomic
def accept(*, secret: str, user: User) -> Membership:
    """Make somebody a member by a link that was sent to an address of theirs.

    Raises what `find` raises, InvitationForeign and AlreadyMember.
    """
    organization = find(secret=secret).organization
    # In the order in which everything about members takes its locks.
    hold(organization)
    locked = organization.invitations.select_for_update()
    invitation = locked.filter(token_sha256=digest(secret)).first()
    if invitation is None:
        raise InvitationUnknown(UNKNOWN)
    require_acceptable(invitation)
    if people.holder(address=invitation.address) != user:
        sentence = _(
            "This invitation went to %(address)s, and you are signed in as %(person)s. Sign in "
            "with that address, or ask %(organization)s to invite this one."
        )
        raise InvitationForeign(
            sentence,
            address=invitation.address,
            person=user.email,
            organization=str(organization),
        )
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    note(invitation, "accepted", by=user)
    return join(organization=organization, user=user, role=Role(invitation.role))


UNKNOWN = _(
    "This invitation is not known. The link may not be whole, or a newer mail took its place."
)


def require_open(invitation: Invitation) -> None:
    """Raise InvitationUsed or InvitationWithdrawn unless it can still be accepted or renewed."""
    if invitation.accepted_at is not None:
        raise InvitationUsed(
            _("This invitation was used already. If it was you, sign in: you belong here.")
        )
    if invitation.withdrawn_at is not None:
        sentence = _("%(organization)s took this invitation back. Ask its owners why.")
        raise InvitationWithdrawn(sentence, organization=str(invitation.organization))


def require_acceptable(invitation: Invitation) -> None:
    """Raise unless it is open, its link is not too old, and who sent it may still invite."""
    require_open(invitation)
    if not is_owner(invitation.invited_by, invitation.organization):
        sentence = _(
            "Whoever sent this invitation can no longer invite to %(organization)s. Ask its owners "
            "for another one."
        )
        raise InvitationWithdrawn(sentence, organization=str(invitation.organization))
    if invitation.has_expired:
        sentence = _("This invitation is too old. Ask %(organization)s to send another one.")
        raise InvitationExpired(sentence, organization=str(invitation.organization))


def end(invitation: Invitation, *, by: User) -> None:
    """Take an open invitation back."""
    invitation.withdrawn_at = timezone.now()
    invitation.save(update_fields=["withdrawn_at"])
    note(invitation, "withdrawn", by=by)


def note(invitation: Invitation, done: str, *, by: User) -> None:
    """Write down what was done with an invitation."""
    audit.note(
        by=by,
        verb=f"invitation.{done}",
        about=(invitation, invitation.organization),
        address=invitation.address,
        role=str(invitation.role),
    )


def digest(secret: str) -> str:
    """Return what is kept of the secret of a link."""
    return hashlib.sha256(secret.encode()).hexdigest()
