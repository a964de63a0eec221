"""Who may see and use a license: the members of the organization that holds it."""

from typing import Any

import rules

from accounts.permissions import can_buy, is_member
from licensing.models import Grant


@rules.predicate
def is_of_licensee(user: Any, grant: Grant | None) -> bool:
    """Whether the user belongs to the organization that holds the license."""
    return grant is not None and is_member(user, grant.licensee)


@rules.predicate
def may_use(user: Any, grant: Grant | None) -> bool:
    """Whether the user may download for the organization that holds the license."""
    return grant is not None and can_buy(user, grant.licensee)


rules.add_perm("licensing.view_grant", is_of_licensee)
rules.add_perm("licensing.use_grant", may_use)
