"""Bringing in the consents of many speakers at once, from a CSV made from our template.

The same table twice changes nothing: what is known already is counted, not written again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commonhold.errors import CommonholdError
from commonhold.paths import path_key
from commonhold.sentences import _, n_
from django.db import transaction

from accounts import audit
from accounts.models import User
from ingestion.consent import tables
from ingestion.consent.faults import Notice, Terms
from ingestion.consent.records import Evidence, record, voided_before
from ingestion.consent.scopes import Stretch, check_stretch
from ingestion.consent.speakers import Person, add_speaker
from ingestion.consent.tables import CellFault, Row
from ingestion.models import Blob, Dataset, Recording, Version

COLUMNS = tables.COLUMNS
template = tables.template


class ImportRefused(CommonholdError):
    """Rows that can't stand. Nothing was imported; `rows` names every one of them."""

    code = "consent-import-refused"
    status = 422

    faults: Sequence[tuple[int, CommonholdError]] = ()
    """Each row that can't stand, by its number in the spreadsheet, and why."""


@dataclass
class Group:
    """The rows of one consent: one speaker, one day."""

    person: Person
    terms: Terms
    notice: Notice
    evidence: str
    row: int
    stretches: list[Stretch] = field(default_factory=list)


@dataclass(frozen=True)
class Imported:
    """What an import made, and how many of its consents were known before."""

    speakers: int
    records: int
    scopes: int
    known: int = 0
    voided: int = 0
    """Known, and struck out as mistakes since: they stay struck out."""


def run(
    *,
    version: Version,
    table: bytes,
    notice_text: str,
    by: User,
    evidence: Mapping[str, Blob] | None = None,
) -> Imported:
    """Import a CSV: all of it or nothing. `evidence` maps file names in the CSV to stored bytes.

    Raises TableUnreadable, and ImportRefused with `rows`: [{"row", "field", "message"}]; rows
    count from 2, as in a spreadsheet.
    """
    rows = tables.read(table)
    kept = evidence or {}
    groups: dict[tuple[object, ...], Group] = {}
    named = {
        place.key: place.recording for place in version.files.select_related("recording__dataset")
    }
    faults: list[tuple[int, CommonholdError]] = []
    for number, row in rows:
        try:
            add_row(groups=groups, row=row, number=number, named=named, notice_text=notice_text)
            require_evidence(name=row.get("evidence", ""), evidence=kept)
        except CommonholdError as error:
            faults.append((number, error))
    with transaction.atomic():
        done, wrong = write(
            groups=list(groups.values()), dataset=version.dataset, evidence=kept, by=by
        )
        faults += wrong
        if faults:
            transaction.set_rollback(True)
    if faults:
        raise refusal(sorted(faults, key=lambda fault: fault[0]), rows=len(rows))
    return done


def refusal(faults: Sequence[tuple[int, CommonholdError]], *, rows: int) -> ImportRefused:
    """Make the refusal of a table, naming its first fault and listing all of them."""
    number, first = faults[0]
    wrong = len(dict(faults))
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
            {"row": row, "field": column_of(fault), "message": fault.message}
            for row, fault in faults
        ],
        wrong=wrong,
        total=rows,
        first=number,
        column=column_of(first),
        fault=first.said,
    )
    refused.faults = tuple(faults)
    return refused


def column_of(fault: CommonholdError) -> str:
    """Return the column that a fault is about."""
    return str(fault.details.get("field", "purposes"))


def require_evidence(*, name: str, evidence: Mapping[str, Blob]) -> None:
    """Raise CellFault for a row that names evidence which was not sent."""
    if name and name not in evidence:
        sentence = _("The evidence «%(file)s» was not sent along.")
        raise CellFault(sentence, field="evidence", file=name)


def add_row(
    *,
    groups: dict[tuple[object, ...], Group],
    row: Row,
    number: int,
    named: Mapping[str, Recording],
    notice_text: str,
) -> None:
    """Put a row into its speaker's consent. Raises CellFault, ConsentInvalid."""
    tables.check_cells(row)
    person, terms, notice = tables.agreement(row, notice_text)
    key = (person.name, person.contact, terms.given_on)
    group = groups.setdefault(key, Group(person, terms, notice, row.get("evidence", ""), number))
    if (group.terms, group.notice, group.evidence) != (terms, notice, row.get("evidence", "")):
        sentence = _(
            "Row %(row)s says something else of the same consent: one speaker, one day, one set "
            "of terms."
        )
        raise CellFault(sentence, field="purposes", row=group.row)
    stretch = Stretch(find(row["file"], named), *tables.times(row))
    check_stretch(stretch=stretch, dataset=stretch.recording.dataset)
    group.stretches.append(stretch)


def find(name: str, named: Mapping[str, Recording]) -> Recording:
    """Return the version's recording of this name, or raise CellFault."""
    recording = named.get(path_key(name))
    if recording is None:
        sentence = _("«%(path)s» is not in this version. Upload it first, or correct the name.")
        raise CellFault(sentence, field="file", path=name)
    return recording


def write(
    *, groups: Sequence[Group], dataset: Dataset, evidence: Mapping[str, Blob], by: User
) -> tuple[Imported, list[tuple[int, CommonholdError]]]:
    """Record every consent; return what was made, and what can't stand."""
    faults: list[tuple[int, CommonholdError]] = []
    speakers, records, scopes, known, voided = set(), 0, 0, 0, 0
    for group in groups:
        blob = evidence.get(group.evidence)
        proof = Evidence(blob, group.evidence) if blob else None
        try:
            speaker = add_speaker(dataset=dataset, person=group.person, by=by)
            written: dict[str, Any] = {
                "speaker": speaker, "notice": group.notice, "terms": group.terms, "evidence": proof
            }  # fmt: skip
            if voided_before(**written, stretches=group.stretches):
                voided += 1
                continue
            before = speaker.consent_records.count()
            made = record(**written, stretches=group.stretches, by=by)
        except CommonholdError as error:
            faults.append((group.row, error))
            continue
        if speaker.consent_records.count() == before:
            known += 1
            continue
        speakers.add(speaker.pk)
        records, scopes = records + 1, scopes + made.scopes.count()
    done = Imported(len(speakers), records, scopes, known, voided)
    if not faults:
        audit.note(by=by, verb="consent.imported", about=(dataset,), **vars(done))
    return done, faults
