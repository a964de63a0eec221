"""Consent: recording it, withdrawing it, and what it covers."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from commonhold import canonical, purposes
from commonhold.errors import CommonholdError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ingestion.models import Blob, ConsentEvent, ConsentRecord, ConsentScope, Dataset, File, Speaker

PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"


class ConsentInvalid(CommonholdError):
    """A consent that can't stand as it was written down."""

    code = "consent-invalid"
    status = 422


@dataclass(frozen=True)
class Stretch:
    """Where a speaker is heard: a file, or [start_ms, end_ms) of it."""

    file: File
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True)
class Notice:
    """What the speaker was told before agreeing."""

    text: str
    language: str
    version: str = ""


@dataclass(frozen=True)
class Terms:
    """What the speaker agreed to."""

    purposes: tuple[str, ...]
    given_on: date
    jurisdiction: str
    excluded_purposes: tuple[str, ...] = ()
    expires_on: date | None = None


@dataclass(frozen=True)
class Evidence:
    """A signed form, a recording of the yes: bytes that only the contributor can read."""

    blob: Blob
    name: str


@dataclass(frozen=True)
class Person:
    """Who agreed. Name and contact never leave the contributor's own pages."""

    name: str
    contact: str = ""
    role: str = "speaker"
    is_minor: bool = False


@dataclass
class Coverage:
    """What consent says about a stretch of a file."""

    records: list[ConsentRecord] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Milliseconds that no consent in force covers."""

    @property
    def is_complete(self) -> bool:
        """Whether every millisecond is covered."""
        return bool(self.records) and not self.gaps


@transaction.atomic
def add_speaker(*, dataset: Dataset, person: Person) -> Speaker:
    """Return the dataset's speaker of this name and contact, or make one with a new pseudonym."""
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    known = dataset.speakers.filter(name=person.name, contact=person.contact).first()
    if known is not None:
        return known
    last = dataset.speakers.order_by("-pk").first()
    number = int(last.pseudonym[2:]) + 1 if last else 1
    return Speaker.objects.create(
        dataset=dataset,
        pseudonym=f"p-{number:04d}",
        name=person.name,
        contact=person.contact,
        role=person.role,
        is_minor=person.is_minor,
    )


@transaction.atomic
def record(
    *,
    speaker: Speaker,
    notice: Notice,
    terms: Terms,
    stretches: Iterable[Stretch],
    by: User,
    evidence: Evidence | None = None,
) -> ConsentRecord:
    """Write down a consent (ISO/IEC TS 27560) and where the speaker is heard.

    Raises ConsentInvalid; nothing is written then.
    """
    stretches = list(stretches)
    check_terms(terms=terms, notice=notice)
    for stretch in stretches:
        check_stretch(stretch=stretch, dataset=speaker.dataset)
    consent = ConsentRecord(
        dataset=speaker.dataset,
        speaker=speaker,
        notice_text=notice.text,
        notice_sha256=canonical.sha256_hex(notice.text.encode()),
        notice_language=notice.language,
        notice_version=notice.version,
        purposes=sorted(set(terms.purposes)),
        excluded_purposes=sorted(set(terms.excluded_purposes)),
        jurisdiction=terms.jurisdiction,
        given_on=terms.given_on,
        expires_on=terms.expires_on,
        evidence=evidence.blob if evidence else None,
        evidence_name=evidence.name if evidence else "",
        salt=secrets.token_bytes(32),
        created_by=by,
    )
    consent.commitment = commitment(record=consent, salt=bytes(consent.salt))
    consent.save()
    ConsentScope.objects.bulk_create(
        ConsentScope(
            record=consent, file=stretch.file, start_ms=stretch.start_ms, end_ms=stretch.end_ms
        )
        for stretch in dict.fromkeys(stretches)
    )
    note_event(record=consent, event=ConsentEvent.Type.GIVEN, actor=str(by))
    return consent


def check_terms(*, terms: Terms, notice: Notice) -> None:
    """Raise ConsentInvalid, naming the field, unless the terms make sense today."""
    for purpose in (*terms.purposes, *terms.excluded_purposes):
        purposes.get(purpose)
    for wrong, name, message in faults(terms=terms, notice=notice, today=timezone.localdate()):
        if wrong:
            raise ConsentInvalid(message, field=name)


def faults(*, terms: Terms, notice: Notice, today: date) -> Iterator[tuple[bool, str, str]]:
    """Yield (whether it is so, the field, what to say) for everything that can be wrong."""
    both = ", ".join(sorted(set(terms.purposes) & set(terms.excluded_purposes)))
    expires = terms.expires_on
    yield not terms.purposes, "purposes", "A consent names at least one purpose."
    yield bool(both), "excluded_purposes", f"{both}: allowed and excluded at once."
    message = "Give the text that the speaker was shown or read."
    yield not notice.text.strip(), "notice_text", message
    yield not notice.language.strip(), "notice_language", "Say in which language the notice was."
    message = "Say under which law it was given, such as «KE» or «EU»."
    yield not terms.jurisdiction.strip(), "jurisdiction", message
    yield terms.given_on > today, "given_on", f"{terms.given_on} is in the future."
    message = f"{expires} is not after the day it was given."
    yield expires is not None and expires <= terms.given_on, "expires_on", message
    message = (
        f"This consent expired on {expires}. Ask the speaker again before using the recording."
    )
    yield expires is not None and expires <= today, "expires_on", message


def check_stretch(*, stretch: Stretch, dataset: Dataset) -> None:
    """Raise ConsentInvalid if the stretch is not a part of a source file of the dataset."""
    file = stretch.file
    if file.version.dataset_id != dataset.pk or file.role != File.Role.SOURCE:
        message = f"«{file.path}» is not an original of this dataset."
        raise ConsentInvalid(message, field="file")
    if stretch.start_ms is None or stretch.end_ms is None:
        return
    if not 0 <= stretch.start_ms < stretch.end_ms:
        message = f"«{file.path}»: the stretch must start before it ends."
        raise ConsentInvalid(message, field="start")
    if file.duration_ms is not None and stretch.end_ms > file.duration_ms:
        message = (
            f"«{file.path}» is {clock(file.duration_ms)} long; the stretch ends at "
            f"{clock(stretch.end_ms)}."
        )
        raise ConsentInvalid(message, field="end")


def clock(milliseconds: int) -> str:
    """Write a time as h:mm:ss.mmm."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def commitment(*, record: ConsentRecord, salt: bytes) -> str:
    """Return SHA-256(salt ‖ JCS(record)): what a manifest says of the record, and no more."""
    return canonical.sha256_hex(salt + canonical.encode(as_document(record=record)))


def as_document(*, record: ConsentRecord) -> dict[str, object]:
    """Return the record in the field set of ISO/IEC TS 27560 (private: it names the speaker)."""
    return {
        "schema": PROFILE,
        "record": str(record.pk),
        "principal": {"name": record.speaker.name, "contact": record.speaker.contact},
        "controller": record.dataset.organization.name,
        "notice": {
            "sha256": record.notice_sha256,
            "language": record.notice_language,
            "version": record.notice_version,
        },
        "purposes": record.purposes,
        "excludedPurposes": record.excluded_purposes,
        "jurisdiction": record.jurisdiction,
        "given": record.given_on.isoformat(),
        "expires": record.expires_on.isoformat() if record.expires_on else None,
        "evidence": record.evidence_id,
    }


def note_event(*, record: ConsentRecord, event: str, actor: str) -> None:
    """Add to the history of a consent."""
    ConsentEvent.objects.create(
        record_id=record.pk, type=event, actor=actor, commitment=record.commitment
    )


@transaction.atomic
def withdraw(*, record: ConsentRecord, by: str) -> ConsentRecord:
    """End a consent now. Asked again, changes nothing. `by` is a name for the history."""
    record = ConsentRecord.objects.select_for_update().get(pk=record.pk)
    if record.withdrawn_at is None:
        record.withdrawn_at = timezone.now()
        record.save(update_fields=["withdrawn_at"])
        note_event(record=record, event=ConsentEvent.Type.WITHDRAWN, actor=by)
    return record


def cover(*, scopes: list[ConsentScope], start_ms: int | None, end_ms: int | None) -> Coverage:
    """Lay a file's scopes over a stretch of it."""
    found = Coverage()
    if start_ms is None or end_ms is None:
        found.records = list(dict.fromkeys(scope.record for scope in scopes))
        return found
    position = start_ms
    for scope in sorted(scopes, key=lambda scope: scope.start_ms or 0):
        begins = scope.start_ms or 0
        ends = end_ms if scope.end_ms is None else scope.end_ms
        if ends <= start_ms or begins >= end_ms:
            continue
        if scope.record not in found.records:
            found.records.append(scope.record)
        if begins > position:
            found.gaps.append((position, begins))
        position = max(position, ends)
    if position < end_ms:
        found.gaps.append((position, end_ms))
    return found
