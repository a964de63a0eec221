"""Status lists held against the log: what the site serves is what it said to everybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from commonhold import merkle, statuschange, tlog
from commonhold.canonical import digest, sha256_hex
from commonhold.client import Client, ServerError
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.signing import Envelope, envelope_from
from commonhold.standing import Asker
from commonhold.statuschange import ListState
from commonhold.statuslist import narrowed_claim
from commonhold.trust import Trust

RECENT = 20


class ListNotLoggedError(CommonholdError):
    """A status list that is not the one whose digest was logged last."""

    code = "status-list-not-logged"
    status = 409


@dataclass(frozen=True)
class LoggedList:
    """A status list as it is served, and the statement that says what it is."""

    uri: str
    envelope: Envelope
    index: int
    trust: Trust

    def require_logged(self, note: str, size: int, node: merkle.NodeReader) -> None:
        """Check that the statement is in the log that the checkpoint `note` commits to.

        Raises ListNotLoggedError, MerkleError, SignatureError.
        """
        if self.index >= size:
            sentence = _("What the status list %(list)s is was said, but is not in the log.")
            raise ListNotLoggedError(sentence, list=self.uri)
        key = self.envelope.verify(trusted.key for trusted in self.trust.manifest_keys)
        proof = tlog.prove(self.index, note, size, node)
        proof.verify(tlog.entry_body(self.envelope, key), self.trust.log_of(note).verifier)


def fetch(client: Client, trust: Trust) -> list[LoggedList]:
    """Return the site's status lists with the statements about them, which must agree.

    Ask for the log's checkpoint afterwards: it then holds all of them.
    """
    try:
        lists = client.site_json("/status/")["lists"]
        return [_fetch_one(client, trust, listed) for listed in lists]
    except (KeyError, TypeError, ValueError) as error:
        sentence = _("%(url)s does not list its status lists in a form that can be read.")
        raise ServerError(sentence, url=client.url) from error


def _fetch_one(client: Client, trust: Trust, listed: Mapping[str, Any]) -> LoggedList:
    ask = Asker(trust, datetime.now(UTC), fetch=None)
    served = ask.read(client.site_file(listed["path"]), listed["uri"])
    said = client.site_json(f"{listed['path']}/changes?newest={RECENT}")["statements"]
    states = [_read(statement, trust) for statement in said]
    shown = (listed["uri"], sha256_hex(served.data), digest(narrowed_claim(served.narrowed)))
    for statement, state, later in zip(said, states, [*states[1:], None], strict=False):
        # The list may come from a copy that is some seconds old: then what it said is older too.
        then = state.time <= served.issued and (later is None or served.issued <= later.time)
        if then and (state.uri, state.sha256, state.narrowed) == shown:
            envelope = envelope_from(statement["envelope"])
            return LoggedList(listed["uri"], envelope, int(statement["index"]), trust)
    sentence = _(
        "The status list %(uri)s is not the one whose digest the site logged last, so others may "
        "be shown another one. Keep what you got, and tell others."
    )
    raise ListNotLoggedError(sentence, uri=listed["uri"])


def _read(statement: Mapping[str, Any], trust: Trust) -> ListState:
    envelope = envelope_from(statement["envelope"])
    envelope.verify(trusted.key for trusted in trust.manifest_keys)
    return statuschange.read(envelope.payload)
