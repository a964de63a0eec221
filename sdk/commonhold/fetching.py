"""One small document from the network, for verification that asks for the latest status."""

import httpx

from commonhold.errors import CommonholdError
from commonhold.sentences import _

MAX_BYTES = 64 * 1024 * 1024
TIMEOUT_S = 10


class FetchError(CommonholdError):
    """A document that could not be had."""

    code = "not-reachable"
    status = 502


def fetch_small(url: str) -> bytes:
    """Return the bytes at `url`; FetchError if it does not answer 200 or is over 64 MiB."""
    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT_S) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > MAX_BYTES:
                    raise FetchError(_("%(url)s is too large to be a status list."), url=url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        sentence = _("%(url)s could not be asked: %(fault)s")
        raise FetchError(sentence, url=url, fault=str(error)) from error
    return bytes(data)
