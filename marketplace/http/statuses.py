"""Status lists of this site, as the verifier asks for them: by address, without a request."""

from notary import status


def status_list(url: str) -> bytes:
    """Return a status list of this site as it is now. Raises NoSuchList for another's."""
    return status.token_at(uri=url)
