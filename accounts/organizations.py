"""Organizations, their members and their keys: one function per change."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import ApiKey, Membership, Organization, Role, Scope, User
from accounts.permissions import membership_of


class NameTaken(CommonholdError):
    """Another organization has this name in its address."""

    code = "name-taken"
    status = 409


class NotAllowed(CommonholdError):
    """The person may not do this for the organization."""

    code = "not-allowed"
    status = 403


class UnknownScope(CommonholdError):
    """A key was asked for with a scope that doesn't exist, or with none."""

    code = "unknown-scope"
    status = 422


class LastOwner(CommonholdError):
    """An organization must keep one owner."""

    code = "last-owner"
    status = 409


@transaction.atomic
def create(*, name: str, owner: User, slug: str = "", country: str = "") -> Organization:
    """Create an organization and make `owner` its first member.

    Raises NameTaken when the slug (made from the name unless given) is in use.
    """
    slug = slug or slugify(name)[:60].strip("-")
    if not slug:
        sentence = _(
            "«%(name)s» has no letters that can stand in an address; give a short name in Latin "
            "letters."
        )
        raise NameTaken(sentence, name=name)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(slug=slug, name=name, country=country)
    except IntegrityError as error:
        sentence = _("The address «%(slug)s» is taken. Choose another name for the organization.")
        raise NameTaken(sentence, slug=slug) from error
    Membership.objects.create(user=owner, organization=organization, role=Role.OWNER)
    audit.note(by=owner, verb="organization.created", about=(organization,), name=name)
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role, by: User) -> Membership:
    """Add a user, or change the role that the user has. Only an owner may."""
    require_owner(organization=organization, user=by)
    Organization.objects.select_for_update().get(pk=organization.pk)
    if role != Role.OWNER:
        require_another_owner(organization=organization, than=user)
    membership, is_new = Membership.objects.update_or_create(
        user=user, organization=organization, defaults={"role": role}
    )
    verb = "member.added" if is_new else "member.role"
    audit.note(by=by, verb=verb, about=(user, organization), member=user.email, role=str(role))
    return membership


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: User) -> None:
    """Take a user's membership away, and with it the keys for this organization."""
    require_owner(organization=organization, user=by)
    Organization.objects.select_for_update().get(pk=organization.pk)
    require_another_owner(organization=organization, than=user)
    organization.memberships.filter(user=user).delete()
    organization.api_keys.filter(user=user, revoked=False).update(revoked=True)
    audit.note(by=by, verb="member.removed", about=(user, organization), member=user.email)


@transaction.atomic
def issue_key(
    *,
    organization: Organization,
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is shown once and kept only as a hash."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        sentence = _("A key needs one or more of the scopes %(scopes)s.")
        raise UnknownScope(sentence, unknown=unknown, scopes=", ".join(Scope.values))
    if membership_of(user=user, organization=organization) is None:
        sentence = _("Only a member of %(organization)s can make a key for it.")
        raise NotAllowed(sentence, organization=str(organization))
    key, secret = ApiKey.objects.create_key(
        name=name[:50], user=user, organization=organization, scopes=wanted, expiry_date=expires_at
    )
    made = cast("ApiKey", key)
    audit.note(by=user, verb="key.made", about=(organization,), key=made.name, scopes=wanted)
    return made, secret


@transaction.atomic
def revoke_key(*, key: ApiKey, by: User) -> None:
    """Stop a key for good. Its user and the owners of the organization may."""
    if key.user_id != by.pk:
        require_owner(organization=key.organization, user=by)
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)
    audit.note(by=by, verb="key.revoked", about=(key.organization,), key=key.name)


def require_owner(*, organization: Organization, user: User) -> None:
    """Raise NotAllowed unless the user owns the organization."""
    if not user.has_perm("accounts.manage_organization", organization):
        sentence = _("Only an owner of %(organization)s can do this.")
        raise NotAllowed(sentence, organization=str(organization))


def require_another_owner(*, organization: Organization, than: User) -> None:
    """Raise LastOwner if the organization would be left with no owner."""
    owners = organization.memberships.filter(role=Role.OWNER)
    if owners.filter(user=than).exists() and owners.count() == 1:
        sentence = _(
            "%(person)s is the last owner of %(organization)s. Make somebody else an owner first."
        )
        raise LastOwner(sentence, person=str(than), organization=str(organization))
