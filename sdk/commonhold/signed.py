"""What a signed release holds: read from its papers and its index, and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from commonhold import index
from commonhold.consistency import Json
from commonhold.errors import CommonholdError
from commonhold.manifest import file_subjects, read
from commonhold.report import State
from commonhold.rowcheck import check_rows, disagreements
from commonhold.sentences import Filled, _
from commonhold.signing import parse_envelope
from commonhold.trust import Trust
from commonhold.verify import Documents, TargetError, verify_documents
from commonhold.vouching import Vouched

INDEX = "files.jsonl"
# What must be known: else whoever takes a paper away would silence what it says. Nobody is asked,
# so whether a license was revoked is not known, and the data of a release are looked at elsewhere.
MUST_BE_KNOWN = ("keys", "logged", "consent")


class NotVerifiedError(CommonholdError):
    """A release whose papers do not hold, so nothing of it is handed out."""

    code = "not-verified"
    status = 422


@dataclass(frozen=True)
class Content:
    """A file that was signed. Papers beside the index have no size of their own."""

    sha256: str
    size: int | None = None


def require_verified(papers: Mapping[str, bytes], trust: Trust | Vouched | None) -> Json:
    """Return the statement of a release, or NotVerifiedError.

    Keys for which nobody vouches are refused: `trust` are those that count, else those pinned. So
    is a release without its log proof or its status lists. Nobody is asked: lists that are too old
    to be fresh are taken, and who needs to know what was withdrawn since verifies online.
    """
    report = verify_documents(Documents.of(papers), trust=trust)
    checks = {**report.vector, "keys": report.trust}
    fallen = [name for name, check in checks.items() if check.state is State.FAILED]
    fallen += [name for name in MUST_BE_KNOWN if checks[name].state is State.UNKNOWN]
    for name in fallen:
        sentence = _("This release does not hold (%(check)s): %(why)s")
        why = Filled(checks[name].said, checks[name].parameters)
        raise NotVerifiedError(sentence, check=name, why=why, **report.as_dict())
    if "manifest.dsse.json" not in papers:
        raise TargetError(_("There is no manifest.dsse.json, which the papers are read from."))
    return read(parse_envelope(papers["manifest.dsse.json"]).payload)


def index_digest(statement: Json) -> str:
    """Return the SHA-256 (hex) of the index that was signed."""
    return cast("str", cast("Json", _files(statement)["index"]["digest"])["sha256"])


def _files(statement: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", _release(statement)["files"])


def _release(statement: Json) -> Json:
    return cast("dict[str, Json]", statement["predicate"])["release"]


def rows(statement: Json, path: Path) -> list[index.IndexRow]:
    """Return the rows of the index at `path`, which must be the one that was signed."""
    try:
        with path.open("rb") as file:
            summary = index.summarize(file)
        with path.open("rb") as file:
            found = list(check_rows(index.parse(file), _release(statement)))
    except CommonholdError as error:
        sentence = _("The index of this release can't be relied on: %(why)s")
        raise NotVerifiedError(sentence, why=error.said) from error
    if (summary.sha256, summary.root) != (
        index_digest(statement),
        _files(statement)["merkle"]["root"],
    ):
        raise NotVerifiedError(_("files.jsonl is not the index that was signed."))
    return found


def contents(statement: Json, path: Path) -> dict[str, Content]:
    """Return every file that a release has beside its proofs, by path; `path` is its index."""
    found = {row.path: Content(row.sha256, row.size) for row in rows(statement, path)}
    for name, fault in disagreements(statement, set(found)):
        raise NotVerifiedError(_("“%(path)s” %(fault)s."), path=name, fault=fault)
    for name, sha256 in file_subjects(statement).items():
        if found[name].sha256 != sha256:
            sentence = _("“%(path)s” has one digest in the manifest and another in the index.")
            raise NotVerifiedError(sentence, path=name)
    papers = {
        cast("str", subject["name"]): cast("dict[str, str]", subject["digest"])["sha256"]
        for subject in cast("list[Json]", statement["subject"])
    }
    return found | {name: Content(sha) for name, sha in papers.items() if name not in found}
