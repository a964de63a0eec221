"""Bringing in the consents of many speakers at once, from a CSV made from our template."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from commonhold.errors import CommonholdError
from commonhold.paths import path_key
from django.db import transaction

from accounts.models import User
from ingestion import consent
from ingestion.consent import Evidence, Notice, Person, Stretch, Terms
from ingestion.models import Blob, Dataset, File, Version

COLUMNS = (
    "speaker_name",
    "speaker_contact",
    "role",
    "jurisdiction",
    "notice_language",
    "notice_version",
    "given_on",
    "expires_on",
    "purposes",
    "excluded_purposes",
    "file",
    "start",
    "end",
    "evidence",
    "minor",
)
REQUIRED = ("speaker_name", "jurisdiction", "given_on", "purposes", "file")
EXAMPLE = (
    "Amina Example", "amina@example.org", "presenter", "KE", "sw", "2026-1", "2026-07-15", "",
    "speech-recognition;evaluation;research;commercial", "voice-cloning",
    "audio/morning-show.wav", "0:00:00", "0:04:30.500", "amina-signed.pdf", "no",
)  # fmt: skip
CLOCK = re.compile(r"(?:(\d{1,5}):)?(\d{1,2}):(\d{2})(?:\.(\d{1,3}))?")
MAX_ROWS = 20_000
# Characters that the columns of ConsentRecord and Speaker hold.
LONGEST = {
    "speaker_name": 160,
    "speaker_contact": 254,
    "role": 40,
    "jurisdiction": 20,
    "notice_language": 35,
    "notice_version": 40,
    "evidence": 255,
}


class ImportRefused(CommonholdError):
    """Rows that can't stand. Nothing was imported; `rows` names every one of them."""

    code = "consent-import-refused"
    status = 422


class RowFault(Exception):
    """One thing wrong with one row."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


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
    """What an import made."""

    speakers: int
    records: int
    scopes: int


def template() -> str:
    """Return the CSV to fill in: the header and one example row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow(EXAMPLE)
    return buffer.getvalue()


def run(
    *,
    version: Version,
    table: bytes,
    notice_text: str,
    by: User,
    evidence: Mapping[str, Blob] | None = None,
) -> Imported:
    """Import a CSV: all of it or nothing. `evidence` maps file names in the CSV to stored bytes.

    Raises ImportRefused with `rows`: [{"row", "field", "message"}]; rows count from 2, as in a
    spreadsheet.
    """
    rows = read_rows(table)
    evidence = evidence or {}
    faults: list[dict[str, object]] = []
    groups: dict[tuple[object, ...], Group] = {}
    files = {path_key(file.path): file for file in version.files.filter(role=File.Role.SOURCE)}
    for number, row in rows:
        try:
            add_row(groups=groups, row=row, number=number, files=files, notice_text=notice_text)
            require_evidence(name=row.get("evidence", ""), evidence=evidence)
        except RowFault as error:
            faults.append({"row": number, "field": error.name, "message": error.message})
    with transaction.atomic():
        faults += write(
            groups=list(groups.values()), dataset=version.dataset, evidence=evidence, by=by
        )
        if faults:
            faults.sort(key=lambda fault: str(fault["row"]).zfill(9))
            transaction.set_rollback(True)
    if faults:
        first = faults[0]
        message = (
            f"Nothing was imported: {len(faults)} of {len(rows)} rows can't stand. "
            f"The first is row {first['row']}, {first['field']}: {first['message']}"
        )
        raise ImportRefused(message, rows=faults)
    return Imported(
        speakers=len({(group.person.name, group.person.contact) for group in groups.values()}),
        records=len(groups),
        scopes=sum(len(set(group.stretches)) for group in groups.values()),
    )


def read_rows(table: bytes) -> list[tuple[int, dict[str, str]]]:
    """Parse the CSV (UTF-8, comma or semicolon); refuse a table that isn't ours."""
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = "The table is not UTF-8 text. Save it as «CSV UTF-8»."
        raise ImportRefused(message, rows=[]) from error
    if "\0" in text:
        message = "The table holds NUL characters, which no text has. Save it as «CSV UTF-8»."
        raise ImportRefused(message, rows=[])
    try:
        return parse_rows(text)
    except csv.Error as error:
        message = f"The table can't be read as CSV ({error}). Save it as «CSV UTF-8»."
        raise ImportRefused(message, rows=[]) from error


def parse_rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows that say anything, numbered as a spreadsheet does. Raises csv.Error."""
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    missing = [name for name in REQUIRED if name not in (reader.fieldnames or ())]
    unknown = [name for name in reader.fieldnames or () if name not in (*COLUMNS, "notice_text")]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [
            f"has the unknown columns {', '.join(unknown)}"
        ] * bool(unknown)
        message = f"The table {' and '.join(parts)}. Start from the template."
        raise ImportRefused(message, rows=[])
    rows = [
        (number, {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)})
        for number, row in enumerate(reader, start=2)
    ]
    rows = [(number, row) for number, row in rows if any(row.values())]
    if not rows or len(rows) > MAX_ROWS:
        message = f"The table has {len(rows):,} rows; 1 to {MAX_ROWS:,} can be imported."
        raise ImportRefused(message, rows=[])
    return rows


def check_cells(row: Mapping[str, str]) -> None:
    """Refuse a row that leaves out what is needed, or says more than can be kept."""
    for name in REQUIRED:
        if not row.get(name):
            message = "This is needed."
            raise RowFault(name, message)
    for name, most in LONGEST.items():
        length = len(row.get(name, ""))
        if length > most:
            message = f"This has {length:,} characters; {most} can be kept."
            raise RowFault(name, message)


def require_evidence(*, name: str, evidence: Mapping[str, Blob]) -> None:
    """Refuse a row that names evidence which was not sent."""
    if name and name not in evidence:
        message = f"The evidence «{name}» was not sent along."
        raise RowFault("evidence", message)


def add_row(
    *,
    groups: dict[tuple[object, ...], Group],
    row: Mapping[str, str],
    number: int,
    files: Mapping[str, File],
    notice_text: str,
) -> None:
    """Put a row into its speaker's consent."""
    check_cells(row)
    person, terms, notice = parse_agreement(row, notice_text)
    key = (person.name, person.contact, terms.given_on)
    group = groups.setdefault(key, Group(person, terms, notice, row.get("evidence", ""), number))
    if (group.terms, group.notice, group.evidence) != (terms, notice, row.get("evidence", "")):
        message = (
            f"Row {group.row} says something else of the same consent: one speaker, one "
            "day, one set of terms."
        )
        raise RowFault("purposes", message)
    stretch = parse_stretch(row, files)
    try:
        consent.check_stretch(stretch=stretch, dataset=stretch.file.version.dataset)
    except consent.ConsentInvalid as error:
        raise RowFault(str(error.details["field"]), error.message) from error
    group.stretches.append(stretch)


def parse_agreement(row: Mapping[str, str], notice_text: str) -> tuple[Person, Terms, Notice]:
    """Read who agreed to what, and on which notice. Raises RowFault."""
    person = Person(
        name=row["speaker_name"],
        contact=row.get("speaker_contact", ""),
        role=row.get("role") or "speaker",
        is_minor=parse_yes(row.get("minor", "")),
    )
    terms = Terms(
        purposes=split(row["purposes"]),
        excluded_purposes=split(row.get("excluded_purposes", "")),
        given_on=parse_date("given_on", row["given_on"]),
        expires_on=parse_date("expires_on", row["expires_on"]) if row.get("expires_on") else None,
        jurisdiction=row["jurisdiction"],
    )
    notice = Notice(
        text=row.get("notice_text") or notice_text,
        language=row.get("notice_language") or "und",
        version=row.get("notice_version", ""),
    )
    return person, terms, notice


def write(
    *, groups: list[Group], dataset: Dataset, evidence: Mapping[str, Blob], by: User
) -> list[dict[str, object]]:
    """Record every consent; return what can't stand."""
    faults: list[dict[str, object]] = []
    for group in groups:
        try:
            blob = evidence.get(group.evidence)
            consent.record(
                speaker=consent.add_speaker(dataset=dataset, person=group.person),
                notice=group.notice,
                terms=group.terms,
                stretches=group.stretches,
                by=by,
                evidence=Evidence(blob, group.evidence) if blob else None,
            )
        except CommonholdError as error:
            name = error.details.get("field", "purposes")
            faults.append({"row": group.row, "field": name, "message": error.message})
    return faults


def parse_stretch(row: Mapping[str, str], files: Mapping[str, File]) -> Stretch:
    """Find the file and the times of a row."""
    file = files.get(path_key(row["file"]))
    if file is None:
        message = f"«{row['file']}» is not in this version. Upload it first, or correct the name."
        raise RowFault("file", message)
    start, end = row.get("start", ""), row.get("end", "")
    if bool(start) != bool(end):
        message = "Give both start and end, or neither for the whole file."
        raise RowFault("end" if start else "start", message)
    if not start:
        return Stretch(file)
    return Stretch(file, parse_clock("start", start), parse_clock("end", end))


def parse_clock(name: str, text: str) -> int:
    """Read h:mm:ss.mmm or mm:ss as milliseconds."""
    found = CLOCK.fullmatch(text)
    if found is None or int(found[3]) > 59 or (found[1] and int(found[2]) > 59):
        message = f"«{text}» is not a time; write it like 0:04:30.500."
        raise RowFault(name, message)
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), int(found[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[4] or "0").ljust(3, "0"))


def parse_date(name: str, text: str) -> date:
    """Read an ISO 8601 date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"«{text}» is not a date; write it like 2026-07-15."
        raise RowFault(name, message) from error


def parse_yes(text: str) -> bool:
    """Read yes or no; empty is no."""
    if text.lower() not in {"", "no", "false", "0", "yes", "true", "1"}:
        message = f"«{text}» is neither yes nor no."
        raise RowFault("minor", message)
    return text.lower() in {"yes", "true", "1"}


def split(text: str) -> tuple[str, ...]:
    """Split a list that semicolons or spaces separate."""
    return tuple(part for part in re.split(r"[;|\s]+", text) if part)
