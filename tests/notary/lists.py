"""Status lists as anybody reads them."""

from commonhold import statuschange, statuslist
from commonhold.signing import envelope_from

from notary import keys, status

WITHDRAWN, EXPIRED, NARROWED = 1, 2, 3


def read(name: str = "thing", number: int = 0) -> statuslist.StatusList:
    """A list as it is served, verified."""
    token = status.token(name=name, number=number).decode()
    return statuslist.check_status_list(token, [keys.signer("status").public])


def draw(count: int, name: str = "thing") -> list[int]:
    return [status.place(name=name).index for _ in range(count)]


def said(name: str = "thing", number: int = 0) -> list[statuschange.ListState]:
    """What the statements about a list say, as anybody reads them."""
    found = []
    for logged in status.states(name=name, number=number, limit=1000):
        envelope = envelope_from(logged.envelope)
        envelope.verify([keys.public(envelope.keyid)])
        found.append(statuschange.read(envelope.payload))
    return found
