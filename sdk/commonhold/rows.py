"""`commonhold.load`: the rows of a release, each checked against the signed index as it is read."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from commonhold import index
from commonhold.canonical import decode, sha256_hex
from commonhold.client import Client
from commonhold.downloading import DigestMismatchError, download, find_grant
from commonhold.errors import CommonholdError
from commonhold.filecheck import PROOFS
from commonhold.manifest import Json, read
from commonhold.report import State
from commonhold.sentences import Filled, _
from commonhold.signing import parse_envelope
from commonhold.verify import Documents, verify_documents

Row = dict[str, Any]


class NotVerifiedError(CommonholdError):
    """A release whose papers do not hold, so its rows are not handed out."""

    code = "not-verified"
    status = 422


def cache_dir() -> Path:
    """Return where `load` keeps releases ($XDG_CACHE_HOME/commonhold)."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "commonhold"


def load(
    target: str | Path, *, version: int | None = None, to: Path | None = None
) -> Iterator[Row]:
    """Yield the rows of a downloaded folder, or of `org/dataset[@version]`, downloaded if needed.

    A row holds what metadata.jsonl says of a clip, and `audio`: {"path", "bytes"}; rows of text
    have `audio` None. Raises NotVerifiedError before the first row if signature, log, license
    or consent fail, DigestMismatchError at a file that was changed.
    """
    folder = Path(target)
    if not folder.is_dir():
        name, _at, number = str(target).partition("@")
        if number.isdigit():
            version = int(number)
        with Client() as client:
            grant = find_grant(client, name, version)
            folder = to or cache_dir() / str(grant["id"])
            download(client, str(grant["id"]), folder)
    return _rows(folder)


def _signed_index(folder: Path) -> dict[str, index.IndexRow]:
    papers = {name: (folder / name).read_bytes() for name in PROOFS if (folder / name).exists()}
    report = verify_documents(Documents.of(papers))
    for name, check in report.vector.items():
        if check.state is State.FAILED:
            sentence = _("This release does not hold (%(check)s): %(why)s")
            why = Filled(check.said, check.parameters)
            raise NotVerifiedError(sentence, check=name, why=why, **report.as_dict())
    statement = read(parse_envelope(papers["manifest.dsse.json"]).payload)
    release = cast("dict[str, Json]", statement["predicate"])["release"]
    signed = cast("dict[str, Json]", release["files"])["index"]["digest"]
    with (folder / "files.jsonl").open("rb") as file:
        summary = index.summarize(file)
    if {"sha256": summary.sha256} != signed:
        sentence = _("files.jsonl is not the index that was signed.")
        raise DigestMismatchError(sentence, path="files.jsonl")
    with (folder / "files.jsonl").open("rb") as file:
        return {row.path: row for row in index.parse(file)}


def _checked(folder: Path, row: index.IndexRow) -> bytes:
    data = (folder / row.path).read_bytes()
    if sha256_hex(data) != row.sha256:
        sentence = _("“%(path)s” was changed since it was signed. Download it again.")
        raise DigestMismatchError(sentence, path=row.path)
    return data


def _rows(folder: Path) -> Iterator[Row]:
    files = _signed_index(folder)
    tables = [path for path in files if path.startswith("text/")]
    if "metadata.jsonl" in files:
        tables.insert(0, "metadata.jsonl")
    for table in tables:
        for line in _checked(folder, files[table]).splitlines():
            row = cast("Row", decode(line))
            row["audio"] = None
            if "file_name" in row:
                name = row["file_name"]
                row["audio"] = {"path": str(folder / name), "bytes": _checked(folder, files[name])}
            yield row
