"""Organizations, their members and their keys: one function per change."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts import audit, locks, names, people
from accounts.models import KEY_TERM, ApiKey, Membership, Organization, Role, Scope, User
from accounts.permissions import is_owner, lacks_factor, membership_of


class NameTaken(CommonholdError):
    """Another organization has this name in its address."""

    code = "name-taken"
    status = 409


class TooManyOrganizations(CommonholdError):
    """The person owns as many as they may."""

    code = "too-many-organizations"
    status = 409


class NotAllowed(CommonholdError):
    """The person may not do this for the organization."""

    code = "not-allowed"
    status = 403


class UnknownScope(CommonholdError):
    """A key was asked for with a scope that doesn't exist, or with none."""

    code = "unknown-scope"
    status = 422


class KeyTermRefused(CommonholdError):
    """A key was asked for that would work too long, or not at all."""

    code = "key-term-refused"
    status = 422


class SecondFactorNeeded(CommonholdError):
    """Whoever runs the site asks owners for a second factor, and this one has none."""

    code = "second-factor-needed"
    status = 403


class AlreadyMember(CommonholdError):
    """The person belongs to the organization already."""

    code = "already-member"
    status = 409


class LastOwner(CommonholdError):
    """An organization must keep one owner."""

    code = "last-owner"
    status = 409


@transaction.atomic
def create(*, name: str, owner: User, slug: str = "", country: str = "") -> Organization:
    """Create an organization and make `owner` its first member.

    Raises InvalidName, NameTaken when the slug (made from the name unless given) is in use or the
    name looks like that of another organization, Unconfirmed for an account that nobody proved, and
    TooManyOrganizations.
    """
    people.require_somebody(owner)
    require_room(owner)
    name, look = names.check_name(name), names.look_of(name)
    slug = slug or slugify(name)[:60].strip("-")
    if not slug:
        sentence = _(
            "«%(name)s» has no letters that can stand in an address; give a short name in Latin "
            "letters."
        )
        raise NameTaken(sentence, name=name)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(
                slug=slug, name=name, look=look, country=country
            )
    except IntegrityError as error:
        require_own_look(name=name, look=look)
        sentence = _("The address «%(slug)s» is taken. Choose another name for the organization.")
        raise NameTaken(sentence, slug=slug) from error
    Membership.objects.create(user=owner, organization=organization, role=Role.OWNER)
    audit.note(by=owner, verb="organization.created", about=(organization,), name=name)
    return organization


def require_room(owner: User) -> None:
    """Raise TooManyOrganizations if somebody owns as many as they may.

    What one organization may take up would be no limit for whoever founds another one. Within the
    caller's transaction: those founded at the same time are counted one after the other.
    """
    locks.hold(f"founding {owner.pk}")
    owned = owner.memberships.filter(role=Role.OWNER).count()
    if owned >= settings.QUOTA_ORGANIZATIONS:
        sentence = _(
            "You own %(owned)s organizations, and %(limit)s may be. Leave one, or ask whoever runs "
            "this site."
        )
        raise TooManyOrganizations(sentence, owned=owned, limit=settings.QUOTA_ORGANIZATIONS)


def require_own_look(*, name: str, look: str) -> None:
    """Raise NameTaken if another organization's name looks like this one."""
    if other := Organization.objects.filter(look=look).first():
        sentence = _(
            "«%(name)s» looks like the name of %(other)s. Choose one that nobody takes for theirs."
        )
        raise NameTaken(sentence, field="name", name=name, other=other.name)


@transaction.atomic
def join(*, organization: Organization, user: User, role: Role) -> Membership:
    """Make somebody a member who was asked and said yes (`accounts.invitations.accept`).

    Raises Unconfirmed for an account that nobody has proved, and AlreadyMember.
    """
    people.require_somebody(user)
    hold(organization)
    membership, is_new = Membership.objects.get_or_create(
        user=user, organization=organization, defaults={"role": role}
    )
    if not is_new:
        sentence = _("You belong to %(organization)s already.")
        raise AlreadyMember(sentence, organization=str(organization))
    about = (user, organization)
    audit.note(by=user, verb="member.joined", about=about, member=user.email, role=str(role))
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: User) -> None:
    """Give a member another role. Only an owner may. Raises NotAllowed, LastOwner."""
    organization, user = membership.organization, membership.user
    require_owner(organization=organization, user=by)
    if role != Role.OWNER:
        require_another_owner(organization=organization, than=user)
    organization.memberships.filter(pk=membership.pk).update(role=role)
    about = (user, organization)
    audit.note(by=by, verb="member.role", about=about, member=user.email, role=str(role))


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: User) -> None:
    """Take a user's membership away, and with it the keys for this organization.

    Owners may, and the members themselves. Raises NotAllowed, LastOwner.
    """
    hold(organization)
    if user != by:
        require_owner(organization=organization, user=by)
    require_another_owner(organization=organization, than=user)
    organization.memberships.filter(user=user).delete()
    organization.api_keys.filter(user=user, revoked=False).update(revoked=True)
    verb = "member.left" if user == by else "member.removed"
    audit.note(by=by, verb=verb, about=(user, organization), member=user.email)


@transaction.atomic
def issue_key(
    *,
    organization: Organization,
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is shown once and kept only as a hash.

    It works for a year, or until `expires_at` if that is sooner. Raises InvalidName, UnknownScope,
    NotAllowed, SecondFactorNeeded, and KeyTermRefused where the end is later, or past.
    """
    name = names.check_name(name)
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        sentence = _("A key needs one or more of the scopes %(scopes)s.")
        raise UnknownScope(sentence, unknown=unknown, scopes=", ".join(Scope.values))
    hold(organization)
    now = anew(user)
    if membership_of(user=now, organization=organization) is None:
        require_factor(organization=organization, user=now)
        sentence = _("Only a member of %(organization)s can make a key for it.")
        raise NotAllowed(sentence, organization=str(organization))
    key, secret = ApiKey.objects.create_key(
        name=name[:50],
        user=user,
        organization=organization,
        scopes=wanted,
        expiry_date=end_of_key(expires_at),
    )
    made = cast("ApiKey", key)
    copies = {"key": made.name, "prefix": made.prefix, "scopes": wanted}
    audit.note(by=user, verb="key.made", about=(user, organization), **copies)
    return made, secret


def end_of_key(wanted: datetime | None) -> datetime:
    """Return when a key that is made now ends. Raises KeyTermRefused."""
    now = timezone.now()
    end = wanted or now + KEY_TERM
    if not now < end <= now + KEY_TERM:
        sentence = _("A key works for %(days)s days at most. Choose an end before that.")
        raise KeyTermRefused(sentence, days=KEY_TERM.days)
    return end


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User) -> None:
    """Stop a key for good. Its user and the owners of the organization may."""
    if key.user_id != by.pk:
        require_owner(organization=key.organization, user=by)
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)
    about = (key.user, key.organization)
    audit.note(by=by, verb="key.revoked", about=about, key=key.name, prefix=key.prefix)


def hold(organization: Organization) -> None:
    """Let nobody else change who belongs to the organization until the transaction ends."""
    Organization.objects.select_for_update().get(pk=organization.pk)


def anew(user: User) -> User | None:
    """Return somebody as they are now, without what was read of them before; None if gone."""
    return User.objects.filter(pk=user.pk).first()


def require_owner(*, organization: Organization, user: User) -> None:
    """Hold the organization; raise SecondFactorNeeded or NotAllowed unless the user owns it now.

    In this order: whoever was sent away while they waited is no owner any more.
    """
    hold(organization)
    now = anew(user)
    if not is_owner(now, organization):
        require_factor(organization=organization, user=now)
        sentence = _("Only an owner of %(organization)s can do this.")
        raise NotAllowed(sentence, organization=str(organization))


def require_factor(*, organization: Organization, user: User | None) -> None:
    """Raise SecondFactorNeeded for an owner without the second factor that the site asks for."""
    if lacks_factor(user=user, organization=organization):
        sentence = _("Owners need a second factor on this site. Set one up, then come back.")
        raise SecondFactorNeeded(sentence)


def require_another_owner(*, organization: Organization, than: User) -> None:
    """Raise LastOwner if the organization would be left with no owner who can act for it."""
    owners = organization.memberships.filter(
        role=Role.OWNER, user__is_active=True, user__confirmed_at__isnull=False
    )
    if owners.filter(user=than).exists() and owners.count() == 1:
        sentence = _(
            "%(person)s is the last owner of %(organization)s. Make somebody else an owner first."
        )
        raise LastOwner(sentence, person=str(than), organization=str(organization))
