import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from commonhold import notes, signing, sigstore, tlog
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk import bundles

DATA = Path(__file__).parent / "data"
MANIFEST_KEY = signing.make_key("ES256")
LOG_KEY = signing.make_key("Ed25519")


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_key_is_kept_for_its_owner_alone(algorithm, tmp_path):
    path = tmp_path / "manifest.pem"
    key = signing.make_key(algorithm)
    signing.save_key(key, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing.load_key(path).keyid == key.keyid
    assert key.algorithm == key.public.algorithm == algorithm
    key.public.verify(key.sign(b"text"), b"text")


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    signing.save_key(signing.make_key("ES256"), path)
    path.chmod(0o640)
    with pytest.raises(signing.KeyFileError, match="chmod 600"):
        signing.load_key(path)


def test_an_existing_key_is_never_written_over(tmp_path):
    path = tmp_path / "key.pem"
    signing.save_key(signing.make_key("ES256"), path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        signing.save_key(signing.make_key("ES256"), path)
    assert path.read_bytes() == before


def test_a_file_that_holds_no_key_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(signing.KeyFileError, match="not a private key"):
        signing.load_key(path)


@given(payload=st.binary(max_size=200))
@settings(max_examples=20)
def test_an_envelope_comes_back_with_exactly_the_bytes_that_were_signed(payload):
    envelope = signing.sign_payload(payload, MANIFEST_KEY)
    read = signing.parse_envelope(envelope.to_bytes())
    assert read == envelope
    assert read.verify([LOG_KEY.public, MANIFEST_KEY.public]).keyid == MANIFEST_KEY.keyid


def test_another_payload_or_another_key_does_not_pass():
    envelope = signing.sign_payload(b"{}", MANIFEST_KEY)
    with pytest.raises(signing.SignatureError, match="changed"):
        replace(envelope, payload=b"[]").verify([MANIFEST_KEY.public])
    with pytest.raises(signing.SignatureError, match="vouches"):
        envelope.verify([signing.make_key("ES256").public])
    with pytest.raises(signing.SignatureError, match="vouches"):
        replace(envelope, keyid="").verify([MANIFEST_KEY.public])


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"payload": "e30=", "payloadType": "x", "signatures": []},
        {"payload": "e30=", "payloadType": "x", "signatures": [{"sig": "e30="}]},
        {"payload": "e30=", "payloadType": "x", "signatures": [{"keyid": "", "sig": ""}] * 2},
        {"payload": "e30=", "payloadType": "x", "signatures": [{"keyid": "", "sig": ""}], "x": 1},
    ],
)
def test_an_envelope_of_another_shape_is_refused(document):
    with pytest.raises(signing.SignatureError):
        signing.envelope_from(document)


def test_the_published_log_proof_verifies_with_the_published_key():
    proof = tlog.parse_proof((DATA / "manifest.tlog-proof").read_bytes())
    body = (DATA / "log-entry.json").read_bytes().strip()
    checkpoint = proof.verify(body, (DATA / "log.vkey").read_text().strip())
    assert (checkpoint.origin, checkpoint.size) == ("log.market.example/2026", 1000)


def test_the_published_log_entry_has_our_form():
    entry = json.loads((DATA / "log-entry.json").read_bytes())
    envelope = signing.sign_payload(b"{}", MANIFEST_KEY)
    ours = json.loads(tlog.entry_body(envelope, MANIFEST_KEY.public))
    assert _shape(ours) == _shape(entry)


def _shape(value):
    return {key: _shape(item) for key, item in value.items()} if isinstance(value, dict) else ""


def test_a_checkpoint_opens_for_the_log_that_signed_it_and_for_no_other():
    checkpoint = notes.Checkpoint("log.example/1", 7, b"r" * 32)
    note = checkpoint.sign(LOG_KEY)
    assert notes.open_checkpoint(note, notes.vkey("log.example/1", LOG_KEY.public)) == checkpoint
    with pytest.raises(notes.NoteError, match="not signed by"):
        notes.open_checkpoint(note, notes.vkey("log.example/2", LOG_KEY.public))
    verifier = notes.vkey("log.example/1", LOG_KEY.public)
    with pytest.raises(notes.NoteError, match="changed"):
        notes.open_checkpoint(note.replace("\n7\n", "\n8\n"), verifier)


def test_a_witness_beside_the_log_does_not_disturb():
    checkpoint = notes.Checkpoint("log.example/1", 7, b"r" * 32)
    witness = notes.sign_note(checkpoint.text(), "witness.example", signing.make_key("Ed25519"))
    note = checkpoint.sign(LOG_KEY) + witness.rpartition("\n\n")[2]
    assert notes.open_checkpoint(note, notes.vkey("log.example/1", LOG_KEY.public)) == checkpoint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"c2sp.org/tlog-proof@v1\nindex 1\n\n",
        b"c2sp.org/tlog-proof@v1\nindex 01\n\nnote",
        b"c2sp.org/tlog-proof@v2\nindex 1\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 1\nQUJD\n\nnote",
    ],
)
def test_a_damaged_log_proof_is_refused(data):
    verifier = notes.vkey("log.example/1", LOG_KEY.public)
    with pytest.raises((tlog.LogProofError, notes.NoteError)):
        tlog.parse_proof(data).verify(b"", verifier)


def test_a_sigstore_bundle_carries_the_same_envelope_and_proof():
    site = bundles.Site()
    envelope = signing.sign_payload(b"{}", site.manifest_key)
    proof = site.prove(envelope)
    verifier = notes.vkey(bundles.ORIGIN, site.log_key.public)
    data = sigstore.build_bundle(envelope, proof, site.manifest_key.public, verifier)
    assert sigstore.parse_bundle(data) == (envelope, proof)
    entry = json.loads(data)["verificationMaterial"]["tlogEntries"][0]
    assert entry["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.2"}


def test_a_log_that_replaced_its_key_is_asked_by_which_it_signed():
    old, new = signing.make_key("Ed25519"), LOG_KEY
    checkpoint = notes.Checkpoint("log.example", 7, b"r" * 32)
    verifiers = [notes.vkey("log.example", key.public) for key in (new, old)]
    assert notes.signer_of(checkpoint.sign(old), verifiers) == verifiers[1]
    assert notes.signer_of(checkpoint.sign(new), verifiers) == verifiers[0]
    with pytest.raises(notes.NoteError, match="any key that this log has had"):
        notes.signer_of(checkpoint.sign(signing.make_key("Ed25519")), verifiers)
    other_name = notes.Checkpoint("other.example", 7, b"r" * 32).sign(old)
    with pytest.raises(notes.NoteError, match="any key"):
        notes.signer_of(other_name, verifiers)
