"""Where bytes lie: one small interface, known by SHA-256. The only module that may import boto3."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings

CHUNK = 1024 * 1024


class PartRefused(CommonholdError):
    """A part did not arrive as it was sent."""

    code = "part-refused"
    status = 422


class BlobMissing(CommonholdError):
    """Bytes that should be here are not."""

    code = "bytes-missing"
    status = 500


class StorageFull(CommonholdError):
    """There is no room for the bytes."""

    code = "storage-full"
    status = 507


class BlobStore(Protocol):
    """Content-addressed bytes, and parts of uploads on their way to becoming such."""

    def put_part(self, *, upload: UUID, number: int, size: int, chunks: Iterable[bytes]) -> str:
        """Store a part of exactly `size` bytes in place of an earlier one; return its SHA-256."""

    def assemble(self, *, upload: UUID, parts: int) -> tuple[str, int]:
        """Join parts 1…`parts` into one blob; return (SHA-256 hex, bytes). The parts stay."""

    def discard(self, *, upload: UUID) -> None:
        """Forget the parts of an upload."""

    def uploads(self) -> Iterable[UUID]:
        """Tell which uploads have parts here."""

    def put(self, path: Path) -> tuple[str, int]:
        """Store a local file as a blob; return (SHA-256 hex, bytes)."""

    def put_bytes(self, data: bytes) -> tuple[str, int]:
        """Store a small thing that was made in memory."""

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; it can seek."""

    def local_path(self, sha256: str) -> AbstractContextManager[Path]:
        """Give the blob as a local file, for tools that want a path."""

    def delete(self, sha256: str) -> None:
        """Remove a blob's bytes, if they are there."""


class LocalBlobStore:
    """Blobs in a directory: `ab/cd/<sha256>`, written beside and renamed, so never half there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def put_part(self, *, upload: UUID, number: int, size: int, chunks: Iterable[bytes]) -> str:
        """See BlobStore.put_part."""
        folder = self.incoming / str(upload)
        folder.mkdir(parents=True, exist_ok=True)
        with self._new_file(folder) as (file, temporary):
            sha256, received = hashlib.sha256(), 0
            for chunk in chunks:
                received += len(chunk)
                if received > size:
                    break
                sha256.update(chunk)
                file.write(chunk)
            if received != size:
                sentence = _(
                    "Part %(number)s should have %(size)s bytes; %(received)s arrived. Send it "
                    "again."
                )
                raise PartRefused(sentence, number=number, size=size, received=received)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(folder / f"{number:06d}")
        return sha256.hexdigest()

    def assemble(self, *, upload: UUID, parts: int) -> tuple[str, int]:
        """See BlobStore.assemble."""
        folder = self.incoming / str(upload)
        paths = [folder / f"{number:06d}" for number in range(1, parts + 1)]
        return self._store(chunk for path in paths for chunk in read_chunks(path))

    def discard(self, *, upload: UUID) -> None:
        """See BlobStore.discard."""
        shutil.rmtree(self.incoming / str(upload), ignore_errors=True)

    def uploads(self) -> Iterable[UUID]:
        """See BlobStore.uploads."""
        return [UUID(folder.name) for folder in self.incoming.glob("*-*-*-*-*") if folder.is_dir()]

    def put(self, path: Path) -> tuple[str, int]:
        """See BlobStore.put."""
        return self._store(read_chunks(path))

    def put_bytes(self, data: bytes) -> tuple[str, int]:
        """See BlobStore.put_bytes."""
        return self._store([data])

    def open(self, sha256: str) -> BinaryIO:
        """See BlobStore.open."""
        path = self._path(sha256)
        if not path.exists():
            sentence = _("The bytes %(digest)s are not in the store; restore them from a backup.")
            raise BlobMissing(sentence, digest=sha256[:8], sha256=sha256)
        return path.open("rb")

    @contextmanager
    def local_path(self, sha256: str) -> Iterator[Path]:
        """See BlobStore.local_path."""
        self.open(sha256).close()
        yield self._path(sha256)

    def delete(self, sha256: str) -> None:
        """See BlobStore.delete."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def _store(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        self.incoming.mkdir(parents=True, exist_ok=True)
        with self._new_file(self.incoming) as (file, temporary):
            sha256, size = hashlib.sha256(), 0
            for chunk in chunks:
                sha256.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
            target = self._path(sha256.hexdigest())
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        return sha256.hexdigest(), size

    @contextmanager
    def _new_file(self, folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix="new-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file, temporary
        except OSError as error:
            if error.errno in {28, 122}:  # ENOSPC, EDQUOT
                sentence = _(
                    "The store is full, so nothing was kept. Free some room and send it again."
                )
                raise StorageFull(sentence) from error
            raise
        finally:
            temporary.unlink(missing_ok=True)


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, 1 MiB at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def blob_store() -> BlobStore:
    """Return the store that the settings choose."""
    return LocalBlobStore(Path(settings.BLOB_DIR))
