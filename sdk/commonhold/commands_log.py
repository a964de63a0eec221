"""`log check`, `log prove`: the public log, held to what it said before."""

import time
from pathlib import Path

import click

from commonhold import checkpoints, listcheck, merkle, tlog
from commonhold.checkpoints import Seen, opened
from commonhold.client import Client
from commonhold.downloading import site_trust
from commonhold.manifest import PROOFS
from commonhold.sentences import _
from commonhold.signing import parse_envelope
from commonhold.terminal import Outcome, reporting
from commonhold.tiles import tile_nodes
from commonhold.trust import Trust
from commonhold.verify import TargetError, documents_at, read_root
from commonhold.vouching import fingerprint

CACHED_S = 2
TRUST_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _trust(client: Client, given: Path | None) -> Trust:
    """Return the site's keys, followed from those given, or from those pinned if there are any."""
    return site_trust(client, None if given is None else read_root(given)).trust


def _checkpoint(client: Client, trust: Trust) -> Seen:
    return opened(client.site_file("/log/checkpoint").decode("utf-8", "replace"), trust)


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

    And that each status list is what a statement in that log says, and did not go back behind a
    statement that you have seen. Whether others are shown the same log, compare with them.
    """
    with Client() as client:
        trust = _trust(client, given)
        said = listcheck.remembered(client.url, trust)
        lists = listcheck.fetch(client, trust, said)
        before = checkpoints.of_site(client.url, trust)
        now = _checkpoint(client, trust)
        known = [one.index + 1 for one in lists] + [before.checkpoint.size if before else 0]
        if now.checkpoint.size < max(known):
            # A copy of the checkpoint may be a second old.
            time.sleep(CACHED_S)
            now = _checkpoint(client, trust)
        size, nodes = now.checkpoint.size, _nodes(client, now.checkpoint.size)
        if before is not None:
            checkpoints.require_growth(before, now, trust, nodes)
        for one in lists:
            one.require_logged(now.note, size, nodes)
        kept = checkpoints.remember(client.url, now)
        listcheck.remember(client.url, lists, said)
    since = "This is the first time you ask; it is remembered."
    if before is not None:
        since = f"It contains all {before.checkpoint.size} entries that it had before."
    lines = [
        f"{trust.origin}: {size} entries, signed. {since}",
        f"Root key: {fingerprint(trust)}. The signed checkpoint is kept in {kept}.",
    ]
    if lists:
        lines.append(f"{len(lists)} status lists are what statements in it say.")
    data = {"origin": trust.origin, "size": size, "root": now.checkpoint.root.hex()}
    data |= {"since": before and before.checkpoint.size, "status_lists": len(lists)}
    data |= {"fingerprint": fingerprint(trust), "checkpoint": now.note, "kept": str(kept)}
    return Outcome(data, lines)


@log.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path))
@click.option("--trust", "given", type=TRUST_FILE, help="The site's trusted_root.json.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the proof.")
@reporting
def prove(target: Path, given: Path | None, out: Path | None) -> Outcome:
    """Prove that a release's manifest is in the log as the log stands now."""
    papers = documents_at(target)
    if papers.manifest is None or papers.proof is None:
        sentence = _("There is no %(manifest)s with its %(proof)s at %(path)s.")
        raise TargetError(sentence, manifest=PROOFS[0], proof=PROOFS[2], path=str(target))
    envelope, old = parse_envelope(papers.manifest), tlog.parse_proof(papers.proof)
    with Client() as client:
        trust = _trust(client, given)
        key = envelope.verify(trusted.key for trusted in trust.manifest_keys)
        seen = _checkpoint(client, trust)
        now = seen.checkpoint
        proof = tlog.prove(old.index, seen.note, now.size, _nodes(client, now.size))
    proof.verify(tlog.entry_body(envelope, key), trust.log_of(seen.note).verifier)
    if out is not None:
        out.write_bytes(proof.to_bytes())
    data = {"origin": now.origin, "index": old.index, "size": now.size, "root": now.root.hex()}
    line = f"The manifest is entry {old.index} of {now.origin}, which has {now.size} entries now."
    return Outcome(data | {"proof": proof.to_bytes().decode()}, [line])
