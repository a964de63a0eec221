"""`commonhold.load`: the rows of a release, each checked against the signed index as it is read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from commonhold.canonical import decode, sha256_hex
from commonhold.client import Client
from commonhold.downloading import download, find_grant
from commonhold.errors import CommonholdError
from commonhold.receiving import DigestMismatchError
from commonhold.sentences import _
from commonhold.signed import INDEX, Content, contents, require_verified
from commonhold.trust import Trust
from commonhold.verify import papers_in, read_root
from commonhold.vouching import Vouched

Row = dict[str, Any]


class NotADatasetError(CommonholdError):
    """There is no such folder, and it is not the name of a dataset either."""

    code = "not-a-dataset"
    status = 422


def cache_dir() -> Path:
    """Return where `load` keeps releases ($XDG_CACHE_HOME/commonhold)."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "commonhold"


def load(
    target: str | Path,
    *,
    version: int | None = None,
    to: Path | None = None,
    trust: Path | str | Trust | None = None,
) -> Iterator[Row]:
    """Yield the rows of a downloaded folder, or of `org/dataset[@version]`, downloaded if needed.

    Several workers may ask for one dataset: one downloads it, the others wait.

    A row holds what metadata.jsonl says of a clip, and `audio`: {"path", "bytes"}; rows of text
    have `audio` None. `trust` is a trusted_root.json (or its contents read) whose keys count; else
    those pinned for the site. Raises NotVerifiedError before the first row if nobody vouches for
    the keys, if signature, log, license or consent fail, or if the log proof or the status lists
    were taken away; DigestMismatchError at a file that was changed. Nobody is asked, so withdrawals
    since the download are not known.
    """
    keys = read_root(Path(trust)) if isinstance(trust, str | Path) else trust
    folder, vouched = Path(target), cast("Trust | Vouched | None", keys)
    if not folder.is_dir():
        name, _at, number = str(target).partition("@")
        if name.count("/") != 1 or (number and not number.isdigit()) or not all(name.split("/")):
            sentence = _(
                "There is no folder “%(target)s”. A dataset is written ORGANIZATION/DATASET or "
                "ORGANIZATION/DATASET@2."
            )
            raise NotADatasetError(sentence, target=str(target))
        version = int(number) if number else version
        with Client() as client:
            grant = str(find_grant(client, name, version)["id"])
            kept = sha256_hex(f"{client.url} {grant}".encode())[:32]
            folder = to or cache_dir() / kept
            vouched = download(client, grant, folder, given=keys, wait=True).trust
    return _rows(folder, vouched)


def _signed_files(folder: Path, trust: Trust | Vouched | None) -> dict[str, Content]:
    statement = require_verified(papers_in(folder), trust)
    return contents(statement, folder / INDEX)


def _checked(folder: Path, path: str, signed: Content | None) -> bytes:
    if signed is None:
        sentence = _("“%(path)s” is not part of the release.")
        raise DigestMismatchError(sentence, path=path)
    data = (folder / path).read_bytes()
    if sha256_hex(data) != signed.sha256:
        sentence = _("“%(path)s” was changed since it was signed. Download it again.")
        raise DigestMismatchError(sentence, path=path)
    return data


def _rows(folder: Path, trust: Trust | Vouched | None) -> Iterator[Row]:
    files = _signed_files(folder, trust)
    tables = [path for path in files if path.startswith("text/")]
    if "metadata.jsonl" in files:
        tables.insert(0, "metadata.jsonl")
    for table in tables:
        for line in _checked(folder, table, files[table]).splitlines():
            row = cast("Row", decode(line))
            row["audio"] = None
            if "file_name" in row:
                name = str(row["file_name"])
                audio = _checked(folder, name, files.get(name))
                row["audio"] = {"path": str(folder / name), "bytes": audio}
            yield row
