"""What is published: sealing, what a seal would hold, and reading it. The face of this room."""

from ingestion.releases.contents import SealRefused
from ingestion.releases.published import (
    croissant,
    files,
    first_texts,
    index_bytes,
    rely,
    seal_of,
    stored,
)
from ingestion.releases.scrubbing import kind_name, looked_for
from ingestion.releases.sealing import is_applied, seal, waiting
from ingestion.releases.withdrawing import ReasonMissing, VersionNotSealed, withdraw

__all__ = [
    "ReasonMissing",
    "SealRefused",
    "VersionNotSealed",
    "croissant",
    "files",
    "first_texts",
    "index_bytes",
    "is_applied",
    "kind_name",
    "looked_for",
    "rely",
    "seal",
    "seal_of",
    "stored",
    "waiting",
    "withdraw",
]
