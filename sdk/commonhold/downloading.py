"""Downloads: several at a time, resumed, and nothing under its name before all of it is checked.

What arrives lies in a hidden folder beside the target: first the signed papers, then the index
that they name, then what the index names. A release that does not hold leaves nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from commonhold import pins, shapes
from commonhold.addresses import require_web
from commonhold.client import Client, NotAllowedError, NotFoundError, ServerError
from commonhold.consistency import Json
from commonhold.errors import CommonholdError
from commonhold.filecheck import LARGEST
from commonhold.manifest import PROOFS
from commonhold.paths import check_path, path_key
from commonhold.receiving import RemoteFile, Staging
from commonhold.sentences import _
from commonhold.signed import INDEX, NotVerifiedError, contents, index_digest, require_verified
from commonhold.trust import PATH as ROOT_PATH
from commonhold.trust import Trust, version_path
from commonhold.vouching import Vouched

WORKERS = 4
NOT_IN_FORCE = frozenset({"revoked", "expired", "not-yet"})
ROOT = "trusted_root.json"
Progress = Callable[[str, int, int], None]


class NoGrantError(CommonholdError):
    """There is no license of yours for the dataset."""

    code = "no-grant"
    status = 403


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
        for grant in client.pages("grants", shape=shapes.GRANT)
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
            grant.get("consent_state") == "given",
            int(grant["version"]),
            grant["valid_from"],
        ),
    )


def list_release(client: Client, grant_id: str) -> dict[str, RemoteFile]:
    """Return every file of the grant's release by its path; refuses names that leave the folder."""
    listing = client.request("GET", f"grants/{grant_id}/release", shapes.LISTING)
    files = {
        check_path(entry["path"]): RemoteFile(
            entry["path"], entry["size"], entry["sha256"], require_web(entry["url"], client.url)
        )
        for entry in listing["files"]
    }
    if not len({path_key(path) for path in files}) == len(files) == len(listing["files"]):
        raise ServerError(_("The site lists two files under one name, so nothing was downloaded."))
    for name, most in LARGEST.items():
        if name in files and files[name].size > most:
            sentence = _("%(path)s is far too large to be what its name says.")
            raise ServerError(sentence, path=name)
    return files


def site_roots(client: Client) -> tuple[bytes, Callable[[int], bytes]]:
    """Return the trusted root that the site serves now, and what fetches an earlier version."""
    return client.site_file(ROOT_PATH), lambda version: client.site_file(version_path(version))


def site_trust(client: Client, given: Trust | None = None) -> Vouched:
    """Return the site's keys as it serves them now, and pin them; refuses what `pins.pin` does."""
    return _site_keys(client, given)[0]


def _site_keys(client: Client, given: Trust | None) -> tuple[Vouched, bytes]:
    newest, fetch = site_roots(client)
    return pins.pin(client.url, newest, fetch, given=given), newest


@dataclass(frozen=True)
class Downloaded:
    """What a download brought: number of files, bytes in all, how many had to be fetched."""

    files: int
    bytes: int
    fetched: int
    trust: Vouched


@dataclass(frozen=True)
class _Release:
    """A grant's release on its way: where it comes from, and where it goes."""

    client: Client
    grant_id: str
    listed: Mapping[str, RemoteFile]
    staging: Staging

    def bring(self, file: RemoteFile) -> bool:
        """Bring one file; return whether anything had to be fetched."""
        try:
            return self.staging.bring(self.client, file)
        except (NotAllowedError, NotFoundError):
            # The address ran out while other files were fetched: ask for fresh ones, once.
            fresh = list_release(self.client, self.grant_id).get(file.path, file)
            return self.staging.bring(self.client, replace(file, url=fresh.url))

    def at(self, path: str) -> RemoteFile:
        """Return what the site lists under a name, or ServerError."""
        if path not in self.listed:
            sentence = _("The site does not list “%(path)s”, which belongs to the release.")
            raise ServerError(sentence, path=path)
        return self.listed[path]

    def bring_papers(self, vouched: Vouched, root: bytes) -> tuple[Json, int]:
        """Bring the papers and return the statement that they prove, and how many were fetched.

        The keys beside them are those of the site, not whatever lies there. NotVerifiedError.
        """
        papers = [self.at(name) for name in PROOFS if name != ROOT]
        fetched = self.staging.put(ROOT, root) + sum(map(self.bring, papers))
        bodies = {name: self.staging.where(name).read_bytes() for name in PROOFS}
        return require_verified(bodies, vouched), fetched

    def signed_files(self, statement: Json) -> tuple[list[RemoteFile], int]:
        """Bring the index and return what is signed, where the site has it. NotVerifiedError."""
        listed = replace(self.at(INDEX), sha256=index_digest(statement))
        fetched = self.bring(listed)
        signed = contents(statement, self.staging.where(INDEX))
        for path in self.listed.keys() - signed.keys() - set(PROOFS):
            sentence = _("The site lists “%(path)s”, which nobody signed: nothing was kept.")
            raise NotVerifiedError(sentence, path=path)
        files = []
        for path, content in signed.items():
            file = self.at(path)
            size = file.size if content.size is None else content.size
            files.append(replace(file, sha256=content.sha256, size=size))
        return files, fetched

    def bring_all(self, files: Sequence[RemoteFile], progress: Progress | None) -> int:
        """Bring files, several at a time; return how many had to be fetched."""
        total, done, fetched = sum(file.size for file in files), 0, 0
        with ThreadPoolExecutor(WORKERS) as pool:
            futures = [(file, pool.submit(self.bring, file)) for file in files]
            try:
                for file, future in futures:
                    fetched += future.result()
                    done += file.size
                    if progress is not None:
                        progress(file.path, done, total)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return fetched


def download(
    client: Client,
    grant_id: str,
    folder: Path,
    progress: Progress | None = None,
    given: Trust | None = None,
    *,
    wait: bool = False,
) -> Downloaded:
    """Fetch a grant's whole release into `folder` and pin the site's keys.

    What is already there is checked, not fetched again. `given` are keys of the site that the
    caller knows from elsewhere; `wait` for another download into `folder` to end. Raises
    NotVerifiedError, DigestMismatchError: then nothing new stands in `folder`.
    """
    staging = Staging.beside(folder)
    with staging.alone(wait=wait):
        vouched, root = _site_keys(client, given)
        release = _Release(client, grant_id, list_release(client, grant_id), staging)
        return _settled(release, vouched, root, progress)


def _settled(
    release: _Release, vouched: Vouched, root: bytes, progress: Progress | None
) -> Downloaded:
    try:
        statement, papers = release.bring_papers(vouched, root)
        files, one = release.signed_files(statement)
    except NotVerifiedError:
        release.staging.drop()
        raise
    fetched = papers + one + release.bring_all(files, progress)
    release.staging.settle([*PROOFS, *(file.path for file in files)])
    sizes = [file.size for file in files] + [release.at(name).size for name in PROOFS]
    return Downloaded(len(sizes), sum(sizes), fetched, vouched)
