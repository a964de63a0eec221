"""Evidence of a consent: a signed form or a recorded yes, for its contributor alone."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from commonhold.errors import CommonholdError

from ingestion.models import Blob
from ingestion.storage import blob_store

MAX_SIZE = 50 * 1000 * 1000


class EvidenceInvalid(CommonholdError):
    """A piece of evidence that can't be kept."""

    code = "evidence-invalid"
    status = 422


def keep(*, name: str, chunks: Iterable[bytes]) -> Blob:
    """Store the bytes of one piece of evidence. Raises EvidenceInvalid if empty or over 50 MB."""
    size = 0
    with tempfile.NamedTemporaryFile(prefix="evidence-") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_SIZE:
                message = (
                    f"«{name}» has more than 50 MB. Send a smaller scan or a shorter recording."
                )
                raise EvidenceInvalid(message, field="evidence")
            file.write(chunk)
        if not size:
            message = f"«{name}» is empty. Choose the signed form again."
            raise EvidenceInvalid(message, field="evidence")
        file.flush()
        sha256, size = blob_store().put(Path(file.name))
    blob = Blob(sha256=sha256, size=size)
    Blob.objects.bulk_create([blob], ignore_conflicts=True)
    return blob
