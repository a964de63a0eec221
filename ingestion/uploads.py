"""Uploads: begin, receive parts in any order, complete or refuse. Nothing is ever half-stored."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from commonhold.errors import CommonholdError
from commonhold.paths import check_path, path_key
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from ingestion.datasets import VersionClosed
from ingestion.models import Blob, File, Upload, UploadPart, Version
from ingestion.steps import media
from ingestion.storage import blob_store

TRANSCRIPT_ORDER = (".jsonl", ".csv", ".txt")


class UploadInvalid(CommonholdError):
    """What was announced can't be taken."""

    code = "upload-invalid"
    status = 422


class PathTaken(CommonholdError):
    """The version has a file here, or one that some systems would take for it."""

    code = "path-taken"
    status = 409


class UploadClosed(CommonholdError):
    """The upload is over: complete, refused, canceled or expired."""

    code = "upload-closed"
    status = 409


class PartsMissing(CommonholdError):
    """The upload can't be completed yet."""

    code = "parts-missing"
    status = 409


class DigestMismatch(CommonholdError):
    """The bytes that arrived are not the bytes that were announced."""

    code = "digest-mismatch"
    status = 422


@dataclass(frozen=True)
class PartState:
    """One part as the client needs it: number from 1, offset and size in bytes."""

    number: int
    offset: int
    size: int
    received: bool


@transaction.atomic
def begin(*, version: Version, path: str, size: int, by: User, sha256: str = "") -> Upload:
    """Announce a file. Asked again for the same file, returns the upload that is under way.

    Raises VersionClosed, InvalidPathError, UploadInvalid, PathTaken.
    """
    version = Version.objects.select_for_update().get(pk=version.pk)
    if version.state != Version.State.DRAFT:
        message = (
            f"Version {version.number} takes no more files: it is "
            f"{version.get_state_display().lower()}."
        )
        raise VersionClosed(message)
    check_announcement(path=path, size=size, sha256=sha256)
    require_free_path(version=version, path=path)
    for other in version.uploads.filter(state=Upload.State.OPEN, expires_at__gt=timezone.now()):
        # What was begun without a digest may hold the parts of another file of the same size.
        is_same = sha256 in {"", other.sha256}
        if other.path == path and other.size == size and is_same:
            return other
        if path_key(other.path) == path_key(path):
            twin = f"«{path}» and «{other.path}» are one file on some systems, and that "
            message = (
                f"{twin if path != other.path else f'«{path}» '}is on its way in another upload. "
                "Finish it where it was begun, or cancel it."
            )
            raise PathTaken(message, path=path, taken_by=other.path, upload=str(other.pk))
    return Upload.objects.create(
        version=version,
        path=path,
        size=size,
        sha256=sha256,
        part_size=settings.UPLOAD_PART_SIZE,
        created_by=by,
        expires_at=timezone.now() + settings.UPLOAD_EXPIRES,
    )


def check_announcement(*, path: str, size: int, sha256: str) -> None:
    """Raise UploadInvalid (or Refusal, for its name) when a file like this can never be taken."""
    check_path(path)
    media.container_of(path)
    if size <= 0:
        message = f"«{path}» is empty, so there is nothing to keep."
        raise UploadInvalid(message, path=path)
    if size > settings.UPLOAD_MAX_SIZE:
        message = (
            f"«{path}» has {size:,} bytes; one file may have "
            f"{settings.UPLOAD_MAX_SIZE:,}. Split it."
        )
        raise UploadInvalid(message, path=path)
    if sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef")):
        message = "A SHA-256 digest is 64 lower-case hexadecimal digits."
        raise UploadInvalid(message, path=path)


def require_free_path(*, version: Version, path: str) -> None:
    """Raise PathTaken if the version has the path or a twin of it."""
    twin = version.files.filter(role=File.Role.SOURCE, path_key=path_key(path)).first()
    if twin is not None:
        raise path_taken(path, twin.path)


def path_taken(path: str, twin: str) -> PathTaken:
    """Make the refusal of a second file at one path, naming both."""
    message = f"«{path}» is in this version already. Remove it first, or choose another name."
    if twin != path:
        message = f"«{path}» and «{twin}» are one file on some systems. Choose another name."
    return PathTaken(message, path=path, taken_by=twin)


def receive_part(
    *, upload: Upload, number: int, chunks: Iterable[bytes], checksum: str
) -> UploadPart:
    """Take the bytes of part `number` (from 1); `checksum` is their SHA-256 in base64.

    Raises UploadClosed, UploadInvalid, PartRefused, DigestMismatch; a refused part keeps nothing.
    """
    require_open(upload)
    if not 1 <= number <= upload.part_count:
        message = (
            f"«{upload.path}» has the parts 1 to {upload.part_count}; there is no part {number}."
        )
        raise UploadInvalid(message, number=number)
    expected = decode_checksum(checksum)
    size = upload.part_length(number)
    sha256 = blob_store().put_part(upload=upload.pk, number=number, size=size, chunks=chunks)
    if sha256 != expected:
        upload.parts.filter(number=number).delete()
        message = f"Part {number} of «{upload.path}» was changed on the way. Send it again."
        raise DigestMismatch(message, number=number)
    part, _ = UploadPart.objects.update_or_create(
        upload=upload, number=number, defaults={"size": size, "sha256": sha256}
    )
    return part


def decode_checksum(checksum: str) -> str:
    """Return a base64 SHA-256 as hex. Raises UploadInvalid."""
    try:
        digest = base64.b64decode(checksum, validate=True)
    except ValueError:  # binascii.Error is one, and so is a character outside ASCII
        digest = b""
    if len(digest) != 32:
        message = "Send the part's SHA-256 in base64 in the header x-amz-checksum-sha256."
        raise UploadInvalid(message)
    return digest.hex()


def require_open(upload: Upload) -> None:
    """Raise UploadClosed unless the upload still takes parts."""
    if upload.state != Upload.State.OPEN:
        message = (
            f"The upload of «{upload.path}» is {upload.get_state_display().lower()}. {upload.error}"
        )
        raise UploadClosed(message.strip(), state=upload.state)
    if upload.expires_at <= timezone.now():
        message = f"The upload of «{upload.path}» has expired. Begin it again."
        raise UploadClosed(message, state="expired")


def part_states(*, upload: Upload) -> list[PartState]:
    """Tell which parts have arrived: what a client needs to resume."""
    received = set(upload.parts.values_list("number", flat=True))
    return [
        PartState(
            number=number,
            offset=(number - 1) * upload.part_size,
            size=upload.part_length(number),
            received=number in received,
        )
        for number in range(1, upload.part_count + 1)
    ]


def complete(*, upload: Upload, sha256: str = "") -> Upload:
    """Join the parts, check the whole, and make the file; or refuse it and keep nothing.

    Returns the upload, `complete` or `refused` (its `error` says why). Raises PartsMissing and
    UploadClosed. Asked again after it is complete, returns the same.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update().select_related("version").get(pk=upload.pk)
        if upload.state == Upload.State.COMPLETE:
            return upload
        require_open(upload)
        missing = [part.number for part in part_states(upload=upload) if not part.received]
        if missing:
            message = (
                f"«{upload.path}» can't be completed: {len(missing)} of "
                f"{upload.part_count} parts have not arrived."
            )
            raise PartsMissing(message, missing=missing[:100])
        try:
            with transaction.atomic():
                keep(upload=upload, announced=sha256 or upload.sha256)
        except CommonholdError as error:
            upload.state = Upload.State.REFUSED
            upload.error_code, upload.error = error.code, error.message
            upload.save(update_fields=["state", "error_code", "error"])
    blob_store().discard(upload=upload.pk)
    return upload


def keep(*, upload: Upload, announced: str) -> None:
    """Turn an upload's parts into a blob and a file of the version."""
    store = blob_store()
    sha256, size = store.assemble(upload=upload.pk, parts=upload.part_count)
    known = Blob.objects.filter(pk=sha256).exists()
    try:
        if announced and sha256 != announced:
            message = (
                f"«{upload.path}» arrived with the digest {sha256[:8]}…, but "
                f"{announced[:8]}… was announced. "
                "It changed on the way or while it was read; upload it again."
            )
            raise DigestMismatch(message, expected=announced, received=sha256)
        with store.local_path(sha256) as path:
            info = media.sniff(path, upload.path)
        upload.file = make_file(upload=upload, blob=Blob(sha256=sha256, size=size), info=info)
    except CommonholdError:
        if not known:
            store.delete(sha256)
        raise
    upload.state = Upload.State.COMPLETE
    upload.save(update_fields=["state", "file"])


def make_file(*, upload: Upload, blob: Blob, info: media.MediaInfo) -> File:
    """Give the bytes their name in the version, and pair transcripts with recordings."""
    version = Version.objects.select_for_update().get(pk=upload.version_id)
    if version.state != Version.State.DRAFT:
        message = f"Version {version.number} takes no more files."
        raise VersionClosed(message)
    require_free_path(version=version, path=upload.path)
    Blob.objects.bulk_create([blob], ignore_conflicts=True)
    try:
        file = File.objects.create(
            version=version,
            role=File.Role.SOURCE,
            kind=File.Kind.AUDIO if info.kind == "audio" else File.Kind.DOCUMENT,
            path=upload.path,
            path_key=path_key(upload.path),
            blob=blob,
            media_type=info.media_type,
            duration_ms=info.duration_ms,
        )
    except IntegrityError as error:
        raise path_taken(upload.path, upload.path) from error
    pair_transcripts(version=version)
    return file


def pair_transcripts(*, version: Version) -> None:
    """Tie each recording to the text file of the same name beside it, if there is one."""
    sources: QuerySet[File] = version.files.filter(role=File.Role.SOURCE)
    texts: dict[str, list[File]] = {}
    for text in sources.exclude(kind=File.Kind.AUDIO):
        texts.setdefault(path_key(text.stem), []).append(text)
    for recording in sources.filter(kind=File.Kind.AUDIO, transcript__isnull=True):
        beside = texts.get(path_key(recording.stem), [])
        beside.sort(
            key=lambda text: TRANSCRIPT_ORDER.index(PurePosixPath(text.path).suffix.lower())
        )
        if beside:
            transcript = beside[0]
            transcript.kind = File.Kind.TRANSCRIPT
            transcript.save(update_fields=["kind"])
            recording.transcript = transcript
            recording.save(update_fields=["transcript"])


@transaction.atomic
def cancel(*, upload: Upload) -> None:
    """Give up an upload and forget its parts. A complete one stays complete."""
    upload = Upload.objects.select_for_update().get(pk=upload.pk)
    if upload.state == Upload.State.OPEN:
        upload.state = Upload.State.CANCELED
        upload.save(update_fields=["state"])
        blob_store().discard(upload=upload.pk)


def expire() -> int:
    """Cancel uploads that were left lying; return how many."""
    expired = Upload.objects.filter(state=Upload.State.OPEN, expires_at__lte=timezone.now())
    for upload in expired:
        cancel(upload=upload)
    return len(expired)
