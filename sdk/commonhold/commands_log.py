"""`log check`, `log prove`: the public log, held to what it said before."""

import time
from pathlib import Path

import click

from commonhold import listcheck, merkle, notes, tlog
from commonhold.canonical import sha256_hex
from commonhold.client import Client
from commonhold.downloading import site_roots, site_trust
from commonhold.errors import CommonholdError
from commonhold.filecheck import PROOFS
from commonhold.pins import state_dir, write_private
from commonhold.sentences import _
from commonhold.signing import parse_envelope
from commonhold.terminal import Outcome, reporting
from commonhold.tiles import tile_nodes
from commonhold.trust import Trust, follow, read_trusted_root

CACHED_S = 2
TRUST_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class LogRewrittenError(CommonholdError):
    """A log that no longer contains what it once committed to."""

    code = "log-rewritten"
    status = 409


def _trust(client: Client, given: Path | None) -> Trust:
    """Return the site's keys, followed from those given, or from those pinned if there are any."""
    if given is None:
        return site_trust(client)
    return follow(read_trusted_root(given.read_bytes()), *site_roots(client))


def _checkpoint(client: Client, trust: Trust) -> tuple[str, notes.Checkpoint]:
    note = client.site_file("/log/checkpoint").decode()
    checkpoint = _opened(note, trust)
    if checkpoint.origin != trust.origin:
        sentence = _("The checkpoint is of the log %(log)s, not of %(known)s.")
        raise notes.NoteError(sentence, log=checkpoint.origin, known=trust.origin)
    return note, checkpoint


def _opened(note: str, trust: Trust) -> notes.Checkpoint:
    log = trust.log_of(note)
    checkpoint = notes.open_checkpoint(note, log.verifier)
    log.require(checkpoint)
    return checkpoint


def _nodes(client: Client, size: int) -> merkle.NodeReader:
    return tile_nodes(size, lambda path: client.site_file(f"/log/{path}"))


@click.group()
def log() -> None:
    """Check the site's public log, or prove that a manifest is in it."""


@log.command()
@click.option("--trust", "given", type=TRUST_FILE, help="The site's trusted_root.json.")
@reporting
def check(given: Path | None) -> Outcome:
    """Check that the log only grew since the last time you asked, and remember where it is now.

    And that the status lists are those whose digests were logged, not others made for you.
    """
    with Client() as client:
        trust = _trust(client, given)
        lists = listcheck.fetch(client, trust)
        note, now = _checkpoint(client, trust)
        if any(one.index >= now.size for one in lists):
            # A copy of the checkpoint may be a second old.
            time.sleep(CACHED_S)
            note, now = _checkpoint(client, trust)
        name = sha256_hex(trust.origin.encode())[:32]
        kept = state_dir() / "checkpoints" / f"{name}.txt"
        data = {"origin": now.origin, "size": now.size, "root": now.root.hex(), "since": None}
        data["status_lists"] = len(lists)
        if kept.exists():
            before = _opened(kept.read_text(), trust)
            data["since"] = before.size
            _require_growth(client, before, now)
        for one in lists:
            one.require_logged(note, now.size, _nodes(client, now.size))
    write_private(kept, note.encode())
    since = "This is the first time you ask; it is remembered."
    if data["since"] is not None:
        since = f"It contains all {data['since']} entries that it had before."
    lines = [f"{now.origin}: {now.size} entries, signed. {since}"]
    if lists:
        lines.append(f"{len(lists)} status lists are served as they were logged.")
    return Outcome(data, lines)


def _require_growth(client: Client, before: notes.Checkpoint, now: notes.Checkpoint) -> None:
    try:
        proof: list[bytes] = []
        if 0 < before.size < now.size:
            proof = merkle.consistency_proof(before.size, now.size, _nodes(client, now.size))
        if before.size:
            merkle.verify_consistency(before.size, now.size, before.root, now.root, proof)
    except merkle.MerkleError as error:
        sentence = _(
            "The log %(log)s had %(entries)s entries when you last asked and does not contain "
            "them any more. Keep this evidence and tell others: %(why)s"
        )
        facts = {"log": now.origin, "entries": before.size, "why": error.said}
        raise LogRewrittenError(sentence, before=before.text(), now=now.text(), **facts) from error


@log.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--trust", "given", type=TRUST_FILE, help="The site's trusted_root.json.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the proof.")
@reporting
def prove(target: Path, given: Path | None, out: Path | None) -> Outcome:
    """Prove that a release's manifest is in the log as the log stands now."""
    folder = target if target.is_dir() else target.parent
    envelope = parse_envelope((folder / PROOFS[0]).read_bytes())
    old = tlog.parse_proof((folder / PROOFS[2]).read_bytes())
    with Client() as client:
        trust = _trust(client, given)
        key = envelope.verify(trusted.key for trusted in trust.manifest_keys)
        note, now = _checkpoint(client, trust)
        proof = tlog.prove(old.index, note, now.size, _nodes(client, now.size))
    proof.verify(tlog.entry_body(envelope, key), trust.log_of(note).verifier)
    if out is not None:
        out.write_bytes(proof.to_bytes())
    data = {"origin": now.origin, "index": old.index, "size": now.size, "root": now.root.hex()}
    line = f"The manifest is entry {old.index} of {now.origin}, which has {now.size} entries now."
    return Outcome(data | {"proof": proof.to_bytes().decode()}, [line])
