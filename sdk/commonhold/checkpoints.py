"""Checkpoints of logs as they were seen, with their signatures: what a log can be held to.

They lie under $XDG_STATE_HOME/commonhold/checkpoints, one for each site by the address that a
person typed; evidence against a log lies beside them, under `evidence`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from commonhold import base64s, canonical, merkle, notes, times
from commonhold.addresses import is_this_machine
from commonhold.errors import CommonholdError
from commonhold.pins import state_dir, write_private
from commonhold.sentences import _
from commonhold.shapes import AnswerError
from commonhold.trust import Trust

Nodes = merkle.NodeReader


class LogRewrittenError(CommonholdError):
    """A log that no longer contains what it once committed to."""

    code = "log-rewritten"
    status = 409


class LogGoesBackError(CommonholdError):
    """A log that shows fewer entries than it had: an old copy, or something to hide."""

    code = "log-goes-back"
    status = 409


class LogDamagedError(AnswerError):
    """Tiles that do not lead to what the log signed."""

    code = "log-damaged"


@dataclass(frozen=True)
class Seen:
    """A checkpoint with its signatures, as it was seen, and what it says."""

    note: str
    checkpoint: notes.Checkpoint


def opened(note: str, trust: Trust) -> Seen:
    """Return the checkpoint in a note that the log's key signed in its time, or NoteError."""
    log = trust.log_of(note)
    checkpoint = notes.open_checkpoint(note, log.verifier)
    log.require(checkpoint)
    if checkpoint.origin != trust.origin:
        sentence = _("The checkpoint is of the log %(log)s, not of %(known)s.")
        raise notes.NoteError(sentence, log=checkpoint.origin, known=trust.origin)
    return Seen(note, checkpoint)


def _folder() -> Path:
    return state_dir() / "checkpoints"


def path_of(address: str) -> Path:
    """Return where the checkpoint of the site that a person calls `address` is kept."""
    return _folder() / f"{canonical.sha256_hex(address.encode())[:32]}.txt"


def remember(address: str, seen: Seen) -> Path:
    """Keep the newest checkpoint of the site that a person calls `address`."""
    write_private(path_of(address), seen.note.encode())
    return path_of(address)


def of_site(address: str, trust: Trust) -> Seen | None:
    """Return the checkpoint kept for an address, else the largest kept of its log."""
    path = path_of(address)
    if path.exists() and not is_this_machine(address):
        return opened(path.read_text(), trust)
    known = of_log(trust)
    return max(known, key=lambda seen: seen.checkpoint.size) if known else None


def of_log(trust: Trust) -> list[Seen]:
    """Return every checkpoint kept that a key of the log signed, wherever it was seen."""
    found = []
    for path in sorted(_folder().glob("[!.]*.txt")) if _folder().is_dir() else []:
        try:
            found.append(opened(path.read_text(), trust))
        except CommonholdError:
            continue  # Of another log.
    return found


def require_growth(before: Seen, now: Seen, trust: Trust, nodes: Nodes | None) -> None:
    """Check that a log only grew from one checkpoint to the other; `nodes` reads the newer tree.

    Without `nodes` only checkpoints of one size can be compared. Raises LogRewrittenError, and
    keeps both checkpoints where that says; LogGoesBackError, LogDamagedError.
    """
    old, new = before.checkpoint, now.checkpoint
    if old.size > new.size:
        sentence = _(
            "The log %(log)s shows an older state than you have seen: %(entries)s entries, where "
            "it had %(before)s. Ask again in some minutes; if it stays, tell others."
        )
        raise LogGoesBackError(sentence, log=new.origin, entries=new.size, before=old.size)
    was, proof = new.root, list[bytes]()
    if old.size < new.size:
        if nodes is None or not old.size:
            return
        was, proof = _shown(old.size, new, nodes)
    if was != old.root:
        path = _keep_evidence(before, now, trust, was, proof)
        sentence = _(
            "The log %(log)s signed two things that can't both be true: it had %(entries)s entries "
            "and does not contain them any more. Both signed checkpoints are kept in %(evidence)s: "
            "show it to others."
        )
        facts = {"entries": old.size, "evidence": str(path)}
        raise LogRewrittenError(sentence, log=new.origin, before=before.note, now=now.note, **facts)


def _shown(size: int, new: notes.Checkpoint, nodes: Nodes) -> tuple[bytes, list[bytes]]:
    """Return the root that a log shows for its first `size` entries, proved to lead to `new`.

    Nobody signs tiles: those that do not lead there say nothing about the log. LogDamagedError.
    """
    try:
        was, proof = merkle.tree_root(size, nodes), merkle.consistency_proof(size, new.size, nodes)
        merkle.verify_consistency(size, new.size, was, new.root, proof)
    except (merkle.MerkleError, notes.NoteError) as error:
        sentence = _(
            "What the log %(log)s shows of its tree does not lead to the checkpoint that it "
            "signed: it was damaged, on its way or at the site. Try again later."
        )
        raise LogDamagedError(sentence, log=new.origin) from error
    return was, proof


def _keep_evidence(
    before: Seen, now: Seen, trust: Trust, was: bytes, proof: Sequence[bytes]
) -> Path:
    """Write what anybody can check who knows the log's key, and return where.

    `consistency`: the hashes that the log's tiles gave (RFC 9162 §2.1.4). They prove that `was` is
    the root of the newer tree's first entries; `before` is signed for another root of as many.
    """
    return keep_evidence(
        trust,
        before=before.note,
        now=now.note,
        was=base64s.encode(was),
        consistency=[base64s.encode(value) for value in proof],
    )


def keep_evidence(trust: Trust, **signed: object) -> Path:
    """Write down things that a site signed and that can't all be true; return where."""
    moment = times.write(datetime.now(UTC).replace(microsecond=0))
    document = {
        "log": trust.origin,
        "site": trust.site,
        "found": moment,
        "keys": [log.verifier for log in trust.log_keys],
        **signed,
    }
    name = f"{moment.replace(':', '')}-{os.urandom(4).hex()}.json"
    path = state_dir() / "evidence" / name
    write_private(path, canonical.encode(document) + b"\n")
    return path
