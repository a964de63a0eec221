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
    """Return the membership by which the user may act for the organization, or None.

    The one rule: whoever has not proved their address belongs to nothing. And where the site asks
    owners for a second factor, whoever has none owns nothing, with a key as in a browser.
    """
    found = found_of(user=user, organization=organization)
    return found if found is not None and counts(found) else None


def found_of(*, user: Any, organization: Organization) -> Membership | None:
    """Return how somebody belongs to the organization, whether or not they may act by it."""
    if not is_somebody(user):
        return None
    # All of them, as there are few: whoever read them before need not ask the database again.
    mine = (one for one in user.memberships.all() if one.organization_id == organization.pk)
    return next(mine, None)


def counts(membership: Membership) -> bool:
    """Tell whether somebody may act by a membership: an owner's may need a second factor."""
    is_free = membership.role != Role.OWNER or not settings.REQUIRE_MFA_FOR_OWNERS
    return is_free or has_second_factor(user=membership.user)


def has_second_factor(*, user: User) -> bool:
    """Tell whether signing in as this person takes more than a password."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    # All of them, as of memberships.
    factors = user.authenticator_set.all()  # type: ignore[attr-defined]  # of allauth's, which ships no types
    return any(one.type in kinds for one in factors)


def lacks_factor(*, user: Any, organization: Organization) -> bool:
    """Tell whether an owner may not act for the organization until they have a second factor."""
    found = found_of(user=user, organization=organization)
    return found is not None and not counts(found)


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
