"""One small document from the network, for verification that asks for the latest status."""

import httpx

from commonhold.errors import CommonholdError

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
                    message = f"{url} is too large to be a status list."
                    raise FetchError(message, url=url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"{url} could not be asked: {error}"
        raise FetchError(message, url=url) from error
    return bytes(data)
