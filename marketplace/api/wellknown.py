"""Whose signatures count here."""

from django.http import HttpRequest, HttpResponse

from marketplace.http.published import MINUTE, YEAR, document, published
from notary import keys

MEDIA_TYPE = "application/json"


@published
def trusted_root(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve trusted_root.json: the keys of manifests, log and status lists, with their validity."""
    return document(keys.trusted_root(), MEDIA_TYPE, seconds=MINUTE)


@published
def trusted_root_version(request: HttpRequest, version: int) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve a version of it, for those who follow the root key from one to the next."""
    return document(keys.root_version(version), MEDIA_TYPE, seconds=YEAR)
