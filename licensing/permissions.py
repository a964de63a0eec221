"""Who may see and use a license: the members of the organization that holds it."""

from typing import Any

from rules.permissions import add_perm
from rules.predicates import predicate

from accounts.permissions import can_buy, is_member
from licensing.models import Grant


@predicate
def is_of_licensee(user: Any, grant: Grant | None) -> bool:
    """Whether the user belongs to the organization that holds the license."""
    return grant is not None and is_member(user, grant.licensee)


@predicate
def may_use(user: Any, grant: Grant | None) -> bool:
    """Whether the user may download for the organization that holds the license."""
    return grant is not None and can_buy(user, grant.licensee)


add_perm("licensing.view_grant", is_of_licensee)
add_perm("licensing.use_grant", may_use)
