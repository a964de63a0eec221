"""One row of the table of consents: what it says, and everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from commonhold import purposes, times
from commonhold.errors import CommonholdError
from commonhold.paths import path_key
from commonhold.sentences import _
from django.utils import timezone

from accounts import names
from ingestion.archive import languages
from ingestion.consent import faults
from ingestion.consent.faults import ConsentInvalid, Notice, Terms
from ingestion.consent.scopes import Stretch, check_stretch
from ingestion.consent.speakers import Person
from ingestion.consent.tables import REQUIRED, Row
from ingestion.models import Recording

CLOCK = re.compile(r"(?:(\d{1,5}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?")
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
WHO = ("speaker_name", "speaker_contact", "given_on")
"""What makes rows one consent: the same person, the same day."""
AGREED = (
    "jurisdiction", "notice_language", "notice_version", "notice_text", "expires_on", "purposes",
    "excluded_purposes", "evidence",
)  # fmt: skip
"""What all rows of one consent say alike."""
LISTS = ("purposes", "excluded_purposes")
Value = TypeVar("Value")


class CellFault(CommonholdError):
    """One thing wrong with one cell; `field` names its column."""

    code = "consent-row-invalid"
    status = 422


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: rows count from 2, as in a spreadsheet."""

    row: int
    field: str
    error: CommonholdError


@dataclass(frozen=True)
class Known:
    """What rows can name: the version's recordings by their keys, the evidence that was sent."""

    recordings: Mapping[str, Recording]
    evidence: AbstractSet[str]
    notice_text: str


@dataclass
class Said:
    """What a row says, as far as it can be read; what can't be read is among the faults."""

    row: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, column: str, error: CommonholdError) -> None:
        """Note that a cell can't stand."""
        self.faults.append(Fault(self.row, column, error))

    def take(self, column: str, read: Callable[[], Value]) -> Value | None:
        """Read a cell, or note why it can't be read."""
        try:
            value = read()
        except CommonholdError as error:
            self.refuse(column, error)
            return None
        self.values[column] = value
        return value

    def is_refused(self, column: str) -> bool:
        """Whether something is wrong with a cell."""
        return any(one.field == column for one in self.faults)

    @property
    def who(self) -> tuple[Any, ...] | None:
        """Whose consent of which day the row is a part of; None where that can't be read."""
        found = tuple(self.values.get(name) for name in WHO)
        return None if None in found else found

    @property
    def person(self) -> Person:
        """Who agreed."""
        one = self.values
        return Person(one["speaker_name"], one["speaker_contact"], one["role"], one["minor"])

    @property
    def terms(self) -> Terms:
        """To what they agreed."""
        one = self.values
        return Terms(
            purposes=one["purposes"],
            excluded_purposes=one["excluded_purposes"],
            given_on=one["given_on"],
            expires_on=one["expires_on"],
            jurisdiction=one["jurisdiction"],
        )

    @property
    def notice(self) -> Notice:
        """What they were told before."""
        one = self.values
        return Notice(one["notice_text"], one["notice_language"], one["notice_version"])


def read(*, number: int, row: Row, known: Known) -> Said:
    """Read every cell of a row."""
    said = Said(number)
    for column in REQUIRED:
        if not row.get(column):
            said.refuse(column, CellFault(_("This is needed."), field=column))
    for column, most in LONGEST.items():
        length = len(row.get(column, ""))
        if length > most:
            sentence = _("This has %(length)s characters; %(most)s can be kept.")
            said.refuse(column, CellFault(sentence, field=column, length=length, most=most))
    read_person(said, row)
    read_terms(said, row, notice_text=known.notice_text)
    read_place(said, row, recordings=known.recordings)
    said.values["evidence"] = name = row.get("evidence", "")
    if name and name not in known.evidence:
        sentence = _("The evidence «%(file)s» was not sent along.")
        said.refuse("evidence", CellFault(sentence, field="evidence", file=name))
    return said


def read_person(said: Said, row: Row) -> None:
    """Read who agreed."""
    said.values["speaker_contact"] = row.get("speaker_contact", "")
    said.values["role"] = row.get("role") or "speaker"
    if not said.is_refused("speaker_name"):
        said.take("speaker_name", lambda: name_of(row["speaker_name"]))
    said.take("minor", lambda: yes_or_no(row.get("minor", "")))


def read_terms(said: Said, row: Row, *, notice_text: str) -> None:
    """Read to what they agreed, until when, under which law, on which notice."""
    said.values["notice_version"] = row.get("notice_version", "")
    said.values["notice_text"] = row.get("notice_text") or notice_text
    said.values["expires_on"] = None
    if row.get("given_on"):
        said.take("given_on", lambda: day("given_on", row["given_on"]))
    if row.get("expires_on"):
        said.take("expires_on", lambda: day("expires_on", row["expires_on"]))
    if row.get("jurisdiction") and not said.is_refused("jurisdiction"):
        said.take("jurisdiction", lambda: languages.country_of(row["jurisdiction"]))
    if not said.is_refused("notice_language"):
        said.take("notice_language", lambda: language(row.get("notice_language", "")))
    for column in LISTS:
        said.values[column] = slugs = split(row.get(column, ""))
        for slug in slugs:
            try:
                purposes.get(slug)
            except purposes.UnknownPurposeError as error:
                said.refuse(column, error)
    for fault in wrong_terms(said):
        column = str(fault.details["field"])
        # Of a cell that is empty, or can't be read, that is told already.
        if not said.is_refused(column) or (column in LISTS and row.get(column)):
            said.refuse(column, fault)


def wrong_terms(said: Said) -> list[ConsentInvalid]:
    """Return what is wrong with the terms of a row taken together."""
    terms = Terms(
        purposes=said.values["purposes"],
        excluded_purposes=said.values["excluded_purposes"],
        # What can't be read is told already, and stands in the way of nothing else.
        given_on=said.values.get("given_on", date.min),
        expires_on=said.values.get("expires_on"),
        jurisdiction=said.values.get("jurisdiction", ""),
    )
    notice = Notice(said.values["notice_text"], said.values.get("notice_language", "und"))
    return list(faults.faults(terms=terms, notice=notice, today=times.day_of(timezone.now())))


def read_place(said: Said, row: Row, *, recordings: Mapping[str, Recording]) -> None:
    """Read where the speaker is heard."""
    start = said.take("start", lambda: clock("start", row["start"])) if row.get("start") else None
    end = said.take("end", lambda: clock("end", row["end"])) if row.get("end") else None
    name = row.get("file", "")
    if not name:
        return
    recording = recordings.get(path_key(name))
    if recording is None:
        sentence = _("«%(path)s» is not in this version. Upload it first, or correct the name.")
        said.refuse("file", CellFault(sentence, field="file", path=name))
        return
    try:
        stretch = stretch_of(recording, start, end)
        check_stretch(stretch=stretch, dataset=recording.dataset)
    except CommonholdError as error:
        said.refuse(str(error.details["field"]), error)
    else:
        said.values["stretch"] = stretch


def stretch_of(recording: Recording, start: int | None, end: int | None) -> Stretch:
    """Return where somebody is heard: without a start from the beginning, without an end to it.

    Raises ConsentInvalid for times in what has none.
    """
    if start is None and end is None:
        return Stretch(recording)
    if recording.duration_ms is None:
        sentence = _("«%(path)s» is a text, which has no times. Leave start and end empty.")
        column = "end" if start is None else "start"
        raise ConsentInvalid(sentence, field=column, path=recording.name)
    return Stretch(recording, start or 0, recording.duration_ms if end is None else end)


def refuse_contradictions(rows: list[Said]) -> None:
    """Refuse what says something else of a consent than the row that named it first."""
    first: dict[tuple[Any, ...], dict[str, tuple[int, Any]]] = {}
    for said in rows:
        if said.who is None:
            continue
        agreed = first.setdefault(said.who, {})
        for column in AGREED:
            if column not in said.values or said.is_refused(column):
                continue
            row, value = agreed.setdefault(column, (said.row, said.values[column]))
            if value != said.values[column]:
                sentence = _(
                    "Row %(row)s says something else of the same consent: one speaker, one day, "
                    "one set of terms."
                )
                said.refuse(column, CellFault(sentence, field=column, row=row))


def name_of(text: str) -> str:
    """Read a speaker's name as it is kept. Raises CellFault."""
    try:
        return names.check_name(text)
    except names.InvalidName as error:
        raise CellFault(error.sentence, **{**error.details, "field": "speaker_name"}) from error


def language(text: str) -> str:
    """Read a language as it is kept; what is not said is «und». Raises UnknownLanguage."""
    if text in {"", "und"}:
        return "und"
    return languages.tag_of(text, field="notice_language")


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
    """Read a list that semicolons or spaces separate, in an order of its own."""
    return tuple(sorted({part for part in re.split(r"[;|\s]+", text) if part}))
