"""What happened to a status list, as statements for the log: every change, and every new state.

An in-toto Statement v1 whose subject is the list (its address, and the SHA-256 of its unpacked
bytes) and whose predicate says what changed since the state before. It names positions, never
people. Who replays all statements about a list from the first gets the list as it is served.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from commonhold import canonical, statuslist, times
from commonhold.errors import CommonholdError
from commonhold.sentences import _

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://w3id.org/commonhold/status-change/v1"

Json = dict[str, object]


class StatusChangeError(CommonholdError):
    """A statement about a status list that is damaged, or does not follow from those before."""

    code = "status-change-invalid"
    status = 422


@dataclass(frozen=True)
class Change:
    """One entry's new status. `purposes`: all that are withdrawn so far, where it is narrowed."""

    position: int
    status: int
    at: datetime
    purposes: tuple[str, ...] = ()

    def as_dict(self) -> Json:
        """Return the JSON form."""
        at = times.write(self.at)
        found: Json = {"position": self.position, "status": self.status, "at": at}
        return found | {"purposes": sorted(self.purposes)} if self.purposes else found


@dataclass(frozen=True)
class ListState:
    """The state of a list after some changes: its `sequence`-th (from 1), `sha256` of its bytes.

    `narrowed` is the SHA-256 of the claim of that name (JCS) that goes with the bytes, `before`
    the SHA-256 of the bytes before, None for the first.
    """

    uri: str
    sequence: int
    time: datetime
    sha256: str
    narrowed: str
    before: str | None
    changes: tuple[Change, ...]

    def encode(self) -> bytes:
        """Return the payload to sign: the statement's JCS bytes."""
        return canonical.encode(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": self.uri, "digest": {"sha256": self.sha256}}],
                "predicateType": PREDICATE_TYPE,
                "predicate": {
                    "sequence": self.sequence,
                    "time": times.write(self.time),
                    "changes": [change.as_dict() for change in self.changes],
                    "narrowed": {"sha256": self.narrowed},
                    "before": None if self.before is None else {"sha256": self.before},
                },
            }
        )


def read(payload: bytes) -> ListState:
    """Return what a signed payload says of a list; StatusChangeError if it is anything else."""
    try:
        state = _read(cast("Json", canonical.decode_exact(payload)))
        faithful = state.encode() == payload
    except CommonholdError as error:
        sentence = _("This is not a statement about a status list: %(why)s")
        raise StatusChangeError(sentence, why=error.said) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StatusChangeError(_("This is not a statement about a status list.")) from error
    if not faithful:
        raise StatusChangeError(
            _("This statement about a status list says more than such a statement does.")
        )
    return state


def _read(statement: Json) -> ListState:
    (subject,) = cast("list[Json]", statement["subject"])
    predicate = cast("Json", statement["predicate"])
    before = cast("Json | None", predicate["before"])
    return ListState(
        uri=str(subject["name"]),
        sequence=_count(predicate["sequence"]),
        time=times.read(str(predicate["time"])),
        sha256=str(cast("Json", subject["digest"])["sha256"]),
        narrowed=str(cast("Json", predicate["narrowed"])["sha256"]),
        before=None if before is None else str(before["sha256"]),
        changes=tuple(_change(change) for change in cast("list[Json]", predicate["changes"])),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        sentence = _("%(value)s stands where a number was expected.")
        raise StatusChangeError(sentence, value=repr(value))
    return value


def _change(change: Json) -> Change:
    return Change(
        position=_count(change["position"]),
        status=_count(change["status"]),
        at=times.read(str(change["at"])),
        purposes=tuple(cast("list[str]", change.get("purposes", []))),
    )


@dataclass
class Entries:
    """What a list holds: its bytes, and by position what its narrowed entries no longer allow."""

    data: bytearray = field(default_factory=lambda: bytearray(statuslist.empty()))
    narrowed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes as they are now, hex."""
        return canonical.sha256_hex(bytes(self.data))

    @property
    def narrowed_sha256(self) -> str:
        """The SHA-256 of the claim `narrowed` as it is now, hex."""
        return canonical.digest(statuslist.narrowed_claim(self.narrowed))

    def apply(self, change: Change) -> Change | None:
        """Make a change and return it as it took effect; None where it changed nothing."""
        if not (0 <= change.position < statuslist.SIZE and change.status in statuslist.STRENGTH):
            sentence = _("A status list has no place %(place)s for status %(status)s.")
            raise StatusChangeError(sentence, place=change.position, status=change.status)
        known = self.narrowed.pop(change.position, ())
        settled = statuslist.settle(self.data, change.position, change.status)
        purposes: tuple[str, ...] = ()
        if statuslist.read(self.data, change.position) == statuslist.NARROWED:
            purposes = tuple(sorted({*known, *change.purposes}))
            self.narrowed[change.position] = purposes
        if not settled and purposes == known:
            return None
        return Change(change.position, change.status, change.at, purposes)


def replay(states: Iterable[ListState]) -> Entries:
    """Return the list that all statements about it, from the first, lead to.

    Raises StatusChangeError at the first that does not follow from those before it.
    """
    entries, before = Entries(), None
    for sequence, state in enumerate(states, start=1):
        place = {"sequence": state.sequence, "uri": state.uri}
        if (state.sequence, state.before) != (sequence, before):
            raise StatusChangeError(
                _("State %(sequence)s of %(uri)s does not follow from what was before."), **place
            )
        if any(entries.apply(change) != change for change in state.changes):
            raise StatusChangeError(
                _("State %(sequence)s of %(uri)s says what did not change."), **place
            )
        if (entries.sha256, entries.narrowed_sha256) != (state.sha256, state.narrowed):
            raise StatusChangeError(
                _("State %(sequence)s of %(uri)s is not what its changes lead to."), **place
            )
        before = state.sha256
    return entries
