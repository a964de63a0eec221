"""What every page knows without its view saying so."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, User
from marketplace.http.acting import acting_membership, memberships_of


def site(request: HttpRequest) -> dict[str, Any]:
    """Say whether payments are a test, mail stays here, and for whom the reader acts.

    `membership` is how they belong to it (None for visitors), `other_memberships` what else they
    could act for; both are looked up when a template first asks for them.
    """
    return {
        "test_payments": settings.PAYMENT_PROVIDER == "test",
        "show_mail": settings.SHOW_MAIL,
        "membership": SimpleLazyObject(lambda: acting_membership(request)),
        "other_memberships": SimpleLazyObject(lambda: _others(request)),
    }


def _others(request: HttpRequest) -> list[Membership]:
    acting = acting_membership(request)
    if acting is None or not isinstance(request.user, User):
        return []
    others = [one for one in memberships_of(request.user) if one.pk != acting.pk]
    return sorted(others, key=lambda one: one.organization.name)
