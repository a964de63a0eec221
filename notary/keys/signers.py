"""Where private keys are: in files of KEY_DIR for now. Nothing above knows more than `Signer`."""

from dataclasses import dataclass
from pathlib import Path

from commonhold.errors import CommonholdError
from commonhold.signing import Algorithm, PublicKey, SigningKey, load_key, make_key, save_key
from django.conf import settings

RESTORE = (
    "Restore KEY_DIR from the backup that belongs to this database (docs/guides/operator.md); a "
    "new key is never made in its place without being asked for."
)


class KeyMissing(CommonholdError):
    """What a key needs to sign is not in KEY_DIR."""

    code = "key-missing"
    status = 503


class KeyChanged(CommonholdError):
    """A file of KEY_DIR holds another key than the database says."""

    code = "key-changed"
    status = 503


@dataclass(frozen=True)
class FileSigner:
    """A private key in a file that only its owner can read (commonhold.signing.Signer)."""

    path: Path
    key: SigningKey

    @property
    def public(self) -> PublicKey:
        """The half that others verify with."""
        return self.key.public

    @property
    def keyid(self) -> str:
        """The public half's keyid."""
        return self.key.keyid

    @property
    def algorithm(self) -> Algorithm:
        """`ES256` or `Ed25519`."""
        return self.key.algorithm

    def sign(self, data: bytes) -> bytes:
        """Return a signature over `data`."""
        return self.key.sign(data)


def folder() -> Path:
    """Return KEY_DIR, made if it is not there; only its owner may enter it."""
    path = Path(settings.KEY_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(purpose: str, keyid: str) -> Path:
    """Return the file of a private key."""
    return folder() / f"{purpose}-{keyid[:16]}.pem"


def make(purpose: str, algorithm: Algorithm) -> FileSigner:
    """Make a private key in a new file."""
    key = make_key(algorithm)
    path = path_of(purpose, key.keyid)
    save_key(key, path)
    return FileSigner(path, key)


def load(purpose: str, keyid: str) -> FileSigner:
    """Return the signer of a known key. Raises KeyMissing, KeyChanged, KeyFileError."""
    path = path_of(purpose, keyid)
    try:
        key = load_key(path)
    except FileNotFoundError:
        message = f"The key {path.name} that this site signs with is not in KEY_DIR. {RESTORE}"
        raise KeyMissing(message, keyid=keyid) from None
    if key.keyid != keyid:
        message = f"{path.name} in KEY_DIR holds another key than this site signs with. {RESTORE}"
        raise KeyChanged(message, keyid=keyid)
    return FileSigner(path, key)
