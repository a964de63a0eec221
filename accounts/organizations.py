"""Organizations, their members and their keys: one function per change."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from commonhold.errors import CommonholdError
from django.db import IntegrityError, transaction
from django.utils.text import slugify

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
        message = (
            f"«{name}» has no letters that can stand in an address; give a short name in "
            "Latin letters."
        )
        raise NameTaken(message)
    try:
        with transaction.atomic():
            organization = Organization.objects.create(slug=slug, name=name, country=country)
    except IntegrityError as error:
        message = f"The address «{slug}» is taken. Choose another name for the organization."
        raise NameTaken(message, slug=slug) from error
    Membership.objects.create(user=owner, organization=organization, role=Role.OWNER)
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role, by: User) -> Membership:
    """Add a user, or change the role that the user has. Only an owner may."""
    require_owner(organization=organization, user=by)
    Organization.objects.select_for_update().get(pk=organization.pk)
    if role != Role.OWNER:
        require_another_owner(organization=organization, than=user)
    membership, _ = Membership.objects.update_or_create(
        user=user, organization=organization, defaults={"role": role}
    )
    return membership


@transaction.atomic
def remove_member(*, organization: Organization, user: User, by: User) -> None:
    """Take a user's membership away, and with it the keys for this organization."""
    require_owner(organization=organization, user=by)
    Organization.objects.select_for_update().get(pk=organization.pk)
    require_another_owner(organization=organization, than=user)
    organization.memberships.filter(user=user).delete()
    organization.api_keys.filter(user=user, revoked=False).update(revoked=True)


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
        message = f"A key needs one or more of the scopes {', '.join(Scope.values)}."
        raise UnknownScope(message, unknown=unknown)
    if membership_of(user=user, organization=organization) is None:
        message = f"Only a member of {organization} can make a key for it."
        raise NotAllowed(message)
    key, secret = ApiKey.objects.create_key(
        name=name[:50], user=user, organization=organization, scopes=wanted, expiry_date=expires_at
    )
    return cast("ApiKey", key), secret


def revoke_key(*, key: ApiKey, by: User) -> None:
    """Stop a key for good. Its user and the owners of the organization may."""
    if key.user_id != by.pk:
        require_owner(organization=key.organization, user=by)
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)


def require_owner(*, organization: Organization, user: User) -> None:
    """Raise NotAllowed unless the user owns the organization."""
    if not user.has_perm("accounts.manage_organization", organization):
        message = f"Only an owner of {organization} can do this."
        raise NotAllowed(message)


def require_another_owner(*, organization: Organization, than: User) -> None:
    """Raise LastOwner if the organization would be left with no owner."""
    owners = organization.memberships.filter(role=Role.OWNER)
    if owners.filter(user=than).exists() and owners.count() == 1:
        message = f"{than} is the last owner of {organization}. Make somebody else an owner first."
        raise LastOwner(message)
