"""Downloads: several at a time, resumed, every digest checked before a file gets its name."""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from commonhold import pins
from commonhold.canonical import CHUNK, digest_file, sha256_hex
from commonhold.client import (
    ATTEMPTS,
    Client,
    NetworkError,
    NotAllowedError,
    NotFoundError,
    ServerError,
    error_from,
)
from commonhold.errors import CommonholdError
from commonhold.paths import check_path, path_key
from commonhold.sentences import _
from commonhold.trust import PATH as ROOT_PATH
from commonhold.trust import Trust, version_path

WORKERS = 4
PARTS = ".parts"
NOT_IN_FORCE = frozenset({"revoked", "expired", "not-yet"})
Progress = Callable[[str, int, int], None]


class NoGrantError(CommonholdError):
    """There is no license of yours for the dataset."""

    code = "no-grant"
    status = 403


class DigestMismatchError(CommonholdError):
    """Bytes arrived that are not the ones promised."""

    code = "digest-mismatch"
    status = 502


@dataclass(frozen=True)
class RemoteFile:
    """A file of a release as the site lists it, with its short-lived address."""

    path: str
    size: int
    sha256: str
    url: str


def _name_of(dataset: object) -> str:
    if isinstance(dataset, Mapping):
        organization = dataset["organization"]
        owner = organization["slug"] if isinstance(organization, Mapping) else organization
        return f"{owner}/{dataset['slug']}"
    return str(dataset)


def find_grant(client: Client, dataset: str, version: int | None = None) -> dict[str, Any]:
    """Return the caller's newest grant in force for `org/slug`, of `version` if given.

    One whose speakers' consent still stands comes before a newer one that can't be downloaded any
    more. Raises NoGrantError.
    """
    wanted = client.full_name(dataset)
    grants = [
        grant
        for grant in client.pages("grants")
        if _name_of(grant["dataset"]) == wanted
        and grant["state"] not in NOT_IN_FORCE
        and version in {None, int(grant["version"])}
    ]
    if not grants:
        which = wanted if version is None else f"{wanted}@{version}"
        sentence = _(
            "You have no license in force for %(which)s. See what is offered: commonhold search"
        )
        raise NoGrantError(sentence, dataset=wanted, which=which)
    return max(
        grants,
        key=lambda grant: (
            grant["consent_state"] == "given",
            int(grant["version"]),
            grant["valid_from"],
        ),
    )


def list_release(client: Client, grant_id: str) -> list[RemoteFile]:
    """Return every file of the grant's release; refuses names that could leave the folder."""
    files = [
        RemoteFile(check_path(entry["path"]), entry["size"], entry["sha256"], entry["url"])
        for entry in client.request("GET", f"grants/{grant_id}/release")["files"]
    ]
    if len({path_key(file.path) for file in files}) != len(files):
        raise ServerError(_("The site lists two files under one name, so nothing was downloaded."))
    return files


def _is_there(target: Path, file: RemoteFile) -> bool:
    if not target.is_file() or target.stat().st_size != file.size:
        return False
    return digest_file(target)[0] == file.sha256


def _append(client: Client, file: RemoteFile, part: BinaryIO) -> None:
    """Fetch what is missing of `file` to the end of `part` (RFC 9110 §14, §13.1.5)."""
    have = part.tell()
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": f'"{file.sha256}"'}
    with client.plain.stream("GET", file.url, headers=headers) as response:
        if response.is_error:
            response.read()
            raise error_from(response)
        if have and response.status_code != httpx.codes.PARTIAL_CONTENT:
            part.seek(0)
            part.truncate()
        for piece in response.iter_bytes(CHUNK):
            part.write(piece)
            if part.tell() > file.size:
                break


def _fill(client: Client, file: RemoteFile, path: Path) -> None:
    """Bring the `.part` file at `path` to full length, however often the connection breaks."""
    failures = 0
    with path.open("ab") as part:
        while part.tell() < file.size:
            before, trouble = part.tell(), "nothing came"
            try:
                _append(client, file, part)
            except (httpx.TransportError, ServerError) as error:
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


def fetch_file(client: Client, file: RemoteFile, folder: Path) -> bool:
    """Fetch one file into `folder`, unless it is there; return whether anything was fetched.

    The file gets its name only once its SHA-256 is right. Raises DigestMismatchError after a
    second, fresh try.
    """
    target = folder / file.path
    if _is_there(target, file):
        return False
    part = folder / PARTS / f"{sha256_hex(file.path.encode())}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.exists() and part.stat().st_size > file.size:
        part.unlink()
    for last in (False, True):
        _fill(client, file, part)
        part.touch()
        if digest_file(part)[0] == file.sha256:
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
            return True
        part.unlink()
        if last:
            break
    sentence = _(
        "“%(path)s” arrived twice with other bytes than promised, so it was not kept. "
        "Try again later; if it stays, tell the site."
    )
    raise DigestMismatchError(sentence, path=file.path)


def site_roots(client: Client) -> tuple[bytes, Callable[[int], bytes]]:
    """Return the trusted root that the site serves now, and what fetches an earlier version."""
    return client.site_file(ROOT_PATH), lambda version: client.site_file(version_path(version))


def site_trust(client: Client) -> Trust:
    """Return the site's keys as it serves them now, and pin them; refuses what `pins.pin` does."""
    return pins.pin(*site_roots(client))


@dataclass(frozen=True)
class Downloaded:
    """What a download brought: number of files, bytes in all, how many had to be fetched."""

    files: int
    bytes: int
    fetched: int
    trust: Trust


def download(
    client: Client, grant_id: str, folder: Path, progress: Progress | None = None
) -> Downloaded:
    """Fetch a grant's whole release into `folder` and pin the site's keys.

    What is already there is checked, not fetched again.
    """
    trust = site_trust(client)
    files = list_release(client, grant_id)
    total, done, fetched = sum(file.size for file in files), 0, 0

    def fetch(file: RemoteFile) -> bool:
        try:
            return fetch_file(client, file, folder)
        except (NotAllowedError, NotFoundError):
            # The address ran out while other files were fetched: ask for fresh ones, once.
            fresh = {other.path: other for other in list_release(client, grant_id)}
            return fetch_file(client, fresh.get(file.path, file), folder)

    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [(file, pool.submit(fetch, file)) for file in files]
        try:
            for file, future in futures:
                fetched += future.result()
                done += file.size
                if progress is not None:
                    progress(file.path, done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return Downloaded(len(files), total, fetched, trust)
