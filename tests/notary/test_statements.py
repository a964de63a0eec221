"""Statements: signed as handed in, logged with the caller's transaction or not at all."""

import json

import pytest
from commonhold import sigstore, tlog
from commonhold.signing import PAYLOAD_TYPE, parse_envelope
from commonhold.trust import read_trusted_root
from django.db import transaction

from notary import keys, log, statements
from notary.models import LogEntry, Statement

pytestmark = pytest.mark.django_db
PAYLOAD = b'{"anything":"at all"}'


def test_what_is_handed_in_is_what_is_signed():
    statement = statements.issue(payload=PAYLOAD)
    envelope = statements.envelope_of(statement=statement)
    assert (envelope.payload, envelope.payload_type) == (PAYLOAD, PAYLOAD_TYPE)
    assert envelope.verify([keys.signer("manifest").public])
    other = statements.issue(payload=b"text", payload_type="text/plain")
    assert statements.envelope_of(statement=other).payload_type == "text/plain"
    assert statement.payload_sha256 != other.payload_sha256


def test_a_leaf_says_that_a_key_signed_a_digest_and_nothing_else():
    statement = statements.issue(payload=PAYLOAD)
    leaf = json.loads(bytes(statement.entry.body))
    assert leaf.keys() == {"apiVersion", "kind", "spec"}
    assert b"anything" not in bytes(statement.entry.body)


def test_what_is_undone_was_never_signed_for_the_log():
    with transaction.atomic():
        statements.issue(payload=PAYLOAD)
        transaction.set_rollback(True)
    assert not Statement.objects.exists()
    assert not LogEntry.objects.exists()
    assert log.integrate() == 0


def test_the_papers_prove_it_together():
    statement = statements.issue(payload=PAYLOAD)
    papers = statements.documents(statement=statement)
    assert list(papers) == [
        "manifest.dsse.json",
        "manifest.sigstore.json",
        "manifest.tlog-proof",
        "trusted_root.json",
    ]
    trust = read_trusted_root(papers["trusted_root.json"])
    envelope = parse_envelope(papers["manifest.dsse.json"])
    key = envelope.verify([trusted.key for trusted in trust.manifest_keys])
    proof = tlog.parse_proof(papers["manifest.tlog-proof"])
    assert proof.verify(tlog.entry_body(envelope, key), trust.log_vkey).size == 1
    assert sigstore.parse_bundle(papers["manifest.sigstore.json"]) == (envelope, proof)


def test_the_papers_name_the_key_that_signed_and_not_the_one_in_use():
    statement = statements.issue(payload=PAYLOAD)
    old = statement.key_id
    statements.documents(statement=statement)
    for purpose in ("manifest", "log"):
        keys.rotate(purpose=purpose, by="Ada")
    papers = statements.documents(statement=statement)
    envelope = parse_envelope(papers["manifest.dsse.json"])
    assert envelope.keyid == old != keys.in_use("manifest").keyid
    body = tlog.entry_body(envelope, keys.public(old))
    trust = read_trusted_root(papers["trusted_root.json"])
    proof = tlog.parse_proof(papers["manifest.tlog-proof"])
    proof.verify(body, trust.log_of(proof.checkpoint).verifier)
    bundle = json.loads(papers["manifest.sigstore.json"])
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == old


def test_signing_waits_for_nobody(django_assert_max_num_queries):
    """A purchase holds rows while it signs: few queries, and no lock among them."""
    statements.documents(statement=statements.issue(payload=PAYLOAD))
    with django_assert_max_num_queries(6) as asked:
        statements.issue(payload=PAYLOAD)
    said = " ".join(query["sql"] for query in asked.captured_queries)
    assert "LOCK" not in said.upper()
    assert "FOR UPDATE" not in said.upper()
