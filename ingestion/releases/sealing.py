"""Sealing: from reviewed runs to an immutable release with its index, manifest and log entry."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from commonhold import canonical, index
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import audit
from ingestion import news
from ingestion.archive import blobs
from ingestion.models import (
    ConsentRecord,
    News,
    PipelineRun,
    Redaction,
    ReleaseConsent,
    ReleaseFile,
    ReleaseFileConsent,
    Seal,
    Version,
)
from ingestion.pipeline import jobs
from ingestion.releases import cards, manifests
from ingestion.releases.contents import (
    Bar,
    Contents,
    Entry,
    SealRefused,
    put_together,
    steps_of,
)
from ingestion.review import ReviewUnfinished, require_complete

BATCH = 2000


def waiting() -> list[Version]:
    """Return the versions whose review is applied and that nobody has sealed yet."""
    reviewed = Version.objects.filter(state=Version.State.REVIEW, review_finished_at__isnull=False)
    return [version for version in reviewed if is_applied(version=version)]


def is_applied(*, version: Version) -> bool:
    """Whether what the reviewer decided has been applied to every recording."""
    return jobs.are_done(jobs.of(version, phase=PipelineRun.Phase.FINAL))


def seal(*, version: Version) -> Version:
    """Seal a version whose review is finished and applied. Asked again, changes nothing.

    On refusal (consent withdrawn meanwhile, say) the version goes back to review, `seal_error`
    says why, and SealRefused is raised.
    """
    try:
        with transaction.atomic():
            locked = Version.objects.select_for_update(of=("self",)).select_related(
                "dataset__organization"
            )
            return seal_locked(version=locked.get(pk=version.pk))
    except SealRefused as refusal:
        Version.objects.filter(pk=version.pk, state=Version.State.REVIEW).update(
            review_finished_at=None, review_finished_by=None, seal_error=refusal.as_record()
        )
        raise


def seal_locked(*, version: Version) -> Version:
    """Build, sign, log and publish, in one transaction."""
    if version.state in {Version.State.SEALED, Version.State.WITHDRAWN}:
        return version
    require_ready(version)
    contents = put_together(version=version)
    hold_consents(contents.records)
    issued = timezone.now().replace(microsecond=0)
    rows = [entry.row for entry in contents.entries]
    lines = [row.line() + b"\n" for row in rows]
    summary, whole = index.summarize(lines), b"".join(lines)
    kept_index = blobs.keep_bytes(data=whole)
    croissant = blobs.keep_bytes(data=cards.croissant(version=version, rows=rows, index=whole))
    release = manifests.build_release(
        version=version,
        issued=issued,
        index=summary,
        croissant_sha256=croissant.sha256,
        records=contents.records,
        activities=manifests.activities(steps_of(version)),
        counts=contents.counts,
        summary=consent_summary(contents),
    )
    subjects = manifests.subjects_of({row.path: row.sha256 for row in rows})
    version.seal = Seal.objects.create(
        release=release,
        release_sha256=canonical.digest(release),
        subjects=subjects,
        statement=manifests.sign(release=release, subjects=subjects),
        index=kept_index,
        croissant=croissant,
    )
    write_files(contents)
    return publish(version=version, contents=contents, issued=issued, root=summary.root)


def consent_summary(contents: Contents) -> dict[str, object]:
    """Return the `summary` of the manifest's consent block."""
    segments = len({piece.segment.pk for piece in contents.pieces})
    return {
        "subjects": contents.counts["speakers"],
        "segments": segments,
        "segmentsCovered": segments,
        "thirdPartyVoices": "left out unless consented",
        "minors": any(record.speaker.is_minor for record in contents.records),
    }


def publish(*, version: Version, contents: Contents, issued: datetime, root: str) -> Version:
    """Make the version a sealed one, and tell the layers above."""
    version.state, version.sealed_at = Version.State.SEALED, issued
    version.title, version.language = version.dataset.title, version.dataset.language
    version.task = version.dataset.task
    version.merkle_root, version.quality, version.seal_error = root, contents.counts, None
    version.consent_state = Version.Consent.GIVEN
    version.save()
    audit.note(
        by=audit.SITE,
        verb="version.sealed",
        about=(version, version.dataset, version.dataset.organization),
        version=str(version),
        root=root,
        reviewed_by=str(version.review_finished_by),
        files=len(contents.entries),
    )
    news.of_version(version=version, kind=News.Kind.SEALED)
    return version


def require_ready(version: Version) -> None:
    """Raise SealRefused unless a person finished the review, it is applied, and consent holds."""
    if version.state != Version.State.REVIEW or version.review_finished_at is None:
        raise SealRefused(_("The review is not finished, so nothing is sealed."))
    if not is_applied(version=version):
        sentence = _("What the review decided has not been applied to every file yet.")
        raise SealRefused(sentence)
    try:
        require_complete(version=version)
    except ReviewUnfinished as error:
        raise SealRefused(error.sentence, **error.details) from error


def hold_consents(records: Iterable[ConsentRecord]) -> None:
    """Lock the consents that the release rests on until it is there to be told of their end.

    Whoever withdraws waits for the seal and finds it, or was first: then SealRefused is raised.
    Purposes that were taken back since the records were read are taken from them here.
    """
    wanted = {record.pk: record for record in records}
    found = ConsentRecord.objects.filter(pk__in=wanted).order_by("pk").select_for_update()
    locked = {record.pk: record for record in found}
    standing = ConsentRecord.objects.in_force().filter(pk__in=wanted)
    if set(standing.values_list("pk", flat=True)) != set(wanted):
        sentence = _("A consent that the release rests on ended just now. Look at it again.")
        raise SealRefused(sentence)
    for pk, record in wanted.items():
        record.withdrawn_purposes = locked[pk].withdrawn_purposes


def write_files(contents: Contents) -> None:
    """Write the rows of the release: its files, its consents, and which rests on which."""
    version, entries = contents.version, contents.entries
    files = ReleaseFile.objects.bulk_create(
        (file_of(version, position, entry) for position, entry in enumerate(entries)),
        batch_size=BATCH,
    )
    consents = ReleaseConsent.objects.bulk_create(
        rests_on(version, number, record) for number, record in enumerate(contents.records)
    )
    by_number: Mapping[int, Any] = dict(enumerate(consents))
    ReleaseFileConsent.objects.bulk_create(
        (
            ReleaseFileConsent(file=file, consent=by_number[number])
            for file, entry in zip(files, entries, strict=True)
            for number in entry.consents
            if entry.kind != ReleaseFile.Kind.DESCRIPTION
        ),
        batch_size=BATCH,
    )
    Redaction.objects.bulk_create(
        (
            redaction_of(file, bar)
            for file, entry in zip(files, entries, strict=True)
            for bar in entry.bars
        ),
        batch_size=BATCH,
    )


def file_of(version: Version, position: int, entry: Entry) -> ReleaseFile:
    """Return the row of a published file."""
    return ReleaseFile(
        version=version,
        position=position,
        kind=entry.kind,
        path=entry.path,
        blob_id=entry.blob.sha256,
        media_type=entry.media_type,
        recording=entry.recording,
        index_row=canonical.decode(entry.row.line()),
        told=entry.told,
        words=entry.words,
        peaks=entry.peaks,
    )


def redaction_of(file: ReleaseFile, bar: Bar) -> Redaction:
    """Return the row of a place that is covered in a published file."""
    return Redaction(
        file=file,
        kind=bar.kind,
        method=bar.method,
        start_ms=bar.start_ms,
        end_ms=bar.end_ms,
        replacement=f"[{bar.kind.upper()}]" if bar.is_labeled else "",
    )


def rests_on(version: Version, number: int, record: ConsentRecord) -> ReleaseConsent:
    """Return the row that says that a version rests on a consent, with copies of its terms."""
    return ReleaseConsent(
        version=version,
        number=number,
        record=record,
        speaker=record.speaker,
        pseudonym=record.speaker.pseudonym,
        status_index=record.status_index,
        purposes=record.purposes,
        excluded_purposes=record.excluded_purposes,
        withdrawn_purposes=record.withdrawn_purposes,
        expires_on=record.expires_on,
    )
