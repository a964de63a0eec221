"""Evidence of a consent: a signed form or a recorded yes, for its contributor alone."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from commonhold.errors import CommonholdError
from commonhold.paths import check_path
from commonhold.sentences import _

from ingestion.archive import blobs
from ingestion.archive.storage import blob_store
from ingestion.models import Blob

MAX_SIZE = 50 * 1000 * 1000


class EvidenceInvalid(CommonholdError):
    """A piece of evidence that can't be kept."""

    code = "evidence-invalid"
    status = 422


def keep(*, name: str, chunks: Iterable[bytes]) -> Blob:
    """Store the bytes of one piece of evidence.

    Raises EvidenceInvalid if it is empty or has over 50 MB, InvalidPathError for its name.
    """
    check_path(name)
    size = 0
    with tempfile.NamedTemporaryFile(prefix="evidence-") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > MAX_SIZE:
                sentence = _(
                    "«%(file)s» has more than 50 MB. Send a smaller scan or a shorter recording."
                )
                raise EvidenceInvalid(sentence, field="evidence", file=name)
            file.write(chunk)
        if not size:
            sentence = _("«%(file)s» is empty, so it proves nothing. Choose the signed form again.")
            raise EvidenceInvalid(sentence, field="evidence", file=name)
        file.flush()
        with blob_store().put(Path(file.name)) as staged:
            return blobs.keep(staged=staged)


def keep_all(files: Iterable[tuple[str, Iterable[bytes]]]) -> dict[str, Blob]:
    """Store several pieces by their names. Raises EvidenceInvalid for a name that is twice, too."""
    kept: dict[str, Blob] = {}
    for name, chunks in files:
        if name in kept:
            sentence = _("Two files are called «%(file)s». Rename one, here and in the table.")
            raise EvidenceInvalid(sentence, field="evidence", file=name)
        kept[name] = keep(name=name, chunks=chunks)
    return kept
