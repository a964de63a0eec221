"""Statements: signing what is handed in, handing it to the log, and the papers that prove it."""

from commonhold import canonical, notes, sigstore, tlog
from commonhold.signing import PAYLOAD_TYPE, Envelope, envelope_from, sign_payload

from notary import keys, log
from notary.models import Statement


def issue(*, payload: bytes, payload_type: str = PAYLOAD_TYPE) -> Statement:
    """Sign a payload and hand it to the log, in the caller's transaction and without a lock.

    The log entry is pending until the log is integrated. Raises LogRolledBack, KeyMissing,
    KeyChanged.
    """
    signer = keys.signer(keys.Purpose.MANIFEST)
    envelope = sign_payload(payload, signer, payload_type)
    return Statement.objects.create(
        payload_sha256=canonical.sha256_hex(payload),
        envelope=envelope.as_dict(),
        key_id=signer.keyid,
        entry=log.append(body=tlog.entry_body(envelope, signer.public)),
    )


def envelope_of(*, statement: Statement) -> Envelope:
    """Return the signed envelope of a statement; its `payload` is what was handed in."""
    return envelope_from(statement.envelope)


def documents(*, statement: Statement) -> dict[str, bytes]:
    """Return the files that prove a statement: envelope, Sigstore bundle, log proof, keys.

    Not inside a transaction: a pending entry is integrated first (`log.prove`).
    """
    envelope = envelope_of(statement=statement)
    proof = log.prove(entry=statement.entry)
    verifier = notes.signer_of(proof.checkpoint, keys.log_verifiers())
    bundle = sigstore.build_bundle(envelope, proof, keys.public(statement.key_id), verifier)
    return {
        "manifest.dsse.json": envelope.to_bytes(),
        "manifest.sigstore.json": bundle,
        "manifest.tlog-proof": proof.to_bytes(),
        "trusted_root.json": keys.trusted_root(),
    }
