"""Status lists held against the log: what the site serves follows from statements that it logged.

The last statement about each list that was seen is kept beside the log's checkpoint, signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import cast

from commonhold import canonical, checkpoints, merkle, shapes, statuschange, tlog
from commonhold.addresses import is_this_machine
from commonhold.canonical import digest, sha256_hex
from commonhold.client import Client
from commonhold.errors import CommonholdError, reason
from commonhold.pins import write_private
from commonhold.sentences import _
from commonhold.signing import Envelope, SignatureError, envelope_from
from commonhold.standing import Asker
from commonhold.statuschange import ListState
from commonhold.statuslist import StatusList, narrowed_claim
from commonhold.trust import Trust

RECENT = 20
Known = Mapping[str, "Said"]


class ListNotLoggedError(CommonholdError):
    """A status list that is not the one whose digest was logged last."""

    code = "status-list-not-logged"
    status = 409


class ListGoesBackError(CommonholdError):
    """A status list that is shown as if a statement about it had never been made."""

    code = "status-list-goes-back"
    status = 409


class ListMemoryDamagedError(CommonholdError):
    """A file of remembered statements that can't be read any more."""

    code = "status-list-memory-damaged"
    status = 409


@dataclass(frozen=True)
class Said:
    """A signed statement about a list, and what it says."""

    envelope: Envelope
    state: ListState

    @classmethod
    def read(cls, document: object, trust: Trust) -> "Said":
        """Return a statement that the site signed; SignatureError, StatusChangeError."""
        envelope = envelope_from(document)
        envelope.verify(trusted.key for trusted in trust.manifest_keys)
        return cls(envelope, statuschange.read(envelope.payload))


@dataclass(frozen=True)
class LoggedList:
    """A status list as it is served, and the statement that says what it is."""

    uri: str
    said: Said
    index: int
    trust: Trust

    def require_logged(self, note: str, size: int, node: merkle.NodeReader) -> None:
        """Check that the statement is in the log that the checkpoint `note` commits to.

        Raises ListNotLoggedError, MerkleError, SignatureError.
        """
        if self.index >= size:
            sentence = _("What the status list %(list)s is was said, but is not in the log.")
            raise ListNotLoggedError(sentence, list=self.uri)
        envelope = self.said.envelope
        key = envelope.verify(trusted.key for trusted in self.trust.manifest_keys)
        proof = tlog.prove(self.index, note, size, node)
        proof.verify(tlog.entry_body(envelope, key), self.trust.log_of(note).verifier)


def fetch(client: Client, trust: Trust, known: Known) -> list[LoggedList]:
    """Return the site's status lists with the statements about them, which must agree.

    `known` are the statements seen last: nothing may be shown that was before them. Ask for the
    log's checkpoint afterwards: it then holds all of them. Raises ListNotLoggedError,
    ListGoesBackError.
    """
    listed = client.site_json("/status/", shapes.STATUS_LISTS)["lists"]
    for uri in known.keys() - {one["uri"] for one in listed}:
        raise _went_back(known[uri], trust)
    return [_fetch_one(client, trust, one["uri"], one["path"], known) for one in listed]


def _fetch_one(client: Client, trust: Trust, uri: str, path: str, known: Known) -> LoggedList:
    token = client.site_file(path)
    served = Asker(trust, datetime.now(UTC), fetch=None).read(token, uri)
    shown = client.site_json(f"{path}/changes?newest={RECENT}", shapes.CHANGES)["statements"]
    said = [Said.read(statement["envelope"], trust) for statement in shown]
    _require_chain(said, uri)
    last = known.get(uri)
    if last is not None and not _go_on_from(said, last):
        raise _went_back(last, trust, token, said)
    return LoggedList(uri, *_matching(served, shown, said, uri), trust)


def _require_chain(said: Sequence[Said], uri: str) -> None:
    states = [one.state for one in said]
    follows = all(
        (later.sequence, later.before) == (state.sequence + 1, state.sha256)
        for state, later in pairwise(states)
    )
    if not follows or {state.uri for state in states} - {uri}:
        sentence = _("The statements about the status list %(list)s do not follow on one another.")
        raise ListNotLoggedError(sentence, list=uri)


def _go_on_from(said: Sequence[Said], last: Said) -> bool:
    """Tell whether statements, one after another, hold one that was seen or come after it."""
    places = {one.state.sequence: one for one in said}
    same = places.get(last.state.sequence)
    if same is not None:
        return same.envelope.payload == last.envelope.payload
    return bool(places) and min(places) > last.state.sequence


def _matching(
    served: StatusList, shown: Sequence[Mapping[str, int]], said: Sequence[Said], uri: str
) -> tuple[Said, int]:
    """Return the statement that says what a list is, and its place in the log."""
    digests = (sha256_hex(served.data), digest(narrowed_claim(served.narrowed)))
    for statement, one, later in zip(shown, said, [*said[1:], None], strict=False):
        # The list may come from a copy that is some seconds old: then what it said is older too.
        state = one.state
        then = state.time <= served.issued and (later is None or served.issued <= later.state.time)
        if then and (state.sha256, state.narrowed) == digests:
            return one, statement["index"]
    sentence = _(
        "The status list %(uri)s is not the one whose digest the site logged last, so others may "
        "be shown another one. Keep what you got, and tell others."
    )
    raise ListNotLoggedError(sentence, uri=uri)


def _went_back(
    last: Said, trust: Trust, token: bytes = b"", said: Sequence[Said] = ()
) -> ListGoesBackError:
    """Return the refusal, after keeping what the site signed: then, and now if anything."""
    path = checkpoints.keep_evidence(
        trust,
        manifestKeys=[trusted.as_dict() for trusted in trust.manifest_keys],
        statusKeys=[trusted.as_dict() for trusted in trust.status_keys],
        before=last.envelope.as_dict(),
        now=token.decode("ascii", "replace"),
        statements=[one.envelope.as_dict() for one in said],
    )
    sentence = _(
        "The status list %(list)s went back: statement %(sequence)s about it, which you have seen, "
        "is not shown any more. What the site signed is kept in %(evidence)s: show it to others."
    )
    sequence = str(last.state.sequence)
    return ListGoesBackError(sentence, list=last.state.uri, sequence=sequence, evidence=str(path))


# ---- what was seen last ----------------------------------------------------------------------


def _path(address: str) -> Path:
    return checkpoints.path_of(address).with_suffix(".lists.json")


def remembered(address: str, trust: Trust) -> dict[str, Said]:
    """Return the statements kept for an address, by list, or ListMemoryDamagedError."""
    path, found = _path(address), dict[str, Said]()
    if not path.exists():
        return found
    try:
        for document in cast("list[object]", canonical.decode(path.read_bytes())):
            said = Said.read(document, trust)
            found[said.state.uri] = said
    except SignatureError as error:
        if is_this_machine(address):
            return {}  # Another trial site was there.
        raise _damaged(path, error) from error
    except (CommonholdError, TypeError) as error:
        raise _damaged(path, error) from error
    return found


def _damaged(path: Path, error: Exception) -> ListMemoryDamagedError:
    sentence = _(
        "What is remembered of the site's status lists in %(path)s can't be relied on: %(why)s "
        "Bring the file back, or remove it if you know why."
    )
    return ListMemoryDamagedError(sentence, path=str(path), why=reason(error))


def remember(address: str, lists: Sequence[LoggedList], known: Known) -> None:
    """Keep the newest statement about each list."""
    newest = dict(known)
    for one in lists:
        last = known.get(one.uri)
        if last is None or last.state.sequence < one.said.state.sequence:
            newest[one.uri] = one.said
    kept = [newest[uri].envelope.as_dict() for uri in sorted(newest)]
    write_private(_path(address), canonical.encode(kept))
