"""Every error as a problem document (RFC 9457): what happened, what it means, what to do."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from commonhold.errors import PROBLEM_BASE, CommonholdError
from commonhold.sentences import Sentence
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from accounts import requests
from ingestion.archive.blobs import BytesDamaged
from marketplace.http.telling import tell, tell_sentence

MEDIA_TYPE = "application/problem+json"
TOLD = (BytesDamaged,)
"""What was logged where it was found."""
log = logging.getLogger(__name__)

NOT_FOUND = _("There is nothing here, or it is not yours to see.")
NOT_UNDERSTOOD = _("The request could not be understood.")
NAMES: Mapping[type[Exception], tuple[str, int, Promise]] = {
    Http404: ("not-found", 404, NOT_FOUND),
    exceptions.NotFound: ("not-found", 404, NOT_FOUND),
    exceptions.NotAuthenticated: (
        "not-authenticated",
        401,
        _("Sign in again, or send a key from your account as «Authorization: Bearer …»."),
    ),
    PermissionDenied: ("permission-denied", 403, _("You may not do this.")),
    TooManyFilesSent: (
        "too-many-files",
        413,
        _("Too many files came with one request. Send fewer."),
    ),
    TooManyFieldsSent: ("too-many-fields", 413, _("Too many fields came with one request.")),
    RequestDataTooBig: (
        "request-too-large",
        413,
        _("The request is larger than this address takes."),
    ),
    UnreadablePostError: ("request-incomplete", 400, _("The request ended before it was whole.")),
    SuspiciousOperation: ("bad-request", 400, NOT_UNDERSTOOD),
    BadRequest: ("bad-request", 400, NOT_UNDERSTOOD),
}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:  # noqa: ARG001
    """Turn anything that a view raises into a problem document (DRF's EXCEPTION_HANDLER)."""
    problem = describe(error)
    headers = {}
    if isinstance(error, exceptions.APIException):
        if header := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = header
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    if "wait" in problem:
        headers["Retry-After"] = str(problem["wait"])
    return Response(
        problem, status=int(str(problem["status"])), headers=headers, content_type=MEDIA_TYPE
    )


def respond(error: Exception) -> JsonResponse:
    """Return the problem document of an error from a view that is not DRF's."""
    return answer(describe(error))


def answer(problem: Mapping[str, object]) -> JsonResponse:
    """Return a problem document as a response."""
    return JsonResponse(problem, status=int(str(problem["status"])), content_type=MEDIA_TYPE)


def describe(error: Exception) -> dict[str, object]:
    """Return the problem document of any error. An unforeseen one is logged and says nothing."""
    problem = described(error)
    requests.refused(str(problem["code"]))
    return problem


def described(error: Exception) -> dict[str, object]:
    """Return what a problem document says of an error; what is our fault is logged, once."""
    if isinstance(error, CommonholdError):
        if error.status >= 500 and not isinstance(error, TOLD):
            log.error("%s: %s", error.code, error.message, exc_info=error)
        return in_words(error.as_problem(detail=tell(error)))
    if isinstance(error, exceptions.ValidationError):
        return invalid(error)
    for kind, (code, status, detail) in NAMES.items():
        if isinstance(error, kind):
            return document(code, status, said(error) or str(detail))
    if isinstance(error, exceptions.APIException):
        code = getattr(error.detail, "code", error.default_code)
        return document(str(code).replace("_", "-"), error.status_code, str(error.detail))
    log.error("An unforeseen error", exc_info=error)
    detail = _("Something went wrong on our side; it was written down. Try again later.")
    return document("internal-error", 500, str(detail))


def in_words(problem: dict[str, object]) -> dict[str, object]:
    """Tell the sentences in a problem's lists in the reader's language, as its detail is."""
    return {
        name: [
            {
                key: tell_sentence(one, {}) if isinstance(one, Sentence) else one
                for key, one in row.items()
            }
            if isinstance(row, dict)
            else row
            for row in value
        ]
        if isinstance(value, list)
        else value
        for name, value in problem.items()
    }


def said(error: Exception) -> str:
    """Return what our own code, or a page number out of reach, has to say about a refusal."""
    if isinstance(error, exceptions.NotFound) and error.detail == error.default_detail:
        return ""
    return str(error) if isinstance(error, exceptions.NotFound | PermissionDenied) else ""


def document(code: str, status: int, detail: str, **details: object) -> dict[str, object]:
    """Return a problem document (RFC 9457 §3)."""
    return {
        **details,
        "type": PROBLEM_BASE + code,
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }


def invalid(error: exceptions.ValidationError) -> dict[str, object]:
    """Return the problem of a request whose fields can't stand, each named in `errors`."""
    faults = [{"field": field, "message": message} for field, message in flatten(error.detail)]
    said = [
        f"«{fault['field']}»: {fault['message']}" if fault["field"] else fault["message"]
        for fault in faults
    ]
    return document("invalid-request", 422, " ".join(said), errors=faults)


def flatten(detail: object, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield (field, message) from the nested detail of DRF's ValidationError."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from flatten(value, ".".join(part for part in (field, name) if part))
    elif isinstance(detail, list | tuple):
        for value in detail:
            yield from flatten(value, field)
    else:
        yield field, str(detail)
