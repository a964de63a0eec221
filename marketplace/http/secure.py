"""Programs that call without https are refused, not led on (ASVS 4.1.2).

A redirect would let them send their key in the clear each time, and never notice.
"""

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from marketplace.http import problems, refusals
from marketplace.http.requests import GetResponse


class HttpsRequired(CommonholdError):
    """A program called without https."""

    code = "https-required"
    status = 403


def required(get_response: GetResponse) -> GetResponse:
    """Refuse what came in the clear to an address of programs, where the site has https."""

    def respond(request: HttpRequest) -> HttpResponse:
        is_plain = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if is_plain and request.path.startswith(refusals.PROGRAMS):
            sentence = _("Call this address by https, and make a new key: this one was readable.")
            return problems.respond(HttpsRequired(sentence))
        return get_response(request)

    return respond
