"""The table of consents: our template, and reading a filled-in one cell by cell."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date

from commonhold.errors import CommonholdError
from commonhold.sentences import _

from ingestion.consent.faults import Notice, Terms
from ingestion.consent.speakers import Person

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
Row = Mapping[str, str]


class TableUnreadable(CommonholdError):
    """A file that is no table of ours."""

    code = "consent-import-refused"
    status = 422


class CellFault(CommonholdError):
    """One thing wrong with one row; `field` names its column."""

    code = "consent-row-invalid"
    status = 422


def template() -> str:
    """Return the CSV to fill in: the header and one example row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow(EXAMPLE)
    return buffer.getvalue()


def read(table: bytes) -> list[tuple[int, dict[str, str]]]:
    """Parse the CSV (UTF-8, comma or semicolon); rows count from 2, as in a spreadsheet.

    Raises TableUnreadable for a table that isn't ours.
    """
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = _("The table is not UTF-8 text. Save it as «CSV UTF-8».")
        raise TableUnreadable(sentence, rows=[]) from error
    if "\0" in text:
        sentence = _("The table holds NUL characters, which no text has. Save it as «CSV UTF-8».")
        raise TableUnreadable(sentence, rows=[])
    try:
        return parse(text)
    except csv.Error as error:
        sentence = _("The table can't be read as CSV (%(fault)s). Save it as «CSV UTF-8».")
        raise TableUnreadable(sentence, rows=[], fault=str(error)) from error


def parse(text: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows that say anything, numbered as a spreadsheet does. Raises csv.Error."""
    header = text.partition("\n")[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    check_header(reader.fieldnames or ())
    rows = [
        (number, {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)})
        for number, row in enumerate(reader, start=2)
    ]
    rows = [(number, row) for number, row in rows if any(row.values())]
    if not rows or len(rows) > MAX_ROWS:
        sentence = _("The table has %(count)s rows; 1 to %(most)s can be imported.")
        raise TableUnreadable(sentence, rows=[], count=len(rows), most=MAX_ROWS)
    return rows


def check_header(columns: object) -> None:
    """Raise TableUnreadable for columns that lack, or that nobody knows."""
    names = [str(name) for name in columns] if isinstance(columns, list | tuple) else []
    if missing := [name for name in REQUIRED if name not in names]:
        sentence = _("The table lacks the columns %(columns)s. Start from the template.")
        raise TableUnreadable(sentence, rows=[], columns=", ".join(missing))
    if unknown := [name for name in names if name not in (*COLUMNS, "notice_text")]:
        sentence = _("The table has the unknown columns %(columns)s. Start from the template.")
        raise TableUnreadable(sentence, rows=[], columns=", ".join(unknown))


def check_cells(row: Row) -> None:
    """Raise CellFault for a row that leaves out what is needed, or says more than can be kept."""
    for name in REQUIRED:
        if not row.get(name):
            raise CellFault(_("This is needed."), field=name)
    for name, most in LONGEST.items():
        length = len(row.get(name, ""))
        if length > most:
            sentence = _("This has %(length)s characters; %(most)s can be kept.")
            raise CellFault(sentence, field=name, length=length, most=most)


def agreement(row: Row, notice_text: str) -> tuple[Person, Terms, Notice]:
    """Read who agreed to what, and on which notice. Raises CellFault."""
    person = Person(
        name=row["speaker_name"],
        contact=row.get("speaker_contact", ""),
        role=row.get("role") or "speaker",
        is_minor=yes_or_no(row.get("minor", "")),
    )
    terms = Terms(
        purposes=split(row["purposes"]),
        excluded_purposes=split(row.get("excluded_purposes", "")),
        given_on=day("given_on", row["given_on"]),
        expires_on=day("expires_on", row["expires_on"]) if row.get("expires_on") else None,
        jurisdiction=row["jurisdiction"],
    )
    notice = Notice(
        text=row.get("notice_text") or notice_text,
        language=row.get("notice_language") or "und",
        version=row.get("notice_version", ""),
    )
    return person, terms, notice


def times(row: Row) -> tuple[int | None, int | None]:
    """Read from when to when the speaker is heard, in ms; two Nones mean everywhere."""
    start, end = row.get("start", ""), row.get("end", "")
    if bool(start) != bool(end):
        sentence = _("Give both start and end, or neither for the whole file.")
        raise CellFault(sentence, field="end" if start else "start")
    if not start:
        return None, None
    return clock("start", start), clock("end", end)


def clock(name: str, text: str) -> int:
    """Read h:mm:ss.mmm or mm:ss as milliseconds."""
    found = CLOCK.fullmatch(text)
    if found is None or int(found[3]) > 59 or (found[1] and int(found[2]) > 59):
        sentence = _("«%(text)s» is not a time; write it like 0:04:30.500.")
        raise CellFault(sentence, field=name, text=text)
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), int(found[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[4] or "0").ljust(3, "0"))


def day(name: str, text: str) -> date:
    """Read an ISO 8601 date."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        sentence = _("«%(text)s» is not a date; write it like 2026-07-15.")
        raise CellFault(sentence, field=name, text=text) from error


def yes_or_no(text: str) -> bool:
    """Read yes or no; empty is no."""
    if text.lower() not in {"", "no", "false", "0", "yes", "true", "1"}:
        raise CellFault(_("«%(text)s» is neither yes nor no."), field="minor", text=text)
    return text.lower() in {"yes", "true", "1"}


def split(text: str) -> tuple[str, ...]:
    """Split a list that semicolons or spaces separate."""
    return tuple(part for part in re.split(r"[;|\s]+", text) if part)
