"""The transparency log over HTTP (C2SP tlog-tiles): anybody can mirror and check it."""

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.http import HttpRequest, HttpResponse

from marketplace.http.published import YEAR, document, published
from notary import log

OCTETS = "application/octet-stream"
FULL = log.TILE_WIDTH
# C2SP tlog-tiles: N in groups of three digits, all but the last after an "x"; W only when partial.
NUMBER = r"(?P<number>(?:x\d{3}/)*\d{3})"
WIDTH = r"(?:\.p/(?P<width>[1-9]\d{0,2}))?"
TILE = rf"^log/tile/(?P<level>[1-5]?\d|6[0-3])/{NUMBER}{WIDTH}$"
ENTRIES = rf"^log/tile/entries/{NUMBER}{WIDTH}$"


class LogEmpty(CommonholdError):
    """Nothing was logged yet."""

    code = "log-empty"
    status = 404


@published
def checkpoint(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve the newest signed checkpoint."""
    newest = log.latest_checkpoint()
    if newest is None:
        raise LogEmpty(_("Nothing was logged yet, so there is no checkpoint."))
    return document(newest.note, "text/plain; charset=utf-8", seconds=1)


@published
def tile(
    request: HttpRequest,  # noqa: ARG001 - a view
    level: str,
    number: str,
    width: str | None = None,
) -> HttpResponse:
    """Serve a tile of hashes, whole or as far as it goes."""
    data = log.tile(level=int(level), number=index(number), width=size(width))
    return document(data, OCTETS, seconds=YEAR)


@published
def bundle(request: HttpRequest, number: str, width: str | None = None) -> HttpResponse:  # noqa: ARG001
    """Serve a bundle of entries, each after its length in two bytes."""
    data = log.entry_bundle(number=index(number), width=size(width))
    return document(data, OCTETS, seconds=YEAR)


@published
def entry(request: HttpRequest, index: int) -> HttpResponse:  # noqa: ARG001 - a view
    """Serve one entry: the JSON whose bytes are the leaf."""
    body = bytes(log.entry_at(index=index).body)
    return document(body, "application/json", seconds=YEAR)


def index(number: str) -> int:
    """Read a tile's number: x001/x234/067 is 1234067. Raises NoSuchTile for a second spelling."""
    digits = number.replace("x", "").replace("/", "")
    if (len(digits) > 3 and digits.startswith("000")) or len(digits) > 18:
        sentence = _("A tile's number has no leading zeros but those of its first group.")
        raise log.NoSuchTile(sentence)
    return int(digits)


def size(width: str | None) -> int:
    """Read a tile's width; 256 when none is said. Raises NoSuchTile."""
    if width is None:
        return FULL
    if int(width) >= FULL:
        sentence = _(
            "A partial tile has 1 to %(most)s hashes; a full one is asked for without a width."
        )
        raise log.NoSuchTile(sentence, most=FULL - 1)
    return int(width)
