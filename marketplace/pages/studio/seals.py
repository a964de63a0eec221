"""What a contributor is told of a seal, without the heavy documents that it keeps."""

from dataclasses import dataclass

from ingestion.models import Seal, Version


@dataclass(frozen=True)
class Told:
    """The digest that was signed, and the place in the public log."""

    release_sha256: str
    entry: int | None
    """None for the few seconds until the log has taken it up."""


def of(version: Version) -> Told | None:
    """Return what is told of a version's seal; None while there is none."""
    found = Seal.objects.filter(version=version)
    row = found.values_list("release_sha256", "statement__entry__index").first()
    return Told(*row) if row else None
