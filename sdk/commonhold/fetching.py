"""One small document from the network, for verification that asks for the latest status."""

from collections.abc import Collection, Sequence

import httpx

from commonhold.addresses import is_below
from commonhold.errors import CommonholdError
from commonhold.sentences import _

MAX_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 10


class FetchError(CommonholdError):
    """A document that could not be had."""

    code = "not-reachable"
    status = 502


def fetch_small(url: str, most: int = MAX_BYTES) -> bytes:
    """Return the bytes at `url`; FetchError if it does not answer 200 or is over `most` bytes."""
    data = bytearray()
    try:
        # Not packed, so that what arrives is as much as what is kept.
        asked = httpx.stream("GET", url, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"})
        with asked as response:
            response.raise_for_status()
            for chunk in response.iter_raw():
                data += chunk
                if len(data) > most:
                    raise FetchError(_("%(url)s is too large to be a status list."), url=url)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        sentence = _("%(url)s could not be asked: %(fault)s.")
        raise FetchError(sentence, url=url, fault=str(error)) from error
    return bytes(data)


def fetch_first(sites: Sequence[str], path: str, most: int = MAX_BYTES) -> bytes:
    """Return a site's file from the first of its addresses that has it, else FetchError."""
    troubles = []
    for site in sites:
        try:
            return fetch_small(site + path, most)
        except FetchError as error:
            troubles.append(error)
    raise troubles[0]


def fetch_below(bases: Collection[str], url: str) -> bytes:
    """Return the bytes at `url` if it lies below one of the addresses `bases`, else FetchError."""
    if not is_below(url, *bases):
        sentence = _("%(url)s is no address of the site whose keys these are: it was not asked.")
        raise FetchError(sentence, url=url)
    return fetch_small(url)
