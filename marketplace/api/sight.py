"""Whose things a caller can know of: asked within the query that finds them.

So a thing of others and no thing at all are one and the same miss, and cost the same.
"""

from django.db.models import Exists, OuterRef, Q
from rest_framework.request import Request

from accounts.models import ApiKey, User
from accounts.permissions import counts
from ingestion.models import Version
from licensing.models import Offer
from marketplace.http.acting import memberships_of


def organizations(request: Request) -> list[int]:
    """Return the ids of the organizations that the caller may act for; a key speaks for one."""
    if not isinstance(request.user, User):
        return []
    mine = [
        membership.organization_id
        for membership in memberships_of(request.user)
        if counts(membership)
    ]
    key = request.auth
    return [one for one in mine if not isinstance(key, ApiKey) or one == key.organization_id]


def own(request: Request, organization: str) -> Q:
    """Return a filter for what belongs to the caller; `organization` is the path to its owner."""
    return Q(**{f"{organization}__in": organizations(request)})


def offered(version: str) -> Q:
    """Return a filter for what anybody may see; `version` is the path to a sealed version."""
    offers = Offer.objects.filter(version=OuterRef(version), version__state=Version.State.SEALED)
    return Q(Exists(offers))


def offered_dataset() -> Q:
    """Return a filter for datasets of which anybody may see a version."""
    offers = Offer.objects.filter(version__dataset=OuterRef("pk"))
    return Q(Exists(offers.filter(version__state=Version.State.SEALED)))
