"""Per-organization permissions; upper layers build theirs from these predicates (django-rules)."""

from collections.abc import Callable
from typing import Any, TypeGuard

from allauth.mfa.models import Authenticator
from django.conf import settings
from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.models import Membership, Organization, Role, User


def is_somebody(user: Any) -> TypeGuard[User]:
    """Tell whether this is a person who may act: switched on, with an address that is theirs."""
    return isinstance(user, User) and user.is_active and user.confirmed_at is not None


def membership_of(*, user: Any, organization: Organization) -> Membership | None:
    """Return how the user belongs to the organization, or None.

    The one rule: whoever has not proved their address belongs to nothing.
    """
    if not is_somebody(user):
        return None
    # All of them, as there are few: whoever read them before need not ask the database again.
    mine = (one for one in user.memberships.all() if one.organization_id == organization.pk)
    return next(mine, None)


def has_role(*roles: Role) -> Callable[[Any, Organization | None], bool]:
    """Make a predicate: the user is a member of the organization in one of the roles."""
    name = "is_" + "_or_".join(roles)

    @predicate(name)
    def belongs(user: Any, organization: Organization | None) -> bool:
        if organization is None:
            return False
        membership = membership_of(user=user, organization=organization)
        return membership is not None and membership.role in roles

    return belongs  # type: ignore[no-any-return]  # rules ships no types


is_member = has_role(Role.OWNER, Role.EDITOR, Role.BUYER)
is_owner = has_role(Role.OWNER)
can_contribute = has_role(Role.OWNER, Role.EDITOR)
can_buy = has_role(Role.OWNER, Role.BUYER)


@predicate
def has_factor_if_needed(user: Any) -> bool:
    """The person has a second factor, or whoever runs the site does not ask it of owners."""
    return not settings.REQUIRE_MFA_FOR_OWNERS or has_second_factor(user=user)


def has_second_factor(*, user: User) -> bool:
    """Tell whether signing in as this person takes more than a password."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=kinds).exists())


add_perm("accounts.view_organization", is_member)
add_perm("accounts.manage_organization", is_owner & has_factor_if_needed)
add_perm("accounts.contribute_for_organization", can_contribute)
add_perm("accounts.buy_for_organization", can_buy)
