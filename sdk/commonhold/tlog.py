"""The log's entries and proofs: Rekor v2 `hashedrekord` bodies, C2SP `.tlog-proof` files.

A leaf says only: this key signed bytes with this digest. It holds nothing about who or what.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from commonhold import base64s, canonical, merkle, notes
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.signing import Envelope, PublicKey

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
KEY_DETAILS = {"ES256": "PKIX_ECDSA_P256_SHA_256", "Ed25519": "PKIX_ED25519"}
INDEX_LINE = re.compile(r"index (0|[1-9][0-9]{0,15})")


class LogProofError(CommonholdError):
    """A log proof that is damaged or belongs to something else."""

    code = "log-proof-invalid"
    status = 422


def entry_body(envelope: Envelope, key: PublicKey) -> bytes:
    """Return the leaf's data for an envelope: `hashedrekord` 0.0.2 over SHA-256(PAE), as JCS.

    Rekor v2 takes DSSE in this form (rekor-tiles #744); `@sigstore/verify` reads it from 4.1.3.
    """
    return canonical.encode(
        {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {
                "hashedRekordV002": {
                    "data": {
                        "algorithm": "SHA2_256",
                        "digest": base64s.encode(hashlib.sha256(envelope.pae).digest()),
                    },
                    "signature": {
                        "content": base64s.encode(envelope.signature),
                        "verifier": {
                            "keyDetails": KEY_DETAILS[key.algorithm],
                            "publicKey": {"rawBytes": base64s.encode(key.der)},
                        },
                    },
                },
            },
        },
    )


@dataclass(frozen=True)
class LogProof:
    """That an entry is leaf `index` of the log that `checkpoint` (a signed note) commits to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def to_bytes(self) -> bytes:
        """Return manifest.tlog-proof (c2sp.org/tlog-proof)."""
        hashes = "".join(f"{base64s.encode(value)}\n" for value in self.hashes)
        return f"{PROOF_HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint}".encode()

    def verify(self, body: bytes, verifier: str) -> notes.Checkpoint:
        """Check the log's signature and the inclusion of `body`; return the checkpoint.

        `verifier` is the log's vkey. Raises NoteError or MerkleError.
        """
        checkpoint = notes.open_checkpoint(self.checkpoint, verifier)
        merkle.verify_inclusion(
            merkle.leaf_hash(body), self.index, checkpoint.size, self.hashes, checkpoint.root
        )
        return checkpoint


def prove(index: int, checkpoint: str, size: int, node: merkle.NodeReader) -> LogProof:
    """Return the proof for leaf `index` in the tree of `size` that `checkpoint` was signed for."""
    return LogProof(index, tuple(merkle.inclusion_proof(index, size, node)), checkpoint)


def parse_proof(data: bytes) -> LogProof:
    """Read a `.tlog-proof` file strictly; LogProofError if it has another shape."""
    try:
        head, separator, checkpoint = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        head = separator = checkpoint = ""
    match head.split("\n"):
        case [header, index, *hashes] if (
            header == PROOF_HEADER and separator and INDEX_LINE.fullmatch(index)
        ):
            proof = LogProof(int(index[6:]), _hashes(hashes), checkpoint)
            if proof.to_bytes() == data:
                return proof
    raise LogProofError(_("The log proof can't be read: it is damaged or of another kind."))


def _hashes(encoded: Sequence[str]) -> tuple[bytes, ...]:
    hashes = tuple(base64s.decode(line) for line in encoded)
    if any(len(value) != notes.HASH_BYTES for value in hashes):
        raise LogProofError(_("The log proof holds a hash of the wrong length."))
    return hashes
