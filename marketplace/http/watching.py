"""What is refused leaves one line in the security log: written here, where every answer passes."""

from django.http import HttpRequest, HttpResponse

from accounts import audit, requests, security
from accounts.models import User
from marketplace.http.clients import address_of
from marketplace.http.requests import GetResponse

LINKS = frozenset(
    {
        "invitation-expired",
        "invitation-foreign",
        "invitation-unknown",
        "invitation-used",
        "invitation-withdrawn",
        "link-invalid",
        "link-revoked",
        "link-too-old",
    }
)
"""Codes of addresses that carry their permission in themselves, and don't any more."""
MALFORMED = frozenset({"bad-request", "forged-request", "length-required"})


def watched(get_response: GetResponse) -> GetResponse:
    """Note from where a request comes, and tell of it if it is refused."""

    def respond(request: HttpRequest) -> HttpResponse:
        requests.come_from(security.pseudonym(address_of(request)))
        response = get_response(request)
        code = requests.current().refusal
        if event := event_of(request, response.status_code, code):
            note(request, event, status=response.status_code, code=code)
        return response

    return respond


def event_of(request: HttpRequest, status: int, code: str) -> str:
    """Return which event an answer is; "" for none."""
    if status < 400 and code not in LINKS:
        return ""
    is_known = status == 404 and request.resolver_match and user_of(request)
    events = {
        "link.refused": code in LINKS,
        "limit.reached": status in {413, 429},
        "key.refused": status == 401 and "Authorization" in request.headers,
        "request.refused": code in MALFORMED or (status == 400 and not code),
        "access.refused": status == 403,
        "access.missed": is_known,
    }
    return next((event for event, applies in events.items() if applies), "")


def note(request: HttpRequest, event: str, *, status: int, code: str) -> None:
    """Tell of a refusal; that somebody was refused who is known here is written down as well.

    Of what is not there, or not theirs, nothing is written down: no answer says which it was.
    """
    user = user_of(request)
    match = request.resolver_match
    facts = {
        "code": code or None,
        "status": status,
        "view": match.view_name if match else None,
        "method": request.method,
    }
    if user is None or event == "access.missed":
        who = f"user:{user.pk}" if user else requests.current().client
        security.tell_seldom(event, who=f"{who}:{code}", by=user.pk if user else None, **facts)
    else:
        audit.note_seldom(by=user, verb=event, who=f"user:{user.pk}:{code}", **facts)


def user_of(request: HttpRequest) -> User | None:
    """Return who asks, by a session or a key; None for visitors, and where nobody looked."""
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None
