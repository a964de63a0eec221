"""What a browser or proxy may keep: nothing that is shown to somebody who is signed in."""

from django.http import HttpRequest, HttpResponse

from marketplace.http.acting import is_signed_in
from marketplace.http.requests import GetResponse

# Pages for people who are about to be somebody: links that set passwords, second factors.
PRIVATE = ("/accounts/", "/account/", "/mail/")


def private(get_response: GetResponse) -> GetResponse:
    """Let no copy be kept of a signed-in person's page, nor of any page of an account.

    What is the same for everybody, and says so («public»), may be kept by all.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_private = request.path.startswith(PRIVATE) or is_signed_in(request)
        if is_private and "public" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "private, no-store"
        return response

    return respond
