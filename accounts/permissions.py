"""Per-organization permissions; upper layers build theirs from these predicates (django-rules)."""

from collections.abc import Callable
from typing import Any

from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.models import Membership, Organization, Role, User


def membership_of(*, user: Any, organization: Organization) -> Membership | None:
    """Return how the user belongs to the organization, or None."""
    if not isinstance(user, User) or not user.is_active:
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

add_perm("accounts.view_organization", is_member)
add_perm("accounts.manage_organization", is_owner)
add_perm("accounts.contribute_for_organization", can_contribute)
add_perm("accounts.buy_for_organization", can_buy)
