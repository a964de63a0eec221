"""Joining an organization: by an invitation to an address, and by nothing else."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import audit, invitations, organizations
from accounts.models import Invitation, Organization, Role, User
from tests import factories

pytestmark = pytest.mark.django_db
ADDRESS = "juma@example.org"


def invite(
    organization: Organization, address: str = ADDRESS, role: Role = Role.EDITOR
) -> tuple[Invitation, str]:
    """Ask an address to join."""
    return invitations.invite(
        organization=organization, address=address, role=role, by=factories.owner_of(organization)
    )


def expire(invitation: Invitation) -> None:
    """Let its time pass."""
    past = timezone.now() - timedelta(seconds=1)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=past)


def told(organization: Organization) -> list[str]:
    """What the record says of an organization, the newest last."""
    entries = audit.history(of=organization).order_by("pk")
    return [one.verb for one in entries if not one.verb.startswith("organization")]


def test_whoever_was_invited_becomes_a_member_in_the_role_that_was_offered():
    organization, person = factories.organization(), factories.user(ADDRESS)
    _, secret = invite(organization, ADDRESS.title(), Role.BUYER)
    membership = invitations.accept(secret=secret, user=person)
    assert (membership.organization, membership.role) == (organization, Role.BUYER)
    assert organization.memberships.filter(user=person, role=Role.BUYER).exists()
    assert told(organization) == ["invitation.sent", "invitation.accepted", "member.joined"]


def test_a_person_is_invited_at_any_address_that_they_proved():
    person = factories.user("mine@example.org")
    organization = factories.organization()
    person.emailaddress_set.create(email=ADDRESS, verified=True)
    invitations.accept(secret=invite(organization)[1], user=person)
    assert organization.memberships.filter(user=person).exists()


def test_the_secret_of_a_link_is_kept_nowhere():
    invitation, secret = invite(factories.organization())
    invitation.refresh_from_db()
    assert secret not in str(vars(invitation))
    assert invitations.find(secret=secret) == invitation


def test_an_invitation_works_once():
    organization, person = factories.organization(), factories.user(ADDRESS)
    _, secret = invite(organization)
    invitations.accept(secret=secret, user=person)
    organizations.remove_member(
        organization=organization, user=person, by=factories.owner_of(organization)
    )
    with pytest.raises(invitations.InvitationUsed):
        invitations.accept(secret=secret, user=person)
    assert not organization.memberships.filter(user=person).exists()


def test_a_stranger_never_joins_by_anothers_invitation():
    organization, stranger = factories.organization(), factories.user()
    invitation, secret = invite(organization)
    with pytest.raises(invitations.InvitationForeign, match=ADDRESS):
        invitations.accept(secret=secret, user=stranger)
    assert not organization.memberships.filter(user=stranger).exists()
    assert invitations.find(secret=secret) == invitation


def test_an_account_that_only_claims_the_address_never_joins_by_its_invitation():
    organization, squatter = factories.organization(), factories.squatter(ADDRESS)
    with pytest.raises(invitations.InvitationForeign):
        invitations.accept(secret=invite(organization)[1], user=squatter)
    assert not squatter.memberships.exists()


def test_a_claim_on_the_address_beside_a_proved_one_opens_no_invitation():
    organization, claimant = factories.organization(), factories.user("mine@example.org")
    claimant.emailaddress_set.create(email=ADDRESS, verified=False)
    with pytest.raises(invitations.InvitationForeign):
        invitations.accept(secret=invite(organization)[1], user=claimant)
    assert not claimant.memberships.exists()


def test_an_expired_invitation_changes_nothing():
    organization, person = factories.organization(), factories.user(ADDRESS)
    invitation, secret = invite(organization)
    expire(invitation)
    with pytest.raises(invitations.InvitationExpired, match=str(organization)):
        invitations.accept(secret=secret, user=person)
    assert not person.memberships.exists()


def test_a_withdrawn_invitation_changes_nothing():
    organization, person = factories.organization(), factories.user(ADDRESS)
    owner = factories.owner_of(organization)
    invitation, secret = invite(organization)
    invitations.withdraw(invitation=invitation, by=owner)
    with pytest.raises(invitations.InvitationWithdrawn):
        invitations.accept(secret=secret, user=person)
    with pytest.raises(invitations.InvitationWithdrawn):
        invitations.renew(invitation=invitation, by=owner)
    assert not person.memberships.exists()
    assert told(organization) == ["invitation.sent", "invitation.withdrawn"]


def test_a_link_that_was_sent_again_ends_the_former_one():
    organization, person = factories.organization(), factories.user(ADDRESS)
    invitation, former = invite(organization)
    expire(invitation)
    _, secret = invitations.renew(invitation=invitation, by=factories.owner_of(organization))
    with pytest.raises(invitations.InvitationUnknown):
        invitations.accept(secret=former, user=person)
    assert invitations.accept(secret=secret, user=person).role == Role.EDITOR


def test_an_owner_who_was_sent_away_brings_nobody_in_by_an_invitation_left_behind():
    organization, person = factories.organization(), factories.user(ADDRESS)
    owner, sent_away = factories.owner_of(organization), factories.member(organization, Role.OWNER)
    invitation, secret = invitations.invite(
        organization=organization, address=ADDRESS, role=Role.OWNER, by=sent_away
    )
    organizations.remove_member(organization=organization, user=sent_away, by=owner)
    with pytest.raises(invitations.InvitationWithdrawn, match="no longer invite"):
        invitations.accept(secret=secret, user=person)
    _, renewed = invitations.renew(invitation=invitation, by=owner)
    assert invitations.accept(secret=renewed, user=person).role == Role.OWNER


def test_an_address_is_not_invited_twice_at_once_but_again_when_time_has_passed():
    organization = factories.organization()
    invitation, _ = invite(organization)
    with pytest.raises(invitations.AlreadyInvited):
        invite(organization, ADDRESS.upper())
    expire(invitation)
    again, _ = invite(organization, role=Role.OWNER)
    assert organization.invitations.get(accepted_at=None, withdrawn_at=None) == again
    assert invite(factories.organization())[0].address == ADDRESS


def test_a_member_is_not_invited():
    organization = factories.organization()
    editor = factories.member(organization)
    with pytest.raises(organizations.AlreadyMember):
        invite(organization, editor.email.title())


def test_whoever_is_a_member_by_another_address_keeps_their_role():
    organization = factories.organization()
    owner = factories.owner_of(organization)
    owner.emailaddress_set.create(email=ADDRESS, verified=True)
    with pytest.raises(organizations.AlreadyMember):
        invitations.accept(secret=invite(organization, role=Role.BUYER)[1], user=owner)
    assert organization.memberships.get().role == Role.OWNER


def test_an_invitation_says_the_same_whether_or_not_the_address_has_joined():
    organization = factories.organization()
    factories.user("joined@example.org")
    answers = [
        {
            name: value
            for name, value in vars(invite(organization, address)[0]).items()
            if name not in {"_state", "id", "address", "token_sha256", "created_at", "expires_at"}
        }
        for address in ("joined@example.org", "nobody@example.org")
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("role", [Role.EDITOR, Role.BUYER])
def test_only_an_owner_invites_renews_and_withdraws(role: Role):
    organization = factories.organization()
    person = factories.member(organization, role)
    invitation, _ = invite(organization)
    acts = (
        lambda: invitations.invite(
            organization=organization, address="x@example.org", role=Role.OWNER, by=person
        ),
        lambda: invitations.renew(invitation=invitation, by=person),
        lambda: invitations.withdraw(invitation=invitation, by=person),
    )
    for act in acts:
        with pytest.raises(organizations.NotAllowed):
            act()
    assert organization.invitations.open().exists()


BROKEN = {
    "one_open_invitation": {"address": ADDRESS.upper(), "token_sha256": "b" * 64},
    "token_sha256": {"address": "x@example.org"},
    "role_is_known": {"role": "king", "token_sha256": "b" * 64, "address": "x@example.org"},
}


@pytest.mark.parametrize("reason", BROKEN)
def test_the_database_keeps_one_open_invitation_with_a_secret_of_its_own(reason: str):
    invitation, _ = invite(factories.organization())
    fields = {
        name: getattr(invitation, name)
        for name in ("organization", "address", "role", "token_sha256", "invited_by", "expires_at")
    }
    with pytest.raises(IntegrityError, match=reason), transaction.atomic():
        Invitation.objects.create(**fields | BROKEN[reason])


@pytest.mark.parametrize(
    "change", [{"role": "owner"}, {"address": "x@example.org"}, {"accepted_at": None}]
)
def test_the_database_never_changes_what_was_offered_nor_that_it_was_accepted(change: dict):
    invitation, secret = invite(factories.organization())
    invitations.accept(secret=secret, user=factories.user(ADDRESS))
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_an_invitation_that_is_accepted_and_withdrawn_at_once_ends_in_one_way():
    organization, person = factories.organization(), factories.user(ADDRESS)
    owner: User = factories.owner_of(organization)
    invitation, secret = invite(organization)
    start, outcomes = threading.Barrier(5), []

    def attempt(act) -> None:
        start.wait()
        try:
            act()
            outcomes.append("done")
        except (invitations.InvitationUsed, invitations.InvitationWithdrawn):
            outcomes.append("refused")
        finally:
            connection.close()

    acts = [
        *[lambda: invitations.accept(secret=secret, user=person)] * 3,
        *[lambda: invitations.withdraw(invitation=invitation, by=owner)] * 2,
    ]
    threads = [threading.Thread(target=attempt, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused", "refused", "refused", "refused"]
    invitation.refresh_from_db()
    joined = organization.memberships.filter(user=person).exists()
    assert joined == (invitation.accepted_at is not None)
