"""Whose signatures count here."""

from django.http import HttpRequest, HttpResponse

from ingestion import keys
from marketplace.api.published import MINUTE, document, published


@published
def trusted_root(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve trusted_root.json: the keys of manifests, log and status lists, with their validity."""
    return document(keys.trusted_root(), "application/json", seconds=60 * MINUTE)
