"""Files on their way here: kept in a hidden folder, resumed, and named once they are right."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, cast

import httpx

from commonhold import locking
from commonhold.canonical import CHUNK, digest_file, sha256_hex
from commonhold.client import (
    ATTEMPTS,
    UNREACHABLE,
    Client,
    NetworkError,
    ServerError,
    error_from,
)
from commonhold.errors import CommonholdError
from commonhold.manifest import PROOFS
from commonhold.sentences import _

LONGEST_REFUSAL = 64 * 1024
LAST = "manifest.dsse.json"
LOCK = "lock"
# Windows has neither.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)
own_user = getattr(os, "getuid", None)


class DigestMismatchError(CommonholdError):
    """Bytes arrived that are not the ones promised."""

    code = "digest-mismatch"
    status = 502


class TargetTakenError(CommonholdError):
    """Something stands in the target folder where a file of the release belongs."""

    code = "target-taken"
    status = 409


class DownloadUnderWayError(CommonholdError):
    """Somebody is downloading into the target folder at this moment."""

    code = "download-under-way"
    status = 409


@dataclass(frozen=True)
class RemoteFile:
    """A file of a release, with its short-lived address."""

    path: str
    size: int
    sha256: str
    url: str

    def is_at(self, path: Path) -> bool:
        """Tell whether this very file lies at `path`."""
        if path.is_symlink() or not path.is_file() or path.stat().st_size != self.size:
            return False
        return digest_file(path)[0] == self.sha256


@dataclass(frozen=True)
class Staging:
    """A hidden folder beside the target, on its disk: what arrives stays here until all is right.

    A file lies in it under the digest of its path, so that nothing in it can be taken for
    something else by another program. It is for one download at a time: do all within `alone`.
    """

    folder: Path
    path: Path

    @classmethod
    def beside(cls, folder: Path) -> Self:
        """Return the one that belongs to a target folder, which need not be there yet."""
        target = Path(os.path.abspath(folder))  # noqa: PTH100 - a link stays the target
        base = target if target.is_mount() else target.parent
        return cls(target, base / f".{target.name}.commonhold-download")

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Make the hidden folder and hold it; what was not settled stays in it for the next time.

        Raises TargetTakenError for a folder that another user made, and DownloadUnderWayError
        while it is held elsewhere, unless told to `wait`.
        """
        held = self._hold(wait=wait)
        while held is None:
            held = self._hold(wait=wait)
        try:
            yield
        finally:
            with suppress(OSError):  # Parts lie there still; Windows keeps the lock as well.
                (self.path / LOCK).unlink()
                self.path.rmdir()
            os.close(held)

    def _hold(self, *, wait: bool) -> int | None:
        """Return the lock's file, held; None if whoever held it took the folder away since."""
        lock = self.path / LOCK
        try:
            self._make()
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
        except FileNotFoundError:
            return None
        is_held = locking.take(descriptor, wait=wait)
        if is_held and lock.exists() and os.path.samestat(os.fstat(descriptor), lock.lstat()):
            return descriptor
        os.close(descriptor)
        if is_held:
            return None
        sentence = _(
            "Somebody is downloading into %(folder)s already. Run this again when that has ended."
        )
        raise DownloadUnderWayError(sentence, folder=str(self.folder))

    def _make(self) -> None:
        with suppress(FileExistsError):
            self.path.mkdir(mode=0o700, parents=True)
        found = self.path.lstat()
        if stat.S_ISDIR(found.st_mode) and (own_user is None or found.st_uid == own_user()):
            # For us alone, also where it was opened to others since.
            self.path.chmod(0o700)
            return
        sentence = _(
            "%(path)s was made by another user, or is a link. Remove it, or download elsewhere."
        )
        raise TargetTakenError(sentence, path=str(self.path))

    def _part(self, path: str) -> Path:
        return self.path / sha256_hex(path.encode())

    def where(self, path: str) -> Path:
        """Return where a file lies that was brought: here, or already in its place."""
        part = self._part(path)
        return part if part.exists() else self.folder / path

    def put(self, path: str, data: bytes) -> bool:
        """Keep bytes that are at hand; return whether the target has others."""
        target, part = self.folder / path, self._part(path)
        part.unlink(missing_ok=True)
        if target.is_file() and not target.is_symlink() and target.read_bytes() == data:
            return False
        with _opened(part, "xb") as file:
            file.write(data)
        return True

    def bring(self, client: Client, file: RemoteFile) -> bool:
        """Fetch one file, unless it is there; return whether anything was fetched.

        Raises DigestMismatchError after a second, fresh try.
        """
        part = self._part(file.path)
        if file.is_at(self.folder / file.path):
            part.unlink(missing_ok=True)
            return False
        if file.is_at(part):
            return False
        if part.exists() and part.stat().st_size >= file.size:
            part.unlink()
        for _try in range(2):
            _fill(client, file, part)
            if file.is_at(part):
                return True
            part.unlink()
        sentence = _(
            "“%(path)s” arrived twice with other bytes than promised, so it was not kept. "
            "Try again later; if it stays, tell the site."
        )
        raise DigestMismatchError(sentence, path=file.path)

    def settle(self, paths: Iterable[str]) -> None:
        """Give what was brought its names, the manifest last, and empty the hidden folder.

        The proofs come before it: they are others an hour later, and whoever was stopped in
        between could not replace them. TargetTakenError, before anything got its name.
        """
        order = sorted(paths, key=lambda path: (path == LAST, path in PROOFS, path))
        brought = [path for path in order if self._part(path).exists()]
        for path, target in [(path, self._place(path)) for path in brought]:
            self._part(path).replace(target)
        self.drop()

    def _place(self, path: str) -> Path:
        target = self.folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            is_taken = target.is_dir() and not target.is_symlink()
        except FileExistsError:
            is_taken = True
        inside = target.parent.resolve().is_relative_to(self.folder.resolve())
        if is_taken or not inside:
            sentence = _("Something else stands where “%(path)s” belongs: %(target)s. Move it.")
            raise TargetTakenError(sentence, path=path, target=str(target))
        if os.path.lexists(target) and not (self.folder / LAST).exists():
            sentence = _(
                "“%(path)s” is there already, in a folder that holds no release: %(target)s. "
                "Choose another folder, or move it."
            )
            raise TargetTakenError(sentence, path=path, target=str(target))
        return target

    def drop(self) -> None:
        """Forget what was brought."""
        for part in self.path.iterdir():
            if part.name != LOCK:
                part.unlink()


def _opened(part: Path, mode: str) -> BinaryIO:
    """Open a part itself, never what a link in its place leads to."""

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | NO_LINK, 0o666)

    return cast("BinaryIO", open(part, mode, opener=opener))


def _append(client: Client, file: RemoteFile, part: BinaryIO) -> None:
    """Fetch what is missing of `file` to the end of `part` (RFC 9110 §14, §13.1.5)."""
    have = part.tell()
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": f'"{file.sha256}"'}
    with client.plain.stream("GET", file.url, headers=headers) as response:
        if not response.is_success:
            raise error_from(_refusal(response))
        if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
            part.seek(0)
            part.truncate()
        for piece in response.iter_raw(CHUNK):
            part.write(piece[: file.size - part.tell() + 1])
            if part.tell() > file.size:
                break


def _refusal(response: httpx.Response) -> httpx.Response:
    """Return a refusal with the beginning of its body, which may have no end."""
    body = b""
    for piece in response.iter_raw(CHUNK):
        body += piece
        if len(body) > LONGEST_REFUSAL:
            break
    return httpx.Response(response.status_code, content=body, request=response.request)


def _fill(client: Client, file: RemoteFile, path: Path) -> None:
    """Bring the unfinished file at `path` to full length, however often the connection breaks."""
    failures = 0
    with _opened(path, "ab") as part:
        while part.tell() < file.size:
            before, trouble = part.tell(), "nothing came"
            try:
                _append(client, file, part)
            except (*UNREACHABLE, ServerError) as error:
                trouble = str(error)
            if part.tell() >= file.size:
                return
            failures = 0 if part.tell() > before else failures + 1
            if failures == ATTEMPTS:
                sentence = _(
                    "“%(path)s” could not be fetched: %(trouble)s. Run this again to go on."
                )
                raise NetworkError(sentence, path=file.path, trouble=str(trouble))
            client.pause(failures)
