"""Signed notes and checkpoints as C2SP specifies them (c2sp.org/signed-note, /tlog-checkpoint)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commonhold import base64s
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from commonhold.signing import PublicKey, SignatureError, Signer

ED25519: Literal[b"\x01"] = b"\x01"
KEY_NAME = re.compile(r"[^\s+]+")
SIGNATURE_LINE = re.compile(r"— ([^\s+]+) (\S+)")
HASH_BYTES = 32
KEY_HASH_BYTES = 4


class NoteError(CommonholdError):
    """A note or checkpoint that is damaged or not signed by the log."""

    code = "note-invalid"
    status = 422


def _raw(key: PublicKey) -> bytes:
    if not isinstance(key.key, ed25519.Ed25519PublicKey):
        raise NoteError(_("A log signs with Ed25519; this is another kind of key."))
    return key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_hash(name: str, key: PublicKey) -> bytes:
    """Return the 4-byte key id of a note's signer (signed-note, “Signature types”)."""
    named = name.encode() + b"\n" + ED25519 + _raw(key)
    return hashlib.sha256(named).digest()[:KEY_HASH_BYTES]


def vkey(name: str, key: PublicKey) -> str:
    """Return the verifier key `name+hash+key` that Go's note.NewVerifier reads."""
    if not KEY_NAME.fullmatch(name):
        raise NoteError(_("“%(name)s” can't name a log: no spaces and no “+”."), name=name)
    return f"{name}+{key_hash(name, key).hex()}+{base64s.encode(ED25519 + _raw(key))}"


def parse_vkey(text: str) -> tuple[str, PublicKey]:
    """Return (name, key) of a verifier key; NoteError if it does not add up."""
    name, _plus, rest = text.partition("+")
    raw = base64s.decode(rest.partition("+")[2])
    if raw[:1] != ED25519 or len(raw) != 1 + HASH_BYTES:
        raise NoteError(_("This is not a log's key: an Ed25519 verifier key was expected."))
    key = PublicKey(ed25519.Ed25519PublicKey.from_public_bytes(raw[1:]))
    if vkey(name, key) != text:
        raise NoteError(_("The log's key does not match its own checksum, so it was changed."))
    return name, key


def sign_note(text: str, name: str, signer: Signer) -> str:
    """Return `text` (ending in a newline) as a signed note by `name`."""
    signature = key_hash(name, signer.public) + signer.sign(text.encode())
    return f"{text}\n— {name} {base64s.encode(signature)}\n"


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text and the (name, key hash ‖ signature) of each signature, unchecked."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise NoteError(_("The checkpoint is cut short: it has no signature below its text."))
    found = []
    for line in signatures[:-1].split("\n"):
        match = SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise NoteError(_("The checkpoint has a line among its signatures that is none."))
        found.append((match[1], base64s.decode(match[2])))
    return text + "\n", found


def signer_of(note: str, verifiers: Iterable[str]) -> str:
    """Return which of `verifiers` (vkeys) a note says it is signed by, or NoteError.

    A log whose key was replaced has several. The signature itself is for `open_note` to check.
    """
    named = {(name, signature[:KEY_HASH_BYTES]) for name, signature in _parts(note)[1]}
    for verifier in verifiers:
        name, key = parse_vkey(verifier)
        if (name, key_hash(name, key)) in named:
            return verifier
    raise NoteError(_("The checkpoint is not signed by any key that this log has had."))


def open_note(note: str, verifier: str) -> str:
    """Return the text of `note` if the key `verifier` (a vkey) signed it, or NoteError.

    Signatures by other keys are passed over, as the specification requires.
    """
    name, key = parse_vkey(verifier)
    text, signatures = _parts(note)
    for signer, signature in signatures:
        if signer != name or signature[:KEY_HASH_BYTES] != key_hash(name, key):
            continue
        try:
            key.verify(signature[KEY_HASH_BYTES:], text.encode())
        except SignatureError as error:
            sentence = _(
                "The log's signature does not match: the checkpoint of %(log)s was changed."
            )
            raise NoteError(sentence, log=name) from error
        return text
    raise NoteError(_("The checkpoint is not signed by the log %(log)s."), log=name)


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to: its name, how many entries it has, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text (c2sp.org/tlog-checkpoint), three lines."""
        return f"{self.origin}\n{self.size}\n{base64s.encode(self.root)}\n"

    def sign(self, signer: Signer) -> str:
        """Return the signed checkpoint, under the origin as key name."""
        return sign_note(self.text(), self.origin, signer)


def open_checkpoint(note: str, verifier: str) -> Checkpoint:
    """Return the checkpoint in a note signed by `verifier`, or NoteError."""
    text = open_note(note, verifier)
    match text.split("\n"):
        case [origin, size, root, ""] if size.isascii() and size.isdigit():
            checkpoint = Checkpoint(origin, int(size), base64s.decode(root))
            if checkpoint.text() == text and len(checkpoint.root) == HASH_BYTES:
                return checkpoint
    raise NoteError(_("The log signed something that is not a checkpoint."))
