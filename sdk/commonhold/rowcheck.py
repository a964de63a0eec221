"""What a line of files.jsonl may be called and rest on, by the manifest that it belongs to."""

from collections.abc import Iterable, Iterator
from typing import cast

from commonhold.consistency import Json, records_of
from commonhold.index import IndexRow, InvalidIndexError
from commonhold.manifest import MAX_SUBJECT_FILES, PAPERS, PROOFS, file_subjects
from commonhold.paths import path_key
from commonhold.sentences import Sentence, _, filled

CARD = "README.md"
"""The one file in which nobody is heard and nobody's words stand."""
RESERVED = frozenset(map(path_key, (*PAPERS, *PROOFS)))


class RowRules:
    """The rules that rows keep to, for one release."""

    def __init__(self, release: Json) -> None:
        self.consents = {record["c"] for record in records_of(release)}
        self.sources = {one["id"] for one in cast("list[Json]", release["sources"])}
        self.activities = {one["id"] for one in cast("list[Json]", release["processing"])}

    def fault(self, row: IndexRow) -> Sentence | None:
        """Return the first thing that is wrong with a row, to follow its path; None if nothing."""
        return next(self._faults(row), None)

    def _faults(self, row: IndexRow) -> Iterator[Sentence]:
        yield from _faults_of_name(row.path)
        if not row.consents and row.path != CARD:
            yield _("rests on nobody's consent")
        for number in row.consents:
            if number not in self.consents:
                fault = _("rests on consent %(number)s, which is not in the manifest")
                yield filled(fault, number=number)
        if len(set(row.consents)) < len(row.consents):
            yield _("names one of its consents twice")
        if row.source not in self.sources:
            fault = _("comes from “%(source)s”, which is no source in the manifest")
            yield filled(fault, source=row.source)
        for activity in row.activities:
            if activity not in self.activities:
                fault = _("was made by “%(activity)s”, which is no activity in the manifest")
                yield filled(fault, activity=activity)
        for _start, _end, number in row.segments or ():
            if number not in row.consents:
                fault = _("has a segment of consent %(number)s, on which it does not rest")
                yield filled(fault, number=number)


def _faults_of_name(path: str) -> Iterator[Sentence]:
    parts = path.split("/")
    # A folder of such a name would stand in the way as much as a file.
    if path_key(parts[0]) in RESERVED:
        yield _("bears a name that belongs to the papers of a release")
    if any(part.startswith(".") for part in parts):
        yield _("is hidden: a part of its name begins with a dot")


def check_rows(rows: Iterable[IndexRow], release: Json) -> Iterator[IndexRow]:
    """Yield the rows of an index, or raise InvalidIndexError at one that breaks the rules."""
    rules = RowRules(release)
    for row in rows:
        if fault := rules.fault(row):
            raise InvalidIndexError(_("“%(path)s” %(fault)s."), path=row.path, fault=fault)
        yield row


def disagreements(statement: Json, paths: set[str]) -> Iterator[tuple[str, Sentence]]:
    """Yield the files that only one of manifest and index names, each with what is wrong.

    `paths` are those of the index. Where files are too many, the manifest names none of them.
    """
    release = cast("dict[str, Json]", statement["predicate"])["release"]
    if cast("int", cast("Json", release["files"])["count"]) > MAX_SUBJECT_FILES:
        return
    named = file_subjects(statement).keys()
    for path in sorted(named - paths):
        yield path, _("is in the manifest and not in the index")
    for path in sorted(paths - named):
        yield path, _("is in the index and not in the manifest")
