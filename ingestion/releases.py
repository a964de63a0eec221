"""Sealing: from reviewed runs to an immutable release with its index, manifest and log entry."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commonhold import canonical, index
from commonhold.errors import CommonholdError
from commonhold.index import IndexRow
from commonhold.paths import path_key
from django.db import transaction
from django.db.models import QuerySet

from ingestion import cards, manifests, pipeline, recipes, review
from ingestion.consent import cover
from ingestion.models import (
    Blob,
    ConsentRecord,
    ConsentScope,
    File,
    Finding,
    PipelineRun,
    Redaction,
    Segment,
    StepRun,
    Version,
)
from ingestion.storage import blob_store

AUDIO_STEPS = ("decode", "vad", "text", "detect", "redact", "strip", "quality")


class SealRefused(CommonholdError):
    """The version can't be sealed as it is."""

    code = "seal-refused"
    status = 409


@dataclass
class Draft:
    """A release as it is put together."""

    version: Version
    records: list[ConsentRecord] = field(default_factory=list)
    rows: list[IndexRow] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    blobs: dict[str, Blob] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)

    def number(self, records: Iterable[ConsentRecord]) -> tuple[int, ...]:
        """Return the manifest's numbers of some consents."""
        return tuple(sorted(self.records.index(record) for record in records))

    def add(
        self,
        *,
        path: str,
        blob: Blob,
        media_type: str,
        consents: tuple[int, ...],
        acts: tuple[str, ...],
    ) -> None:
        """Add a file of the release."""
        self.blobs[path] = blob
        self.rows.append(
            IndexRow(
                path=path, size=blob.size, sha256=blob.sha256, media_type=media_type,
                source="src-0", consents=consents, activities=acts,
            )
        )  # fmt: skip


def files(*, version: Version) -> QuerySet[File]:
    """Return the published files of a sealed version, in the order of its index."""
    return version.files.filter(role=File.Role.RELEASE).select_related("blob").order_by("pk")


def rows_of(*, version: Version) -> list[IndexRow]:
    """Return the index of a sealed version."""
    return [
        index.parse_line(canonical.encode(row))
        for row in files(version=version).values_list("index_row", flat=True)
    ]


def index_bytes(*, version: Version) -> bytes:
    """Return files.jsonl of a sealed version."""
    return b"".join(index.lines(rows_of(version=version)))


def stored(sha256: str) -> bytes:
    """Return a small stored document whole."""
    with blob_store().open(sha256) as document:
        return document.read()


def waiting() -> list[Version]:
    """Return the versions whose review is applied and that nobody has sealed yet."""
    reviewed = Version.objects.filter(state=Version.State.REVIEW, review_finished_at__isnull=False)
    return [version for version in reviewed if pipeline.all_final_done(version=version)]


def seal(*, version: Version) -> Version:
    """Seal a version whose review is finished and applied. Asked again, changes nothing.

    On refusal (consent withdrawn meanwhile, say) the version goes back to review, `seal_error`
    says why, and SealRefused is raised.
    """
    try:
        with transaction.atomic():
            return seal_locked(version=Version.objects.select_for_update().get(pk=version.pk))
    except SealRefused as refusal:
        Version.objects.filter(pk=version.pk, state=Version.State.REVIEW).update(
            review_finished_at=None, review_finished_by=None, seal_error=refusal.message
        )
        raise


def seal_locked(*, version: Version) -> Version:
    """Build, sign, log and publish, in one transaction."""
    if version.state == Version.State.SEALED:
        return version
    require_ready(version)
    issued = datetime.now(UTC).replace(microsecond=0)
    draft = put_together(version=version)
    steps = list(steps_of(version))
    index_lines = list(index.lines(draft.rows))
    raw_index = b"".join(index_lines)
    metadata_row = next(row for row in draft.rows if row.path == "metadata.jsonl")
    croissant = cards.croissant(
        version=version, rows=draft.rows, index=raw_index, metadata_row=metadata_row
    )
    summary = index.summarize(index_lines)
    release = manifests.build_release(
        version=version,
        issued=issued,
        index=summary,
        croissant_sha256=keep_bytes(croissant).sha256,
        records=draft.records,
        activities=manifests.activities(steps),
        counts=consent_summary(draft),
    )
    envelope, entry = manifests.sign(release=release, rows=draft.rows)
    write_files(draft)
    write_redactions(version)
    version.state, version.sealed_at = Version.State.SEALED, issued
    version.release, version.release_sha256 = release, canonical.digest(release)
    version.merkle_root, version.manifest = summary.root, envelope.as_dict()
    version.log_entry, version.quality, version.seal_error = entry, draft.counts, ""
    version.save()
    return version


def require_ready(version: Version) -> None:
    """Raise SealRefused unless a person finished the review, it is applied, and consent holds."""
    if version.state != Version.State.REVIEW or version.review_finished_at is None:
        message = "The review is not finished, so nothing is sealed."
        raise SealRefused(message)
    if not pipeline.all_final_done(version=version):
        message = "What the review decided has not been applied to every file yet."
        raise SealRefused(message)
    left = review.progress(version=version)
    if not left.is_complete:
        raise SealRefused(review.what_is_left(version=version, left=left), **vars(left))


def steps_of(version: Version) -> QuerySet[StepRun]:
    """Return the steps whose work stands in the release: intake, and what the review changed."""
    final = ("redact", "strip", "quality")
    done = StepRun.objects.filter(run__file__version=version, state=StepRun.State.DONE)
    intake = done.filter(run__phase=PipelineRun.Phase.INTAKE).exclude(name__in=final)
    applied = done.filter(run__phase=PipelineRun.Phase.FINAL, name__in=final)
    # "intake" sorts after "final", and comes first.
    return (intake | applied).order_by("-run__phase", "position", "run__file__path_key")


def put_together(*, version: Version) -> Draft:
    """Collect clips, texts, metadata and the card of a release."""
    draft = Draft(version)
    covering = covering_records(version)
    found = {record for records in covering.values() for record in records}
    draft.records = sorted(
        found, key=lambda record: (record.speaker.pseudonym, record.given_on, record.status_index)
    )
    acts = {
        activity["type"]: activity["id"] for activity in manifests.activities(steps_of(version))
    }
    sources = list(pipeline.sources(version=version).select_related("transcript"))
    for number, file in enumerate(sources, start=1):
        add_source(draft=draft, file=file, number=number, covering=covering, acts=acts)
    draft.counts = totals(draft=draft, sources=sources)
    everything = tuple(range(len(draft.records)))
    text_acts = tuple(acts[name] for name in ("text", "detect", "redact") if name in acts)
    described = {
        "metadata.jsonl": (cards.metadata(draft.metadata), "application/jsonl", text_acts),
        "README.md": (cards.readme(version=version, counts=draft.counts), "text/markdown", ()),
    }
    for path, (data, media_type, activities) in described.items():
        draft.add(
            path=path,
            blob=keep_bytes(data),
            media_type=media_type,
            consents=everything,
            acts=activities,
        )
    draft.rows.sort(key=lambda row: row.path.encode())
    return draft


def covering_records(version: Version) -> dict[int, list[ConsentRecord]]:
    """Return the consents behind each segment that is published."""
    scopes: dict[int, list[ConsentScope]] = {}
    in_force = ConsentRecord.objects.in_force()
    for scope in ConsentScope.objects.filter(
        file__version=version, record__in=in_force
    ).select_related("record__speaker"):
        scopes.setdefault(scope.file_id, []).append(scope)
    return {
        segment.pk: cover(
            scopes=scopes.get(segment.file_id, []), start_ms=segment.start_ms, end_ms=segment.end_ms
        ).records
        for segment in review.segments(version=version).filter(excluded=False)
    }


def add_source(
    *,
    draft: Draft,
    file: File,
    number: int,
    covering: dict[int, list[ConsentRecord]],
    acts: dict[str, str],
) -> None:
    """Add the clips of a recording, or the rows of a text.

    Recordings are numbered, not named: a file name may say who speaks.
    """
    run = file.runs.get(phase=PipelineRun.Phase.FINAL)
    steps = {step.name: step for step in run.steps.all()}
    segments = {segment.position: segment for segment in file.segments.select_related("speaker")}
    redacted = steps["redact"].output or {}
    if file.kind == File.Kind.AUDIO:
        used = tuple(acts[name] for name in AUDIO_STEPS if name in acts)
        for clip in redacted["clips"]:
            segment = segments[clip["segment"]]
            kept = steps["strip"].files[clip["file"]]
            path = f"audio/r{number:04d}/{clip['segment'] + 1:04d}.flac"
            consents = draft.number(covering[segment.pk])
            blob = Blob(sha256=kept["sha256"], size=kept["size"])
            draft.add(path=path, blob=blob, media_type="audio/flac", consents=consents, acts=used)
            draft.metadata.append(
                clip_row(
                    draft=draft, path=path, clip=clip, segment=segment, source=f"r{number:04d}"
                )
            )
        return
    used = tuple(acts[name] for name in ("text", "detect", "redact") if name in acts)
    rows = redacted["clips"]
    if not rows:
        return
    consents = draft.number(
        {record for row in rows for record in covering[segments[row["segment"]].pk]}
    )
    language = draft.version.dataset.language
    data = cards.metadata([{"text": row["text"], "language": language} for row in rows])
    draft.add(
        path=f"text/t{number:04d}.jsonl", blob=keep_bytes(data), media_type="application/jsonl",
        consents=consents, acts=used,
    )  # fmt: skip


def clip_row(
    *, draft: Draft, path: str, clip: dict[str, Any], segment: Segment, source: str
) -> dict[str, Any]:
    """Return a clip's row of metadata.jsonl."""
    return {
        "file_name": path,
        "text": clip["text"],
        "language": draft.version.dataset.language,
        "speaker": segment.speaker.pseudonym if segment.speaker else None,
        "start_ms": clip["start_ms"],
        "end_ms": clip["end_ms"],
        "duration_ms": clip["end_ms"] - clip["start_ms"],
        "source": source,
        "redactions": clip["bars"],
    }


def totals(*, draft: Draft, sources: list[File]) -> dict[str, Any]:
    """Add up the quality figures of the recordings; levels are means weighted by nothing."""
    quality = [
        step.output or {}
        for step in steps_of(draft.version)
        if step.name == "quality" and step.output
    ]
    counts = {
        key: sum(one.get(key) or 0 for one in quality)
        for key in ("duration_ms", "speech_ms", "clips_ms", "redacted_ms", "words", "words_timed")
    }
    for key in ("snr_db", "rms_dbfs"):
        known = [one[key] for one in quality if one.get(key) is not None]
        counts[key] = sum(known) // len(known) if known else None
    kinds: dict[str, int] = {}
    confirmed = Finding.objects.filter(
        segment__file__version=draft.version, state=Finding.State.CONFIRMED
    )
    for kind in confirmed.filter(segment__excluded=False).values_list("kind", flat=True):
        kinds[kind] = kinds.get(kind, 0) + 1
    return {
        **counts,
        "recordings": sum(file.kind == File.Kind.AUDIO for file in sources),
        "clips": len(draft.metadata),
        "speakers": len({record.speaker_id for record in draft.records}),
        "redactions": sum(kinds.values()),
        "redactions_by_kind": kinds,
    }


def consent_summary(draft: Draft) -> dict[str, object]:
    """Return the `summary` of the manifest's consent block."""
    standing = review.segments(version=draft.version).filter(excluded=False).count()
    return {
        "subjects": draft.counts["speakers"],
        "segments": standing,
        "segmentsCovered": standing,
        "thirdPartyVoices": "left out unless consented",
        "minors": any(record.speaker.is_minor for record in draft.records),
    }


def keep_bytes(data: bytes) -> Blob:
    """Store generated bytes."""
    sha256, size = blob_store().put_bytes(data)
    blob = Blob(sha256=sha256, size=size)
    Blob.objects.bulk_create([blob], ignore_conflicts=True)
    return blob


def write_files(draft: Draft) -> None:
    """Make the File rows of the release, in the order of the index."""
    File.objects.bulk_create(
        File(
            version=draft.version,
            role=File.Role.RELEASE,
            kind=File.Kind.AUDIO if row.media_type.startswith("audio/") else File.Kind.DOCUMENT,
            path=row.path,
            path_key=path_key(row.path),
            blob=draft.blobs[row.path],
            media_type=row.media_type,
            index_row=canonical.decode(row.line()),
        )
        for row in draft.rows
    )


def write_redactions(version: Version) -> None:
    """Write down what was done about each confirmed finding."""
    confirmed = Finding.objects.filter(
        segment__file__version=version, segment__excluded=False, state=Finding.State.CONFIRMED
    ).select_related("segment__file")
    pad = recipes.PAD_MS
    Redaction.objects.bulk_create(
        Redaction(
            finding=finding,
            method="tone" if finding.segment.start_ms is not None else "label",
            start_ms=None if finding.start_ms is None else max(0, finding.start_ms - pad),
            end_ms=None if finding.end_ms is None else finding.end_ms + pad,
            replacement=f"[{finding.kind.upper()}]",
        )
        for finding in confirmed
    )
