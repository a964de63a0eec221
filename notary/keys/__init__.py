"""Keys: who signs what, since when and until when. The face of this room."""

from commonhold.signing import Signer

from notary.keys.ring import in_use, public, signer
from notary.keys.roots import NoSuchRoot, log_verifiers, root_version, trusted_root
from notary.keys.rotation import Rotation, rotate
from notary.keys.signers import FileSigner, KeyChanged, KeyMissing, folder
from notary.models import Purpose

__all__ = [
    "FileSigner",
    "KeyChanged",
    "KeyMissing",
    "NoSuchRoot",
    "Purpose",
    "Rotation",
    "Signer",
    "folder",
    "in_use",
    "log_verifiers",
    "public",
    "root_version",
    "rotate",
    "signer",
    "trusted_root",
]
