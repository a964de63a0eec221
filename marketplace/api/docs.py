"""The OpenAPI schema of the native API, and its documentation, served from here alone."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView

PREFIX = "/api/v1/"
DESCRIPTION = """
Datasets with the consent of the people in them: upload, review, license, download, verify.

Send a key from your account as `Authorization: Bearer <key>`. Errors are problem documents
(RFC 9457) whose `detail` says what happened and what to do. Lists are pages with `count`, `next`,
`previous` and `results`. Times are UTC (RFC 3339); places in audio are milliseconds. Every answer
bears an `X-Request-ID`, under which a dataset's history tells what the request did; send one of
your own (8 to 64 letters, digits, `.`, `_`, `-`) to know it beforehand.
"""


def only_native(endpoints: Sequence[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Leave out of the schema what is not under /api/v1/ (drf-spectacular's hook)."""
    return [
        endpoint
        for endpoint in endpoints
        if endpoint[0].startswith(PREFIX) and not endpoint[0].startswith(f"{PREFIX}schema")
    ]


class Schema(SpectacularAPIView):
    """The OpenAPI 3 schema: YAML, or JSON with `?format=json`."""

    custom_settings = {
        "TITLE": "Commonhold",
        "DESCRIPTION": DESCRIPTION,
        "VERSION": "1",
        "PREPROCESSING_HOOKS": ["marketplace.api.docs.only_native"],
        "SCHEMA_PATH_PREFIX": PREFIX,
        "COMPONENT_SPLIT_REQUEST": True,
    }


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show the schema with Swagger UI. No script or style stands in the page itself (CSP)."""
    return render(request, "api/docs.html")
