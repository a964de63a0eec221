"""Resumable uploads: parts with digests, several at a time, no file ever whole in memory."""

import base64
import codecs
import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from commonhold import shapes
from commonhold.addresses import require_web
from commonhold.canonical import CHUNK, digest_file, sha256_hex
from commonhold.client import (
    Client,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    dataset_path,
)
from commonhold.errors import CommonholdError
from commonhold.paths import InvalidPathError, normalize_path, path_key
from commonhold.pins import state_dir, write_private
from commonhold.sentences import _

WORKERS = 4
SMALL = 8 * CHUNK
Progress = Callable[[str, int, int], None]


class UploadError(CommonholdError):
    """A file that can't be uploaded as it is, or that the site would not take."""

    code = "upload-failed"
    status = 422


@dataclass(frozen=True)
class LocalFile:
    """A file here, and the path it gets in the dataset."""

    source: Path
    path: str


def collect(paths: Sequence[Path]) -> list[LocalFile]:
    """Return the files to upload: each file by its name, each folder by the paths inside it.

    Hidden files are left out. Raises InvalidPathError for names that can't travel and for twins,
    UploadError for links that lead out of their folder.
    """
    found: list[LocalFile] = []
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        base = path if path.is_dir() else path.parent
        for source in inside:
            relative = source.relative_to(base)
            if source.is_file() and not any(part.startswith(".") for part in relative.parts):
                if path.is_dir():
                    _require_inside(source, path)
                found.append(LocalFile(source, normalize_path(relative.as_posix())))
    names: dict[str, LocalFile] = {}
    for file in found:
        other = names.setdefault(path_key(file.path), file)
        if other is not file:
            sentence = _("“%(one)s” and “%(other)s” would get one name. Rename one.")
            raise InvalidPathError(
                sentence, path=file.path, one=str(file.source), other=str(other.source)
            )
    if not found:
        raise UploadError(_("There is no file to upload at the paths given."))
    return found


def _require_inside(file: Path, folder: Path) -> None:
    """Refuse what a link brings from elsewhere, and what is hidden: nobody chose to send that."""
    is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    if is_hidden or not file.resolve().is_relative_to(folder.resolve()):
        sentence = _(
            "“%(file)s” is hidden, or leads out of the folder “%(folder)s”, so it was not sent. "
            "Put the file itself there."
        )
        raise UploadError(sentence, file=str(file), folder=str(folder))


class _Ticket:
    """Remembers the id of an unfinished upload, so that the same command resumes it."""

    def __init__(self, client: Client, dataset: str, file: LocalFile) -> None:
        status = file.source.stat()
        facts = [client.url, dataset, file.path, os.path.realpath(file.source)]
        key = json.dumps([*facts, status.st_size, status.st_mtime_ns])
        self.path = state_dir() / "uploads" / f"{sha256_hex(key.encode())}.json"

    def read(self) -> str | None:
        """Return the id, None if none is kept or what is kept can't be read: then begin again."""
        try:
            return str(json.loads(self.path.read_text())["id"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, upload_id: str) -> None:
        write_private(self.path, json.dumps({"id": upload_id}).encode())

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


def _pieces(source: Path, offset: int, size: int) -> Iterator[bytes]:
    with source.open("rb") as file:
        file.seek(offset)
        while size and (piece := file.read(min(CHUNK, size))):
            size -= len(piece)
            yield piece


def _begin(client: Client, dataset: str, file: LocalFile, sha256: str, ticket: _Ticket) -> Any:
    known = ticket.read()
    if known is not None:
        try:
            upload = _asked(client, known)
            if upload["state"] != "refused":
                return upload
        except NotFoundError:
            pass  # It expired there: begin again.
        ticket.drop()
    size = file.source.stat().st_size
    body = {"dataset": dataset, "path": file.path, "size": size, "sha256": sha256}
    upload = _addressed(client, client.request("POST", "uploads", shapes.UPLOAD, json=body))
    ticket.write(upload["id"])
    return upload


def _asked(client: Client, upload_id: object) -> Any:
    path = f"uploads/{quote(str(upload_id), safe='')}"
    return _addressed(client, client.request("GET", path, shapes.UPLOAD))


def _addressed(client: Client, upload: Any) -> Any:
    for part in upload["parts"]:
        require_web(part["url"], client.url)
    return upload


def _put_part(client: Client, file: LocalFile, part: dict[str, Any]) -> None:
    sha256 = hashlib.sha256()
    for piece in _pieces(file.source, part["offset"], part["size"]):
        sha256.update(piece)
    headers = {
        "x-amz-checksum-sha256": base64.b64encode(sha256.digest()).decode(),
        "Content-Length": str(part["size"]),
    }

    def put() -> httpx.Response:
        body = _pieces(file.source, part["offset"], part["size"])
        return client.plain.put(part["url"], content=body, headers=headers)

    try:
        client.patiently(put)
    except InvalidRequestError:
        # Damaged on the way, by the checksum sent along: once more.
        client.patiently(put)


def _put_missing(client: Client, file: LocalFile, upload: Any, progress: Progress) -> None:
    size = int(upload["size"])
    done = sum(part["size"] for part in upload["parts"] if part["received"])
    progress(file.path, done, size)
    with ThreadPoolExecutor(WORKERS) as pool:
        missing = [part for part in upload["parts"] if not part["received"]]
        futures = [(part, pool.submit(_put_part, client, file, part)) for part in missing]
        try:
            for part, future in futures:
                future.result()
                done += part["size"]
                progress(file.path, done, size)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _complete(client: Client, upload: Any, sha256: str) -> dict[str, Any]:
    try:
        path = f"uploads/{upload['id']}/complete"
        finished = client.request("POST", path, shapes.COMPLETED, json={"sha256": sha256})
    except RefusedError:
        # The answer to an earlier try may have been lost on the way: ask how it stands.
        finished = _asked(client, upload["id"])
        if finished["state"] != "complete":
            raise
    file: dict[str, Any] = finished.get("file") or {"path": upload["path"], "sha256": sha256}
    return file


def upload_file(
    client: Client, dataset: str, file: LocalFile, progress: Progress
) -> dict[str, Any]:
    """Upload one file into the dataset's draft, resuming where it stopped before.

    Returns {"path", "sha256", "size", "kind"}. Raises RefusedError with the site's reason.
    """
    sha256, size = digest_file(file.source)
    ticket = _Ticket(client, dataset, file)
    upload = _begin(client, dataset, file, sha256, ticket)
    if upload["state"] != "complete":
        try:
            _put_missing(client, file, upload, progress)
        except NotAllowedError:
            # Part URLs are short-lived; fresh ones carry on where these stopped.
            upload = _asked(client, upload["id"])
            _put_missing(client, file, upload, progress)
    try:
        finished = _complete(client, upload, sha256)
    except RefusedError:
        ticket.drop()
        raise
    ticket.drop()
    progress(file.path, size, size)
    return finished


@dataclass(frozen=True)
class Uploaded:
    """What an upload brought, as the site has it, and the paths that were there already."""

    files: list[dict[str, Any]]
    kept: list[str]


def upload_all(
    client: Client, dataset: str, files: Sequence[LocalFile], progress: Progress
) -> Uploaded:
    """Upload files into the open draft of `org/slug`: small ones together, large ones in parts.

    What the draft holds already, from an earlier upload or the version before, is not sent again.
    """
    version = client.request("POST", dataset_path(dataset, "versions"), shapes.NUMBERED)
    held = _held(client, dataset, version["number"])
    kept = [file.path for file in files if _is_held(file, held)]
    wanted = [file for file in files if file.path not in kept]
    small = [file for file in wanted if file.source.stat().st_size <= SMALL]
    large = [file for file in wanted if file.source.stat().st_size > SMALL]
    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(lambda file: upload_file(client, dataset, file, progress), small))
    done += [upload_file(client, dataset, file, progress) for file in large]
    return Uploaded(done, kept)


def _held(client: Client, dataset: str, number: int) -> dict[str, str]:
    version = client.request("GET", dataset_path(dataset, "versions", number), shapes.VERSION)
    return {
        file["path"]: file["sha256"] for file in version["files"] if file["state"] == "complete"
    }


def _is_held(file: LocalFile, held: Mapping[str, str]) -> bool:
    return file.path in held and digest_file(file.source)[0] == held[file.path]


def import_consent(
    client: Client, dataset: str, table: Path, notice: Path | None = None
) -> dict[str, Any]:
    """Send a consent table with the evidence files it names (beside it) and the notice text.

    Returns {"speakers", "records", "scopes", "known", "voided"}; `known` were recorded before.
    Raises InvalidRequestError with `rows`; InvalidPathError, UploadError for evidence elsewhere.
    """
    named = sorted(_evidence_named(table.read_bytes()))
    for name in named:
        normalize_path(name)
        _require_inside(table.parent / name, table.parent)
    lost = [name for name in named if not (table.parent / name).is_file()]
    if lost:
        sentence = _("%(table)s names the evidence “%(evidence)s”, but %(path)s is not there.")
        paths = ", ".join(str(table.parent / name) for name in lost)
        raise UploadError(sentence, table=table.name, evidence=", ".join(lost), path=paths)
    with ExitStack() as stack:
        parts: list[tuple[str, Any]] = [
            ("csv", (table.name, stack.enter_context(table.open("rb")), "text/csv"))
        ]
        for name in named:
            path = table.parent / name
            parts.append(("evidence", (name, stack.enter_context(path.open("rb")))))
        data = {"notice": notice.read_text()} if notice is not None else {}
        answer: dict[str, Any] = client.request(
            "POST",
            dataset_path(dataset, "consent", "import"),
            shapes.IMPORTED,
            files=parts,
            data=data,
        )
    return answer


def _evidence_named(table: bytes) -> set[str]:
    """Return the evidence that a table names; none where the site will refuse the table."""
    is_utf_16 = table.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = table.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        return set()
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    return {(row.get("evidence") or "").strip() for row in rows} - {""}
