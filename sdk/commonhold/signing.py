"""Keys, and DSSE envelopes around what they sign.

Manifests and status lists are signed with ES256 (ECDSA P-256, SHA-256), the log with Ed25519.
A key is known by its keyid: the SHA-256 of its public half as SPKI DER, in hex.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import (  # type: ignore[attr-defined,unused-ignore]  # its __init__ has no __all__
    Signature,
    SSlibKey,
)

from commonhold import base64s, canonical
from commonhold.errors import CommonholdError
from commonhold.sentences import _

PAYLOAD_TYPE = "application/vnd.in-toto+json"
Algorithm = Literal["ES256", "Ed25519"]


class SignatureError(CommonholdError):
    """A signature that is missing, damaged, or by a key nobody vouches for."""

    code = "signature-invalid"
    status = 422


class KeyFileError(CommonholdError):
    """A key that can't be read or is of a kind that is not used here."""

    code = "key-unusable"
    status = 500


@dataclass(frozen=True)
class PublicKey:
    """The public half of a key: P-256 or Ed25519."""

    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

    @classmethod
    def from_pem(cls, pem: str) -> "PublicKey":
        """Read an SPKI PEM; KeyFileError for other kinds of keys and for any other spelling."""
        try:
            public = cls(_known_public(load_pem_public_key(pem.encode())))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyFileError(_("This is not a public key in PEM form.")) from error
        if public.pem != pem:
            raise KeyFileError(
                _("The public key's PEM text is not in its usual form, so it was changed.")
            )
        return public

    @property
    def der(self) -> bytes:
        """SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def pem(self) -> str:
        """The same as PEM, for openssl."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def keyid(self) -> str:
        """SHA-256 of the SPKI DER, hex."""
        return canonical.sha256_hex(self.der)

    @property
    def algorithm(self) -> Algorithm:
        """`ES256` or `Ed25519`."""
        return "Ed25519" if isinstance(self.key, ed25519.Ed25519PublicKey) else "ES256"

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature (DER for ES256, RFC 8032 for Ed25519), or SignatureError."""
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                self.key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise SignatureError(
                _("The signature does not match: what was signed has been changed.")
            ) from None


class Signer(Protocol):
    """Whatever holds a private key: a file on this machine, a key service elsewhere."""

    @property
    def public(self) -> PublicKey:
        """The half that others verify with."""

    @property
    def keyid(self) -> str:
        """The public half's keyid."""

    @property
    def algorithm(self) -> Algorithm:
        """`ES256` or `Ed25519`."""

    def sign(self, data: bytes) -> bytes:
        """Return a signature over `data`: DER ECDSA with SHA-256, or 64 bytes of Ed25519."""


@dataclass(frozen=True)
class SigningKey:
    """A private key held in memory: a Signer."""

    private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """The half that others verify with."""
        return PublicKey(self.private.public_key())

    @property
    def keyid(self) -> str:
        """The public half's keyid."""
        return self.public.keyid

    @property
    def algorithm(self) -> Algorithm:
        """`ES256` or `Ed25519`."""
        return self.public.algorithm

    @property
    def pem(self) -> bytes:
        """PKCS#8 PEM, unencrypted: write it with `save_key`, which keeps it to its owner."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """Return a signature over `data`: DER ECDSA with SHA-256, or 64 bytes of Ed25519."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


def _known_public(key: object) -> ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    sentence = _("This key is a %(kind)s; Commonhold uses P-256 and Ed25519.")
    raise KeyFileError(sentence, kind=type(key).__name__)


def make_key(algorithm: Algorithm) -> SigningKey:
    """Return a new key from the system's random source."""
    if algorithm == "Ed25519":
        return SigningKey(ed25519.Ed25519PrivateKey.generate())
    return SigningKey(ec.generate_private_key(ec.SECP256R1()))


def save_key(key: SigningKey, path: Path) -> None:
    """Write `key` to a new file for its owner alone (0600); FileExistsError if there is one.

    The file appears whole or not at all, so that processes starting together agree on one key.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink()


def load_key(path: Path) -> SigningKey:
    """Read a private key; KeyFileError if it is not one of ours or others may read it."""
    if path.stat().st_mode & 0o077:
        sentence = _("%(path)s can be read by others. Make it yours alone: chmod 600 %(path)s")
        raise KeyFileError(sentence, path=str(path))
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        sentence = _("%(path)s is not a private key in unencrypted PEM form: %(why)s.")
        raise KeyFileError(sentence, path=str(path), why=str(error)) from error
    if isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        _known_public(key.public_key())
        return SigningKey(key)
    sentence = _("%(path)s holds a %(kind)s; Commonhold uses P-256 and Ed25519.")
    raise KeyFileError(sentence, path=str(path), kind=type(key).__name__)


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope with exactly one signature (as Sigstore bundles require)."""

    payload: bytes
    payload_type: str
    keyid: str
    signature: bytes

    @property
    def pae(self) -> bytes:
        """The bytes that are signed: DSSE v1 pre-authentication encoding."""
        return dsse.Envelope(self.payload, self.payload_type, {}).pae()

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form (DSSE envelope.md), the signature in base64."""
        return {
            "payload": base64s.encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": self.keyid, "sig": base64s.encode(self.signature)}],
        }

    def to_bytes(self) -> bytes:
        """Return manifest.dsse.json: the canonical bytes of the JSON form."""
        return canonical.encode(self.as_dict())

    def verify(self, keys: Iterable[PublicKey], payload_type: str = PAYLOAD_TYPE) -> PublicKey:
        """Return the key of `keys` that signed this, or SignatureError.

        What is signed under another `payload_type` is another kind of thing (DSSE protocol.md).
        """
        if self.payload_type != payload_type:
            sentence = _("What is signed calls itself %(type)s, not %(expected)s.")
            raise SignatureError(sentence, type=self.payload_type, expected=payload_type)
        known = {key.keyid: key for key in keys}
        if self.keyid not in known:
            sentence = _("The manifest names the key %(key)s…, which nobody here vouches for.")
            raise SignatureError(sentence, key=self.keyid[:16], keyid=self.keyid)
        key = known[self.keyid]
        envelope = dsse.Envelope(
            self.payload,
            self.payload_type,
            {self.keyid: Signature(self.keyid, self.signature.hex())},
        )
        try:
            envelope.verify([SSlibKey.from_crypto(key.key, keyid=self.keyid)], 1)
        except VerificationError:
            sentence = _(
                "The signature does not match: what was signed, or the signature, was changed."
            )
            raise SignatureError(sentence, keyid=self.keyid) from None
        return key


def sign_payload(payload: bytes, signer: Signer, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """Return a DSSE envelope over the exact bytes of `payload`, its keyid always filled."""
    unsigned = Envelope(payload, payload_type, signer.keyid, b"")
    return replace(unsigned, signature=signer.sign(unsigned.pae))


def parse_envelope(data: bytes) -> Envelope:
    """Read manifest.dsse.json strictly (canonical bytes, one signature); does not verify it."""
    return envelope_from(canonical.decode_exact(data))


def envelope_from(document: object) -> Envelope:
    """Read the JSON form of an envelope strictly; SignatureError if it has another shape."""
    match document:
        case {
            "payload": str(payload),
            "payloadType": str(payload_type),
            "signatures": [{"keyid": str(keyid), "sig": str(sig), **other_parts}],
            **others,
        } if not others and not other_parts:
            return Envelope(base64s.decode(payload), payload_type, keyid, base64s.decode(sig))
    raise SignatureError(
        _("This is not a signed manifest: a DSSE envelope with one signature was expected.")
    )
