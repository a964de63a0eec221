"""Consent records: writing down what a speaker agreed to, once."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from commonhold import canonical
from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from accounts.models import User
from ingestion.archive import languages, quotas
from ingestion.consent.faults import Notice, Terms, check_terms
from ingestion.consent.naming import name_agreed
from ingestion.consent.scopes import Stretch, check_stretch
from ingestion.consent.speakers import Person, add_speaker
from ingestion.models import Blob, ConsentEvent, ConsentRecord, ConsentScope, Dataset, Speaker
from notary import status

STATUS_LIST = "consent"
"""The name of the status lists in which consents have their places."""
PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"


@dataclass(frozen=True)
class Evidence:
    """A signed form, a recording of the yes: bytes that only the contributor can read."""

    blob: Blob
    name: str


@transaction.atomic
def enter(
    *,
    dataset: Dataset,
    person: Person,
    notice: Notice,
    terms: Terms,
    stretches: Iterable[Stretch],
    by: User,
    evidence: Evidence | None = None,
) -> ConsentRecord:
    """Write down a consent of a person, whom the dataset may not know yet: both or nothing.

    Raises as `record` does.
    """
    speaker = add_speaker(dataset=dataset, person=person, by=by)
    return record(
        speaker=speaker, notice=notice, terms=terms, stretches=stretches, by=by, evidence=evidence
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

    The very same consent is written down once: asked again, returns the record that stands, also
    when it was withdrawn since; only stretches that it does not name make another record. Raises
    ConsentInvalid, UnknownPurpose, UnknownCountry, UnknownLanguage, QuotaExceeded; nothing is
    written then.
    """
    wanted = list(dict.fromkeys(stretches))
    check_terms(terms=terms, notice=notice)
    for stretch in wanted:
        check_stretch(stretch=stretch, dataset=speaker.dataset)
    consent = draw_up(speaker=speaker, notice=notice, terms=terms, evidence=evidence)
    consent.created_by = by
    same = same_as(consent, voided=False)
    new = unsaid(wanted, in_records=same)
    if same and not new:
        return same[-1]
    return write(consent, new if same else wanted, by=by)


def voided_before(
    *,
    speaker: Speaker,
    notice: Notice,
    terms: Terms,
    stretches: Sequence[Stretch],
    evidence: Evidence | None = None,
) -> bool:
    """Tell whether this very consent was struck out as a mistake and nothing of it stands."""
    consent = draw_up(speaker=speaker, notice=notice, terms=terms, evidence=evidence)
    struck_out = same_as(consent, voided=True)
    return bool(struck_out) and not unsaid(stretches, in_records=struck_out)


def draw_up(
    *, speaker: Speaker, notice: Notice, terms: Terms, evidence: Evidence | None
) -> ConsentRecord:
    """Return a record that is not saved yet. Raises UnknownCountry, UnknownLanguage."""
    is_known = notice.language != "und"
    return ConsentRecord(
        dataset=speaker.dataset,
        speaker=speaker,
        notice_text=notice.text,
        notice_sha256=canonical.sha256_hex(notice.text.encode()),
        notice_language=languages.tag_of(notice.language, field="notice_language")
        if is_known
        else notice.language,
        notice_version=notice.version,
        purposes=sorted(set(terms.purposes)),
        excluded_purposes=sorted(set(terms.excluded_purposes)),
        jurisdiction=languages.country_of(terms.jurisdiction),
        given_on=terms.given_on,
        expires_on=terms.expires_on,
        evidence=evidence.blob if evidence else None,
        evidence_name=evidence.name if evidence else "",
        salt=secrets.token_bytes(32),
    )


def write(consent: ConsentRecord, stretches: Sequence[Stretch], *, by: User) -> ConsentRecord:
    """Save a record with its scopes, its commitment and its history. Raises QuotaExceeded."""
    if consent.evidence is not None:
        organization = consent.dataset.organization
        quotas.require_for_form(organization=organization, form=consent.evidence)
    consent.commitment = commitment(record=consent, salt=bytes(consent.salt))
    consent.status_index = status.place(name=STATUS_LIST).index
    consent.save()
    ConsentScope.objects.bulk_create(
        ConsentScope(
            record=consent,
            recording=stretch.recording,
            start_ms=stretch.start_ms,
            end_ms=stretch.end_ms,
        )
        for stretch in stretches
    )
    name_agreed(record=consent)
    note_event(record=consent, event=ConsentEvent.Type.GIVEN, by=by)
    audit.note(
        by=by,
        verb="consent.recorded",
        about=(consent, consent.speaker, consent.dataset),
        speaker=consent.speaker.pseudonym,
        purposes=consent.purposes,
        stretches=len(stretches),
    )
    return consent


def same_as(consent: ConsentRecord, *, voided: bool) -> list[ConsentRecord]:
    """Return the records that say the very same of the speaker, the oldest first."""
    found = ConsentRecord.objects.filter(
        speaker=consent.speaker,
        notice_sha256=consent.notice_sha256,
        notice_language=consent.notice_language,
        notice_version=consent.notice_version,
        purposes=consent.purposes,
        excluded_purposes=consent.excluded_purposes,
        jurisdiction=consent.jurisdiction,
        given_on=consent.given_on,
        expires_on=consent.expires_on,
        evidence=consent.evidence,
        voided_at__isnull=not voided,
    )
    return list(found.prefetch_related("scopes").order_by("created_at", "pk"))


def unsaid(stretches: Sequence[Stretch], *, in_records: Iterable[ConsentRecord]) -> list[Stretch]:
    """Return the stretches that none of the records names."""
    named = {
        (scope.recording_id, scope.start_ms, scope.end_ms)
        for one in in_records
        for scope in one.scopes.all()
    }
    return [one for one in stretches if (one.recording.pk, one.start_ms, one.end_ms) not in named]


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


def note_event(
    *,
    record: ConsentRecord,
    event: ConsentEvent.Type,
    by: User | Actor,
    purposes: Sequence[str] = (),
    reason: str = "",
) -> None:
    """Add to the history of a consent."""
    ConsentEvent.objects.create(
        record_id=record.pk,
        type=event,
        actor=audit.name_of(by),
        commitment=record.commitment,
        purposes=list(purposes),
        reason=reason,
    )
