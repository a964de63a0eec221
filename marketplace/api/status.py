"""Status lists: whether what is named by a place in them still stands (IETF Token Status List)."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from marketplace.http.published import document, published
from notary import status

MEDIA_TYPE = "application/statuslist+jwt"
# Published within seconds of a withdrawal, which has a minute to reach everybody.
SECONDS = 30
PAGE = 100


@published
def index(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """List the status lists: the address that each is known by, and where it is read here."""
    lists = [{"uri": one.uri, "path": f"/status/{one}"} for one in status.lists()]
    return JsonResponse({"lists": lists})


@published
def token(request: HttpRequest, name: str, number: int) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve a list: 0 valid, 1 withdrawn or revoked, 2 expired, 3 narrowed."""
    return document(status.token(name=name, number=number), MEDIA_TYPE, seconds=SECONDS)


@published
def changes(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Serve the signed statements about a list, oldest first, with their places in the log.

    `?after=N` begins after state N; `?newest=N` gives the newest N. Who replays all of them gets
    the list as it is served.
    """
    sequence = status.find(name=name, number=number).sequence
    start = number_of(request.GET.get("after", ""))
    if newest := number_of(request.GET.get("newest", "")):
        start = max(sequence - newest, 0)
    found = status.states(name=name, number=number, after=start, limit=PAGE)
    path = f"/status/{name}/{number}/changes"
    more = found and found[-1].sequence < sequence
    return JsonResponse(
        {
            "statements": [
                {"sequence": one.sequence, "index": one.index, "envelope": one.envelope}
                for one in found
            ],
            "next": f"{path}?after={found[-1].sequence}" if more else None,
        }
    )


def number_of(text: str) -> int:
    """Read a number from an address; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
