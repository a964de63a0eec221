"""What anybody may read, from any page, and mirror: the log, the status lists, the keys."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from commonhold.errors import CommonholdError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from marketplace.http import problems

View = Callable[..., HttpResponse]

MINUTE = 60
YEAR = 365 * 24 * 3600


def published(view: View) -> View:
    """Serve GET and HEAD, to scripts of any origin, with refusals as problem documents."""

    @wraps(view)
    def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except CommonholdError as error:
            response = problems.respond(error)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return require_safe(served)


def document(data: bytes | str, media_type: str, *, seconds: int) -> HttpResponse:
    """Serve bytes that a copy may be kept of; for a year means that they never change."""
    forever = ", immutable" if seconds >= YEAR else ""
    headers = {"Cache-Control": f"public, max-age={seconds}{forever}"}
    return HttpResponse(data, content_type=media_type, headers=headers)
