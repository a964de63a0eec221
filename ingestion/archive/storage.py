"""Where bytes lie: one small interface, known by SHA-256. The only module that may import boto3.

Bytes get their address only by `place`, after somebody has looked at them; until then they are
staged: measured and readable, and gone when their block ends. Who keeps bytes goes through
ingestion.archive.blobs, which knows the rows; who destroys them is ingestion.archive.sweeping.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings

CHUNK = 1024 * 1024
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NEW = "new-"
"""How the names of files begin that are being written."""


class PartRefused(CommonholdError):
    """A part did not arrive as it was sent."""

    code = "part-refused"
    status = 422


class PartChanged(CommonholdError):
    """The bytes of a part are not those that were announced."""

    code = "part-changed"
    status = 422


class BlobMissing(CommonholdError):
    """Bytes that should be here are not."""

    code = "bytes-missing"
    status = 500


class StorageAway(CommonholdError):
    """The store is not there, so nothing is known of the bytes in it."""

    code = "storage-away"
    status = 503


class StorageFull(CommonholdError):
    """There is no room for the bytes."""

    code = "storage-full"
    status = 507


@dataclass(frozen=True)
class Staged:
    """Bytes on their way in: a local file, its SHA-256 (lower-case hex) and its size in bytes."""

    path: Path
    sha256: str
    size: int


class BlobStore(Protocol):
    """Content-addressed bytes, and parts of uploads on their way to becoming such."""

    def put_part(
        self, *, upload: UUID, number: int, size: int, sha256: str, chunks: Iterable[bytes]
    ) -> None:
        """Store a part of exactly these bytes in place of an earlier one.

        Raises PartRefused for another size, PartChanged for another digest; the earlier one stays.
        """

    def assemble(self, *, upload: UUID, parts: int) -> AbstractContextManager[Staged]:
        """Join parts 1…`parts` into a staged file. The parts stay."""

    def discard(self, *, upload: UUID) -> None:
        """Forget the parts of an upload."""

    def uploads(self) -> Iterable[UUID]:
        """Tell which uploads have parts here."""

    def put(self, path: Path) -> AbstractContextManager[Staged]:
        """Stage a copy of a local file."""

    def put_bytes(self, data: bytes) -> AbstractContextManager[Staged]:
        """Stage a small thing that was made in memory."""

    def place(self, staged: Staged) -> None:
        """Give staged bytes their address, also where good or damaged ones have it already."""

    def open(self, sha256: str) -> BinaryIO:
        """Open what lies at an address for reading; it can seek.

        Raises BlobMissing, and StorageAway where nothing is known of any bytes.
        """

    def local_path(self, sha256: str) -> AbstractContextManager[Path]:
        """Give what lies at an address as a local file. Raises BlobMissing."""

    def size_of(self, sha256: str) -> int | None:
        """Return how many bytes lie at an address; None if none do. Raises StorageAway."""

    def stamp(self, sha256: str) -> str:
        """Return what changes whenever other bytes come to lie at an address; "" if none do."""

    def after(self, sha256: str, *, count: int) -> list[str]:
        """Return the next addresses that hold bytes, in their order; "" begins."""

    def destroy(self, sha256: str) -> None:
        """Remove the bytes at an address, if there are any."""

    def drop_partial(self, *, before: datetime) -> int:
        """Remove files that nobody went on writing since then; return how many."""


class LocalBlobStore:
    """Blobs in a directory: `ab/cd/<sha256>`, written beside and renamed, so never half there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def put_part(
        self, *, upload: UUID, number: int, size: int, sha256: str, chunks: Iterable[bytes]
    ) -> None:
        """See BlobStore.put_part."""
        folder = self.incoming / str(upload)
        with self._stage(folder, at_most(chunks, size)) as part:
            if part.size != size:
                sentence = _(
                    "Part %(number)s should have %(size)s bytes; %(received)s arrived. Send it "
                    "again."
                )
                raise PartRefused(sentence, number=number, size=size, received=part.size)
            if part.sha256 != sha256:
                sentence = _("Part %(number)s was changed on the way. Send it again.")
                raise PartChanged(sentence, number=number)
            part.path.replace(folder / f"{number:06d}")

    def assemble(self, *, upload: UUID, parts: int) -> AbstractContextManager[Staged]:
        """See BlobStore.assemble."""
        folder = self.incoming / str(upload)
        paths = [folder / f"{number:06d}" for number in range(1, parts + 1)]
        return self._stage(self.incoming, (chunk for path in paths for chunk in read_chunks(path)))

    def discard(self, *, upload: UUID) -> None:
        """See BlobStore.discard."""
        shutil.rmtree(self.incoming / str(upload), ignore_errors=True)

    def uploads(self) -> Iterable[UUID]:
        """See BlobStore.uploads."""
        return [UUID(folder.name) for folder in self.incoming.glob("*-*-*-*-*") if folder.is_dir()]

    def put(self, path: Path) -> AbstractContextManager[Staged]:
        """See BlobStore.put."""
        return self._stage(self.incoming, read_chunks(path))

    def put_bytes(self, data: bytes) -> AbstractContextManager[Staged]:
        """See BlobStore.put_bytes."""
        return self._stage(self.incoming, [data])

    def place(self, staged: Staged) -> None:
        """See BlobStore.place. The name is on the disk before anybody writes it into a row."""
        target = self._path(staged.sha256)
        with room():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.path.replace(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def open(self, sha256: str) -> BinaryIO:
        """See BlobStore.open."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError as error:
            self._require_root()
            sentence = _("The bytes %(digest)s are not in the store; restore them from a backup.")
            raise BlobMissing(sentence, digest=sha256[:8], sha256=sha256) from error

    @contextmanager
    def local_path(self, sha256: str) -> Iterator[Path]:
        """See BlobStore.local_path."""
        self.open(sha256).close()
        yield self._path(sha256)

    def size_of(self, sha256: str) -> int | None:
        """See BlobStore.size_of."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            self._require_root()
            return None

    def stamp(self, sha256: str) -> str:
        """See BlobStore.stamp. The time of the last change is one that nobody can set back."""
        try:
            found = self._path(sha256).stat()
        except FileNotFoundError:
            return ""
        return f"{found.st_ino} {found.st_size} {found.st_ctime_ns}"

    def after(self, sha256: str, *, count: int) -> list[str]:
        """See BlobStore.after. Folders that hold only earlier addresses are not opened."""
        found: list[str] = []
        for outer in names_in(self.root, since=sha256[:2], length=2):
            here = sha256[2:4] if outer == sha256[:2] else ""
            for inner in names_in(self.root / outer, since=here, length=2):
                names = names_in(self.root / outer / inner, since=sha256, length=64)
                found += [name for name in names if name > sha256]
                if len(found) >= count:
                    return found[:count]
        return found

    def destroy(self, sha256: str) -> None:
        """See BlobStore.destroy."""
        self._path(sha256).unlink(missing_ok=True)

    def drop_partial(self, *, before: datetime) -> int:
        """See BlobStore.drop_partial."""
        dropped = 0
        for path in self.incoming.glob(f"**/{NEW}*"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    dropped += 1
            except FileNotFoundError:  # Its writer was done with it just now.
                continue
        return dropped

    def _require_root(self) -> None:
        if not self.root.is_dir():
            raise StorageAway(_("The store of this site is not there just now. Try again later."))

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:4] / sha256

    @contextmanager
    def _stage(self, folder: Path, chunks: Iterable[bytes]) -> Iterator[Staged]:
        """Write chunks to a file that is gone when the block ends, unless it got a name."""
        with room():
            folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=NEW)
        path, sha256, size = Path(name), hashlib.sha256(), 0
        try:
            with room(), os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    sha256.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            yield Staged(path, sha256.hexdigest(), size)
        finally:
            path.unlink(missing_ok=True)


@contextmanager
def room() -> Iterator[None]:
    """Say so in our words when the disk has no room. Raises StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            sentence = _(
                "The store is full, so nothing was kept. Free some room and send it again."
            )
            raise StorageFull(sentence) from error
        raise


def names_in(folder: Path, *, since: str, length: int) -> list[str]:
    """Return the hexadecimal names of this length in a folder, in order; none if it is gone."""
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    digits = set("0123456789abcdef")
    return sorted(
        name for name in names if len(name) == length and name >= since and set(name) <= digits
    )


def at_most(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield chunks until they are more than `size` bytes together."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        yield chunk
        if total > size:
            return


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, 1 MiB at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def blob_store() -> BlobStore:
    """Return the store that the settings choose."""
    return LocalBlobStore(Path(settings.BLOB_DIR))
