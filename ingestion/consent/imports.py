"""Bringing in the consents of many speakers at once, from a CSV made from our template.

The same table twice changes nothing: what is known already is counted, not written again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from commonhold.errors import CommonholdError
from commonhold.sentences import _, n_
from django.db import transaction

from accounts import audit
from accounts.models import User
from ingestion.consent import cells, labels, tables
from ingestion.consent.cells import CellFault, Fault, Known, Said
from ingestion.consent.faults import Notice, Terms
from ingestion.consent.records import Evidence, record, voided_before
from ingestion.consent.scopes import Stretch, clock
from ingestion.consent.speakers import Person, add_speaker
from ingestion.models import Blob, Dataset, Recording, Speaker, Version

COLUMNS = tables.COLUMNS
template = tables.template


class ImportRefused(CommonholdError):
    """Rows that can't stand. Nothing was imported; `rows` names everything wrong with each."""

    code = "consent-import-refused"
    status = 422

    faults: Sequence[Fault] = ()


class ImportChanged(CommonholdError):
    """The table would do something else by now than what was shown. Nothing was imported."""

    code = "consent-import-changed"
    status = 409


@dataclass
class Group:
    """The rows of one consent: one speaker, one day."""

    person: Person
    terms: Terms
    notice: Notice
    evidence: str
    row: int
    stretches: list[Stretch] = field(default_factory=list)


class Outcome(StrEnum):
    """What became of one consent of a table."""

    NEW = "new"
    KNOWN = "known"
    VOIDED = "voided"
    """Known, and struck out as a mistake since: it stays struck out."""


@dataclass(frozen=True)
class Brought:
    """One consent of a table."""

    speaker: Speaker
    is_new_speaker: bool
    outcome: Outcome
    scopes: int
    """How many stretches were written down."""
    terms: Terms
    stretches: Sequence[Stretch]


@dataclass(frozen=True)
class Imported:
    """What an import made, and what it found made before."""

    each: Sequence[Brought] = ()
    nobody: Sequence[int] = ()
    """Rows of the template that nobody filled in: passed over."""

    @property
    def speakers(self) -> int:
        """How many speakers something was written down of."""
        return len({one.speaker.pk for one in self.each if one.outcome == Outcome.NEW})

    @property
    def new_speakers(self) -> int:
        """How many speakers the dataset did not know before."""
        return len({one.speaker.pk for one in self.each if one.is_new_speaker})

    @property
    def records(self) -> int:
        """How many consents were written down."""
        return self.count(Outcome.NEW)

    @property
    def scopes(self) -> int:
        """How many stretches were written down."""
        return sum(one.scopes for one in self.each)

    @property
    def known(self) -> int:
        """How many consents were recorded before."""
        return self.count(Outcome.KNOWN)

    @property
    def voided(self) -> int:
        """How many were recorded before and struck out as mistakes: they stay so."""
        return self.count(Outcome.VOIDED)

    @property
    def recordings(self) -> list[Recording]:
        """Everything in which the table says that somebody is heard, in its order."""
        found = {part.recording.pk: part.recording for one in self.each for part in one.stretches}
        return list(found.values())

    @property
    def counts(self) -> dict[str, int]:
        """All figures by their names."""
        names = ("speakers", "records", "scopes", "known", "voided")
        return {name: getattr(self, name) for name in names}

    def count(self, outcome: Outcome) -> int:
        """Return of how many consents this became."""
        return sum(one.outcome == outcome for one in self.each)


def run(
    *,
    version: Version,
    table: bytes,
    notice_text: str,
    by: User,
    evidence: Mapping[str, Blob] | None = None,
    expected: Mapping[str, int] | None = None,
) -> Imported:
    """Import a CSV: all of it or nothing. `evidence` maps file names in the CSV to stored bytes.

    `expected` are the counts that somebody was shown. Raises ImportChanged if they would be
    others, TableUnreadable, and ImportRefused with everything that is wrong with every row in
    `rows`: [{"row", "field", "code", "message"}]; rows count from 2, as in a spreadsheet.
    """
    kept = evidence or {}
    found = tables.read(table)
    rows = read(found, version=version, notice_text=notice_text, evidence=kept)
    require_right([fault for row in rows for fault in row.faults], total=len(rows))
    wrong: list[Fault] = []
    with transaction.atomic():
        each = []
        for group in grouped(rows):
            try:
                each.append(write(group, dataset=version.dataset, evidence=kept, by=by))
            except CommonholdError as error:
                wrong.append(Fault(group.row, str(error.details.get("field", "purposes")), error))
        done = Imported(each, found.nobody)
        if wrong:
            transaction.set_rollback(True)
        else:
            require_expected(done.counts, expected)
            about = (version.dataset,)
            audit.note(by=by, verb="consent.imported", about=about, **done.counts)
    require_right(wrong, total=len(rows))
    return done


def require_expected(counts: Mapping[str, int], expected: Mapping[str, int] | None) -> None:
    """Raise ImportChanged if an import does not do what was shown."""
    if expected is not None and dict(expected) != dict(counts):
        sentence = _(
            "Something changed since this was shown: a consent was recorded, changed or ended. "
            "Nothing was brought in yet; look again."
        )
        raise ImportChanged(sentence)


@contextmanager
def rehearsed(
    *,
    version: Version,
    table: bytes,
    notice_text: str,
    by: User,
    evidence: Mapping[str, Blob] | None = None,
) -> Iterator[Imported]:
    """Import a CSV for the length of the block, and take it all back. Raises as `run` does.

    So the block can look at everything as the import would leave it.
    """
    with transaction.atomic():
        yield run(version=version, table=table, notice_text=notice_text, by=by, evidence=evidence)
        transaction.set_rollback(True)


def read(
    table: tables.Table, *, version: Version, notice_text: str, evidence: Mapping[str, Blob]
) -> list[Said]:
    """Read every row, with everything that is wrong with it."""
    places = version.files.select_related("recording__dataset")
    known = Known(
        recordings={place.key: place.recording for place in places},
        evidence=evidence.keys(),
        notice_text=notice_text,
    )
    rows = [cells.read(number=number, row=row, known=known) for number, row in table.rows]
    cells.refuse_contradictions(rows)
    for said in rows:
        if said.row in table.too_long:
            sentence = _("The row has more cells than there are columns. Quote what has commas.")
            fault = Fault(said.row, COLUMNS[-1], CellFault(sentence, field=COLUMNS[-1]))
            said.faults.insert(0, fault)
    return rows


def prefilled(*, version: Version) -> str:
    """Return the template with a row for each file of a version; "" for one without files.

    Where a transcript names who speaks, a row for each name and stretch.
    """
    named: dict[int, list[dict[str, str]]] = {}
    for one in labels.found_in(version=version):
        for part in one.stretches:
            rows = named.setdefault(part.recording.pk, [])
            rows.append({"speaker_name": one.label} | place_of(part))
    recordings = Recording.objects.to_process().filter(files__version=version).in_order()
    found = [row for one in recordings for row in named.get(one.pk) or [place_of(Stretch(one))]]
    return template(found) if found else ""


def place_of(part: Stretch) -> dict[str, str]:
    """Return where somebody is heard as cells of a row."""
    length = part.recording.duration_ms
    times = {"length": length, "start": part.start_ms, "end": part.end_ms}
    told = {name: "" if time is None else clock(time) for name, time in times.items()}
    return {"file": part.recording.name} | told


def grouped(rows: Sequence[Said]) -> list[Group]:
    """Put the rows together that are one consent."""
    groups: dict[object, Group] = {}
    for said in rows:
        evidence = said.values["evidence"]
        fresh = Group(said.person, said.terms, said.notice, evidence, said.row)
        groups.setdefault(said.who, fresh).stretches.append(said.values["stretch"])
    return list(groups.values())


def require_right(faults: Sequence[Fault], *, total: int) -> None:
    """Raise ImportRefused, naming the first fault and listing all of them, if there is one."""
    if not faults:
        return
    first = faults[0]
    wrong = len({fault.row for fault in faults})
    sentence = n_(
        "Nothing was imported: %(wrong)s of %(total)s rows can't stand. It is row %(first)s, "
        "%(column)s: %(fault)s",
        "Nothing was imported: %(wrong)s of %(total)s rows can't stand. The first is row "
        "%(first)s, %(column)s: %(fault)s",
        wrong,
    )
    refused = ImportRefused(
        sentence,
        rows=[
            {
                "row": fault.row,
                "field": fault.field,
                "code": fault.error.code,
                "message": fault.error.said,
            }
            for fault in faults
        ],
        wrong=wrong,
        total=total,
        first=first.row,
        column=first.field,
        fault=first.error.said,
    )
    refused.faults = tuple(faults)
    raise refused


def write(group: Group, *, dataset: Dataset, evidence: Mapping[str, Blob], by: User) -> Brought:
    """Record one consent, unless it is known."""
    blob = evidence.get(group.evidence)
    proof = Evidence(blob, group.evidence) if blob else None
    last = dataset.speakers.order_by("-pk").values_list("pk", flat=True).first() or 0
    speaker = add_speaker(dataset=dataset, person=group.person, by=by)

    def brought(outcome: Outcome, scopes: int = 0) -> Brought:
        is_new = speaker.pk > last
        return Brought(speaker, is_new, outcome, scopes, group.terms, group.stretches)

    if voided_before(
        speaker=speaker,
        notice=group.notice,
        terms=group.terms,
        evidence=proof,
        stretches=group.stretches,
    ):
        return brought(Outcome.VOIDED)
    before = speaker.consent_records.count()
    made = record(
        speaker=speaker,
        notice=group.notice,
        terms=group.terms,
        evidence=proof,
        stretches=group.stretches,
        by=by,
    )
    if speaker.consent_records.count() == before:
        return brought(Outcome.KNOWN)
    return brought(Outcome.NEW, made.scopes.count())
