"""Transcripts and text documents as rows: plain text, JSON Lines, CSV, subtitles.

Columns: `text` (needed), `start`/`end` (seconds, or `h:mm:ss.mmm`), `start_ms`/`end_ms`,
`speaker`. Other columns are read by nobody and reach nobody.
"""

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from commonhold.sentences import Sentence, _, filled

from ingestion.archive.formats import subtitles, textfiles
from ingestion.archive.formats.refusal import RefusedError

MAX_DEPTH = 16
MAX_ROWS = 1_000_000
TEXT_COLUMNS = ("text", "transcript", "transcription", "sentence", "utterance")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "speaker_name")
TIME_COLUMNS = {
    "start": (("start_ms", 1), ("start", 1000), ("start_s", 1000), ("begin", 1000)),
    "end": (("end_ms", 1), ("end", 1000), ("end_s", 1000), ("stop", 1000)),
}
BARE_COLUMNS = frozenset({"start", "end", "begin", "stop"})
CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,6})?)")
LABEL = re.compile(r"\s*([^\W\d_][\w .'\u2019()/-]{0,39}?)\s*:\s+(?=\S)")
MAX_LABEL_WORDS = 4
WITHOUT_COLUMNS = frozenset({"srt", "txt", "vtt"})
"""Forms that name a speaker within the text, as `Name: words`."""
# An unclosed string runs to the end of the line, so that no character is looked at twice.
BRACKETS = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|$)|[\[{\]}]')
SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line number, text (white space collapsed), times in ms, speaker's label.

    `bare` says that the times stood in a column without a unit, as whole numbers.
    """

    number: int
    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str | None = None
    bare: bool = False


def read(path: Path, *, name: str, form: str) -> list[Row]:
    """Return the rows with text of a "txt", "jsonl", "csv", "srt" or "vtt" file.

    Raises RefusedError.
    """
    with path.open("rb") as stream:
        found = [row for row in _rows(stream, name, form, path.stat().st_size) if row.text]
    if not found:
        raise _no_text(name)
    return found


def _no_text(name: str) -> RefusedError:
    sentence = _("«%(path)s» holds no text. Check the file on your disk and upload it again.")
    return RefusedError(sentence, reason="empty", path=name)


def check(stream: BinaryIO, *, name: str, form: str, size: int) -> None:
    """Read all rows and keep none. Raises RefusedError at the first row that can't be taken."""
    texts = sum(1 for row in _rows(stream, name, form, size) if row.text)
    if texts == 0:
        raise _no_text(name)


def _rows(stream: BinaryIO, name: str, form: str, size: int) -> Iterator[Row]:
    readers: dict[str, Callable[[Iterator[str], str], Iterator[Row]]] = {
        "txt": _plain,
        "jsonl": _json_lines,
        "csv": _csv,
        "srt": partial(_subtitles, is_vtt=False),
        "vtt": partial(_subtitles, is_vtt=True),
    }
    lines = textfiles.lines(stream, name=name, size=size)
    for count, row in enumerate(readers[form](lines, name)):
        if count >= MAX_ROWS:
            sentence = _("«%(path)s» has more than a million rows. Split it into several files.")
            raise RefusedError(sentence, reason="text-too-large", path=name)
        yield row


def _plain(lines: Iterator[str], _name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        yield Row(number, SPACES.sub(" ", line).strip())


def _subtitles(lines: Iterator[str], name: str, *, is_vtt: bool) -> Iterator[Row]:
    try:
        for cue in subtitles.cues(lines, is_vtt=is_vtt):
            if textfiles.CONTROL_CHARS.search(cue.text):
                raise bad_row(name, cue.number, _("its text holds control characters."))
            yield Row(cue.number, cue.text, cue.start_ms, cue.end_ms, cue.speaker)
    except subtitles.CueFault as fault:
        raise bad_row(name, fault.number, fault.why) from fault


def bad_row(name: str, number: int, why: Sentence) -> RefusedError:
    """Return the refusal of one row."""
    sentence = _("«%(path)s» line %(row)s: %(why)s")
    return RefusedError(sentence, reason="bad-row", path=name, row=number, why=why)


def _depth(line: str) -> int:
    """Return how deeply a line's brackets nest, without parsing it (RFC 8259 §9 lets us limit)."""
    depth = deepest = 0
    for match in BRACKETS.finditer(line):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest


def _json_lines(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if _depth(line) > MAX_DEPTH:
            sentence = _("«%(path)s» line %(row)s nests more than %(most)s levels deep.")
            raise RefusedError(
                sentence, reason="nested-too-deep", path=name, row=number, most=MAX_DEPTH
            )
        try:
            document = json.loads(line)
        except ValueError as error:
            fault = filled(_("not JSON (%(fault)s)."), fault=str(error))
            raise bad_row(name, number, fault) from error
        if not isinstance(document, dict):
            why = _("each line must be a JSON object with a text field.")
            raise bad_row(name, number, why)
        yield _row(document, name, number)


def _csv(lines: Iterator[str], name: str) -> Iterator[Row]:
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    header = [
        column.strip().lower() for column in next(csv.reader([first], delimiter=delimiter), [])
    ]
    if not set(TEXT_COLUMNS) & set(header):
        why = _("the first line must name the columns, and one of them must be text.")
        raise bad_row(name, 1, why)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                if len(cells) > len(header):
                    why = _("more cells than the first line has columns; quote texts with commas.")
                    raise bad_row(name, reader.line_num + 1, why)
                yield _row(dict(zip(header, cells, strict=False)), name, reader.line_num + 1)
    except csv.Error as error:
        fault = filled(_("not CSV (%(fault)s)."), fault=str(error))
        raise bad_row(name, reader.line_num + 1, fault) from error


def _row(cells: dict[str, Any], name: str, number: int) -> Row:
    column = next((key for key in TEXT_COLUMNS if key in cells), None)
    if column is None or not isinstance(cells[column], str):
        raise bad_row(name, number, _("it lacks a text field."))
    if textfiles.CONTROL_CHARS.search(cells[column]) or _has_surrogate(cells[column]):
        raise bad_row(name, number, _("its text holds control characters."))
    start, start_bare = _time(cells, "start", name, number)
    end, end_bare = _time(cells, "end", name, number)
    if (start is None) != (end is None):
        why = _("it has a start or an end; give both or neither.")
        raise bad_row(name, number, why)
    if start is not None and end is not None and end <= start:
        raise bad_row(name, number, _("its end is not after its start."))
    speaker = next((str(cells[key]).strip() for key in SPEAKER_COLUMNS if cells.get(key)), None)
    text = SPACES.sub(" ", cells[column]).strip()
    return Row(number, text, start, end, speaker or None, start_bare and end_bare)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def _time(cells: dict[str, Any], edge: str, name: str, number: int) -> tuple[int | None, bool]:
    """Return a row's start or end in ms, and whether it was a whole number without a unit."""
    for column, scale in TIME_COLUMNS[edge]:
        value = cells.get(column)
        if value is None or value == "":
            continue
        text = str(value).strip()
        clock = CLOCK.fullmatch(text)
        try:
            if clock:
                hours, minutes = int(clock[1] or 0), int(clock[2])
                seconds = Decimal(clock[3].replace(",", "."))
                return int((hours * 3600 + minutes * 60 + seconds) * 1000), False
            amount = Decimal(text)
        except InvalidOperation as error:
            raise _bad_time(name, number, column, text) from error
        if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount < 10**9:
            raise _bad_time(name, number, column, text)
        return int(amount * scale), column in BARE_COLUMNS and text.isdigit()
    return None, False


def _bad_time(name: str, number: int, column: str, text: str) -> RefusedError:
    why = filled(
        _("%(column)s must be seconds or h:mm:ss.mmm, not «%(text)s»."),
        column=column,
        text=text[:40],
    )
    return bad_row(name, number, why)


def placed(rows: list[Row], *, duration_ms: int, name: str) -> list[Row]:
    """Return the rows with times that fit the recording.

    Whole numbers without a unit are seconds, or milliseconds when as seconds they would pass the
    recording's end and as milliseconds no row would be a blink. Ends up to a second late are
    clamped. Raises RefusedError for later ones.
    """
    slack = 1000
    timed = [row.end_ms for row in rows if row.end_ms is not None]
    bare = bool(timed) and all(_may_be_milliseconds(row) for row in rows)
    if bare and max(timed) > duration_ms + slack and max(timed) // 1000 <= duration_ms + slack:
        rows = [_in_milliseconds(row) for row in rows]
    result = []
    for row in rows:
        if row.end_ms is not None and row.start_ms is not None:
            if row.end_ms > duration_ms + slack or row.start_ms >= duration_ms:
                why = filled(
                    _("it ends at %(end)s ms, but the recording is %(length)s ms long."),
                    end=row.end_ms,
                    length=duration_ms,
                )
                raise bad_row(name, row.number, why)
            result.append(replace(row, end_ms=min(row.end_ms, duration_ms)))
        else:
            result.append(row)
    return result


def _may_be_milliseconds(row: Row) -> bool:
    """Tell whole numbers without a unit at least 100 apart; they were read as seconds."""
    if row.start_ms is None or row.end_ms is None:
        return True
    return row.bare and row.end_ms - row.start_ms >= 100 * 1000


def _in_milliseconds(row: Row) -> Row:
    if row.start_ms is None or row.end_ms is None:
        return row
    return replace(row, start_ms=row.start_ms // 1000, end_ms=row.end_ms // 1000)


def with_speakers(rows: list[Row]) -> list[Row]:
    """Split `Speaker: text` where most lines are written so; other lines go on with the last one.

    A lone "Note: …" in a text without labels stays text.
    """
    labels = [_label(row.text) for row in rows]
    if any(row.speaker for row in rows) or 2 * sum(bool(label) for label in labels) < len(rows):
        return rows
    result, current = [], None
    for row, label in zip(rows, labels, strict=True):
        current = label[0] if label else current
        result.append(replace(row, text=label[1] if label else row.text, speaker=current))
    return result


def _label(text: str) -> tuple[str, str] | None:
    match = LABEL.match(text)
    if match is None or len(match[1].split()) > MAX_LABEL_WORDS:
        return None
    return match[1], text[match.end() :]


def paragraphs(rows: list[Row]) -> list[Row]:
    """Join the lines of a hard-wrapped text: where blank lines part it, they part paragraphs."""
    blank = any(later.number - row.number > 1 for row, later in itertools.pairwise(rows))
    if not blank:
        return rows
    result: list[Row] = []
    for row in rows:
        last = result[-1] if result else None
        if last and row.number - last.number == 1:
            result[-1] = replace(last, text=f"{last.text} {row.text}", number=row.number)
        else:
            result.append(row)
    return result


def parts(text: str, *, longest: int) -> list[str]:
    """Cut a text into parts of at most `longest` characters, after sentences or between words."""
    found = []
    while len(text) > longest:
        cut = max(text.rfind(mark, 0, longest) for mark in (". ", "! ", "? ", "\u3002"))
        if cut < longest // 2:
            cut = max(text.rfind(" ", 0, longest), longest // 2)
        found.append(text[: cut + 1].strip())
        text = text[cut + 1 :].strip()
    return [*found, text] if text else found
