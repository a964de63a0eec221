"""Status lists: whether consents and licenses still stand (IETF Token Status List)."""

from django.http import HttpRequest, HttpResponse

from licensing import status
from marketplace.api.published import MINUTE, document, published

MEDIA_TYPE = "application/statuslist+jwt"


@published
def consent(request: HttpRequest, number: int) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve the list of consents: 0 valid, 1 withdrawn, 2 expired, at most a minute old."""
    return document(status.consent_list(number=number), MEDIA_TYPE, seconds=MINUTE)


@published
def grant(request: HttpRequest, number: int) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve the list of grants: 0 in force, 1 revoked."""
    return document(status.grant_list(number=number), MEDIA_TYPE, seconds=MINUTE)
