"""The same signature and log proof as a Sigstore bundle v0.3, for cosign and sigstore-js."""

from commonhold import base64s, canonical, notes
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.signing import Envelope, PublicKey, envelope_from
from commonhold.tlog import LogProof, entry_body

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


class BundleError(CommonholdError):
    """A Sigstore bundle that is damaged or of a kind that is not made here."""

    code = "sigstore-bundle-invalid"
    status = 422


def build_bundle(envelope: Envelope, proof: LogProof, key: PublicKey, verifier: str) -> bytes:
    """Return manifest.sigstore.json: JCS bytes, one DSSE signature, one hashedrekord entry.

    `verifier` is the log's vkey; raises NoteError or MerkleError if `proof` is not of that log
    and envelope.
    """
    body = entry_body(envelope, key)
    checkpoint = proof.verify(body, verifier)
    name, log_key = notes.parse_vkey(verifier)
    entry = {
        "logIndex": str(proof.index),
        "logId": {"keyId": base64s.encode(notes.key_hash(name, log_key))},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
        "integratedTime": "0",
        "inclusionProof": {
            "logIndex": str(proof.index),
            "rootHash": base64s.encode(checkpoint.root),
            "treeSize": str(checkpoint.size),
            "hashes": [base64s.encode(value) for value in proof.hashes],
            "checkpoint": {"envelope": proof.checkpoint},
        },
        "canonicalizedBody": base64s.encode(body),
    }
    return canonical.encode(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": envelope.keyid},
                "tlogEntries": [entry],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
            "dsseEnvelope": envelope.as_dict(),
        },
    )


def parse_bundle(data: bytes) -> tuple[Envelope, LogProof]:
    """Return the envelope and the log proof in a bundle; nothing is verified.

    To verify a bundle, verify both and compare its bytes with `build_bundle` of them: it then
    says nothing else.
    """
    match canonical.decode_exact(data):
        case {
            "dsseEnvelope": envelope,
            "verificationMaterial": {
                "tlogEntries": [
                    {
                        "logIndex": str(index),
                        "inclusionProof": {
                            "hashes": list(hashes),
                            "checkpoint": {"envelope": str(checkpoint)},
                        },
                    }
                ],
            },
        } if index.isascii() and index.isdigit():
            proof = LogProof(
                int(index), tuple(base64s.decode(value) for value in hashes), checkpoint
            )
            return envelope_from(envelope), proof
    raise BundleError(_("This is not a Sigstore bundle with one envelope and one log entry."))
