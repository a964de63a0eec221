"""What every page knows without its view saying so."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, User


def site(request: HttpRequest) -> dict[str, Any]:
    """Say whether payments are a test, and for which organization the reader acts.

    `membership` is looked up when a template first asks for it; None for visitors.
    """
    return {
        "test_payments": settings.PAYMENT_PROVIDER == "test",
        "membership": SimpleLazyObject(lambda: _membership(request)),
    }


def _membership(request: HttpRequest) -> Membership | None:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return None
    return user.memberships.select_related("organization").order_by("created_at").first()
