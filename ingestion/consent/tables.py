"""The table of consents: our template, and a filled-in one as rows of cells."""

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import _

COLUMNS = (
    "speaker_name",
    "speaker_contact",
    "role",
    "jurisdiction",
    "notice_language",
    "notice_version",
    "notice_text",
    "given_on",
    "expires_on",
    "purposes",
    "excluded_purposes",
    "file",
    "length",
    "start",
    "end",
    "evidence",
    "minor",
)
REQUIRED = ("speaker_name", "jurisdiction", "given_on", "purposes", "file")
PREFILLED = frozenset({"speaker_name", "file", "length", "start", "end"})
"""What a row can say before anybody filled it in."""
EXAMPLE = {
    "speaker_name": "Amina Example",
    "speaker_contact": "amina@example.org",
    "role": "presenter",
    "jurisdiction": "KE",
    "notice_language": "sw",
    "notice_version": "2026-1",
    "given_on": "2026-07-15",
    "purposes": "speech-recognition;evaluation;research;commercial",
    "excluded_purposes": "voice-cloning",
    "file": "audio/morning-show.wav",
    "start": "0:00:00",
    "end": "0:04:30.500",
    "evidence": "amina-signed.pdf",
    "minor": "no",
}
MAX_ROWS = 20_000
MAX_SIZE = 10_000_000
"""Bytes of a table."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How cells begin that a spreadsheet computes."""
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Row = Mapping[str, str]


class TableUnreadable(CommonholdError):
    """A file that is no table of ours."""

    code = "consent-import-refused"
    status = 422


@dataclass(frozen=True)
class Table:
    """The rows of a table by their numbers, which count from 2 as in a spreadsheet."""

    rows: Sequence[tuple[int, Row]]
    too_long: Sequence[int]
    """Rows that have more cells than there are columns."""
    nobody: Sequence[int]
    """Rows of our template that nobody filled in: passed over."""


def template(rows: Iterable[Row] = (EXAMPLE,)) -> str:
    """Return the CSV to fill in: the header, and one example row or what is known already.

    What a spreadsheet would compute gets an apostrophe in front, which `read` takes away.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: as_text(cell) for name, cell in row.items()})
    return buffer.getvalue()


def as_text(cell: str) -> str:
    """Return a cell so that no spreadsheet computes it."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def as_typed(cell: str) -> str:
    """Return what a cell says, without white space around it and what `as_text` put before it."""
    bare = cell.strip()
    return bare[1:] if bare.startswith("'") and bare[1:].startswith(FORMULAS) else bare


def read(table: bytes) -> Table:
    """Parse the CSV: UTF-8, or UTF-16 as Excel's «Unicode text»; comma, semicolon or tab.

    Raises TableUnreadable for a table that isn't ours.
    """
    text = decoded(table)
    if "\0" in text:
        sentence = _("The table holds NUL characters, which no text has. Save it as «CSV UTF-8».")
        raise TableUnreadable(sentence, rows=[])
    try:
        return parse(text)
    except csv.Error as error:
        sentence = _("The table can't be read as CSV (%(fault)s). Save it as «CSV UTF-8».")
        raise TableUnreadable(sentence, rows=[], fault=str(error)) from error


def decoded(table: bytes) -> str:
    """Return the text of a table. Raises TableUnreadable for bytes that could be any letters."""
    encoding = "utf-16" if table.startswith(UTF_16) and len(table) % 2 == 0 else "utf-8-sig"
    try:
        return table.decode(encoding)
    except UnicodeDecodeError as error:
        before = table[: error.start]
        line = before[before.rfind(b"\n") + 1 :][-40:]
        sentence = _(
            "The table is not UTF-8 text, so nobody can tell which letter follows «%(before)s» in "
            "line %(line)s. In Excel, choose «Save as» and «CSV UTF-8», not «CSV»."
        )
        raise TableUnreadable(
            sentence,
            rows=[],
            line=before.count(b"\n") + 1,
            before=line.decode("utf-8", errors="ignore"),
        ) from error


def parse(text: str) -> Table:
    """Return the rows that say anything. Raises csv.Error, TableUnreadable."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(reader, [])]
    check_header(header)
    rows: list[tuple[int, Row]] = []
    nobody: list[int] = []
    too_long: list[int] = []
    for number, cells in enumerate(reader, start=2):
        row = {name: as_typed(cell) for name, cell in zip(header, cells, strict=False)}
        said = {name for name, cell in row.items() if cell}
        if any(cell.strip() for cell in cells[len(header) :]):
            too_long.append(number)
            said = set(header)
        if said <= PREFILLED:
            nobody += [number] if said else []
            continue
        rows.append((number, row))
        check_count(len(rows))
    if not rows and nobody:
        sentence = _("No row of the table is filled in: none says who agreed to what.")
        raise TableUnreadable(sentence, rows=[])
    check_count(len(rows), least=1)
    return Table(rows, too_long, nobody)


def require_size(size: int) -> None:
    """Raise TableUnreadable for a table of more bytes than can be imported."""
    if size > MAX_SIZE:
        sentence = _("The table has %(size)s bytes; up to %(most)s can be read. Send it in parts.")
        raise TableUnreadable(sentence, rows=[], size=size, most=MAX_SIZE)


def check_count(count: int, *, least: int = 0) -> None:
    """Raise TableUnreadable for more rows, or fewer, than can be imported."""
    if not least <= count <= MAX_ROWS:
        sentence = _("The table has %(count)s rows; 1 to %(most)s can be imported.")
        raise TableUnreadable(sentence, rows=[], count=count, most=MAX_ROWS)


def check_header(names: Sequence[str]) -> None:
    """Raise TableUnreadable for columns that lack, that stand twice, or that nobody knows."""
    if missing := [name for name in REQUIRED if name not in names]:
        sentence = _("The table lacks columns: %(columns)s. Start from the template.")
        raise TableUnreadable(sentence, rows=[], columns=", ".join(missing))
    if unknown := [name for name in names if name not in COLUMNS]:
        sentence = _("The table has the unknown columns %(columns)s. Start from the template.")
        raise TableUnreadable(sentence, rows=[], columns=", ".join(unknown))
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        sentence = _("The table has the columns %(columns)s more than once.")
        raise TableUnreadable(sentence, rows=[], columns=", ".join(twice))
