"""The reference verifier of Sigstore (npm @sigstore/verify) accepts a bundle, and only as it is."""

import base64
import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from notary import keys
from tests import trade

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).with_name("sigstore_verify.mjs")
PLACES = 24


@pytest.fixture(autouse=True)
def _demo_site(settings):
    """The site as `make run` serves it: the log's name is the host of its address."""
    settings.SITE_URL = "http://127.0.0.1:8000"
    settings.LOG_ORIGIN = "127.0.0.1"


def node() -> str:
    """Node.js as the Makefile finds it: PyPI's in the environment, or the machine's."""
    ours = Path(sys.executable).parent / "nodejs"
    found = shutil.which("node", path=f"{ours}{os.pathsep}{os.environ['PATH']}")
    assert found, "These tests need Node.js 20 or newer: run `make install`."
    return found


def verdicts(papers: dict[str, bytes], bundles: list[dict]) -> list[str]:
    """What the reference verifier says of bundles, with the keys that came with the papers."""
    asked = {"trustedRoot": json.loads(papers["trusted_root.json"]), "bundles": bundles}
    done = subprocess.run(
        [node(), SCRIPT], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bundle_of(papers: dict[str, bytes]) -> dict:
    return json.loads(papers["manifest.sigstore.json"])


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def spread(data: bytes) -> range:
    """Bits all over some bytes."""
    return range(0, len(data) * 8, max(1, len(data) * 8 // PLACES))


def with_flipped_base64(bundle: dict, *path: str | int) -> list[dict]:
    """The bundle with one bit flipped in a base64 value, at places all over it."""
    found = []
    for bit in spread(base64.b64decode(value_at(bundle, path))):
        changed = copy.deepcopy(bundle)
        data = flipped(base64.b64decode(value_at(bundle, path)), bit)
        value_at(changed, path[:-1])[path[-1]] = base64.b64encode(data).decode()
        found.append(changed)
    return found


def with_other_checkpoints(bundle: dict, *path: str | int) -> list[dict]:
    """The bundle with one bit flipped in its checkpoint: the name, the size, root, signature."""
    origin, size, root, empty, signature, end = value_at(bundle, path).split("\n")
    name, signed = signature.removeprefix("— ").split(" ")
    notes = [[origin, str(int(size) ^ 1 << at), root, empty, signature, end] for at in range(1, 8)]
    notes.append([chr(ord(origin[0]) ^ 1) + origin[1:], size, root, empty, signature, end])
    for bit in spread(base64.b64decode(root)):
        other = base64.b64encode(flipped(base64.b64decode(root), bit)).decode()
        notes.append([origin, size, other, empty, signature, end])
    for bit in spread(base64.b64decode(signed)):
        other = base64.b64encode(flipped(base64.b64decode(signed), bit)).decode()
        notes.append([origin, size, root, empty, f"— {name} {other}", end])
    found = []
    for lines in notes:
        changed = copy.deepcopy(bundle)
        value_at(changed, path[:-1])[path[-1]] = "\n".join(lines)
        found.append(changed)
    return found


def value_at(document, path):
    for step in path:
        document = document[step]
    return document


def test_the_bundle_of_a_bought_release_is_accepted():
    papers = trade.papers_of(trade.grant())
    assert verdicts(papers, [bundle_of(papers)]) == ["ok"]


def test_one_flipped_bit_in_payload_signature_proof_or_checkpoint_is_refused():
    papers = trade.papers_of(trade.grant())
    bundle = bundle_of(papers)
    entry = ("verificationMaterial", "tlogEntries", 0)
    proof = (*entry, "inclusionProof")
    changed = [
        *with_flipped_base64(bundle, "dsseEnvelope", "payload"),
        *with_flipped_base64(bundle, "dsseEnvelope", "signatures", 0, "sig"),
        *with_flipped_base64(bundle, *entry, "canonicalizedBody"),
        *with_flipped_base64(bundle, *entry, "logId", "keyId"),
        *with_flipped_base64(bundle, *proof, "hashes", 0),
        *with_other_checkpoints(bundle, *proof, "checkpoint", "envelope"),
    ]
    assert len(changed) > 100
    accepted = [index for index, verdict in enumerate(verdicts(papers, changed)) if verdict == "ok"]
    assert accepted == []


def test_bundles_of_before_and_after_a_rotation_are_accepted_with_the_newest_keys():
    before = trade.papers_of(trade.grant())
    for purpose in keys.Purpose.values:
        keys.rotate(purpose=purpose, by="the operator")
    after = trade.papers_of(trade.grant())
    assert len(json.loads(after["trusted_root.json"])["tlogs"]) == 2
    assert verdicts(after, [bundle_of(before), bundle_of(after)]) == ["ok", "ok"]
    assert verdicts(before, [bundle_of(after)]) != ["ok"]
