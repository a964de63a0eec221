"""Files that prove a consent: kept when the consent is, forgotten when it is refused."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.paths import check_path
from django.core.files.uploadedfile import UploadedFile

from ingestion.models import Blob
from ingestion.storage import blob_store

MAX_SIZE = 50 * 1024 * 1024


class EvidenceInvalid(CommonholdError):
    """A file that can't be kept as evidence."""

    code = "evidence-invalid"
    status = 422


@contextmanager
def kept(files: Iterable["UploadedFile[Any]"]) -> Iterator[dict[str, Blob]]:
    """Store files and give their blobs by name; if the block fails, forget what was new.

    Raises EvidenceInvalid for an empty, too large or twice-named file.
    """
    blobs: dict[str, Blob] = {}
    new: list[Blob] = []
    try:
        for file in files:
            name = check_name(file, blobs)
            blob, is_new = keep(file)
            blobs[name] = blob
            new += [blob] * is_new
        yield blobs
    except BaseException:
        for blob in new:
            blob_store().delete(blob.pk)
        raise


def check_name(file: "UploadedFile[Any]", taken: Iterable[str]) -> str:
    """Return the file's name if it can be kept under it."""
    name = check_path(file.name or "")
    size = file.size or 0
    if name in taken:
        message = f"Two files are called «{name}». Rename one, here and in the table."
        raise EvidenceInvalid(message, file=name)
    if not size:
        message = f"«{name}» is empty, so it proves nothing."
        raise EvidenceInvalid(message, file=name)
    if size > MAX_SIZE:
        message = f"«{name}» has {size:,} bytes; a file of evidence may have {MAX_SIZE:,}."
        raise EvidenceInvalid(message, file=name)
    return name


def keep(file: "UploadedFile[Any]") -> tuple[Blob, bool]:
    """Store a file's bytes; return the blob, and whether it was not known before."""
    with tempfile.NamedTemporaryFile() as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        sha256, size = blob_store().put(Path(copy.name))
    return Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
