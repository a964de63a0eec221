"""Refusing a request before a view sees it: a page for people, a problem for programs."""

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import requests
from marketplace.http import problems
from marketplace.http.telling import tell

TEMPLATE = "refused.html"
PROGRAMS = ("/api/", "/hf/", "/mdc/", "/mcp", "/webhooks/")


class Forged(CommonholdError):
    """A form came without what shows that a page of ours sent it."""

    code = "forged-request"
    status = 403


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's
    """Answer a form that another site may have sent (settings.CSRF_FAILURE_VIEW)."""
    sentence = _(
        "This form could not be checked. Allow cookies for this site, load the page again, and "
        "send it once more."
    )
    return answer(request, Forged(sentence))


def answer(request: HttpRequest, error: CommonholdError) -> HttpResponse:
    """Return a refusal as whoever asks can read it; `wait` among its details is a Retry-After."""
    response: HttpResponse
    requests.refused(error.code)
    if wants_page(request):
        response = render(request, TEMPLATE, {"refusal": tell(error)}, status=error.status)
    else:
        response = problems.respond(error)
    if "wait" in error.details:
        response["Retry-After"] = str(error.details["wait"])
    response["Cache-Control"] = "no-store"
    return response


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser shows the answer to a person."""
    is_ours = not request.path.startswith(PROGRAMS)
    return is_ours and "text/html" in request.headers.get("Accept", "")
