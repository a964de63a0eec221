"""Uploads: begin, receive parts in any order, complete or refuse. Nothing is ever half-stored."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from commonhold.errors import CommonholdError, Recorded
from commonhold.paths import check_path, path_key
from commonhold.sentences import _
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, locks
from accounts.audit import SITE, Actor
from accounts.models import User
from ingestion.archive import blobs, quotas, recordings, versions
from ingestion.archive.formats import media
from ingestion.archive.formats.media import MediaInfo
from ingestion.archive.storage import PartChanged, Staged, blob_store
from ingestion.models import Recording, Upload, UploadPart, Version


class UploadInvalid(CommonholdError):
    """What was announced can't be taken."""

    code = "upload-invalid"
    status = 422


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

    Raises VersionClosed, InvalidPathError, UploadInvalid, PathTaken, QuotaExceeded.
    """
    version = versions.lock_draft(version.pk)
    check_announcement(path=path, size=size, sha256=sha256)
    if not is_repair(version=version, path=path, size=size, sha256=sha256):
        recordings.require_free_name(version=version, name=path)
    for other in version.uploads.filter(state=Upload.State.OPEN, expires_at__gt=timezone.now()):
        # What was begun without a digest may hold the parts of another file of the same size.
        is_same = sha256 in {"", other.sha256}
        if other.path == path and other.size == size and is_same:
            return other
        if path_key(other.path) == path_key(path):
            raise on_its_way(path, other)
    organization = version.dataset.organization
    quotas.require(organization=organization, kind=quotas.Kind.UPLOADS)
    quotas.require(organization=organization, kind=quotas.Kind.BYTES, more=size)
    return Upload.objects.create(
        version=version,
        path=path,
        size=size,
        sha256=sha256,
        part_size=part_size(size),
        created_by=by,
        expires_at=timezone.now() + settings.UPLOAD_EXPIRES,
    )


def is_repair(*, version: Version, path: str, size: int, sha256: str) -> bool:
    """Whether a file that the version has is announced again because its bytes are damaged."""
    mine = version.files.filter(recording__name=path, recording__blob__size=size)
    if sha256:
        mine = mine.filter(recording__blob=sha256)
    return mine.filter(recording__blob__damaged_at__isnull=False).exists()


def part_size(size: int) -> int:
    """Return how many bytes each part of a file has: few, so that a broken line costs few.

    A file of more than UPLOAD_PARTS parts has larger ones, a whole multiple, up to
    UPLOAD_LARGEST_PART.
    """
    least: int = settings.UPLOAD_PART_SIZE
    multiple = -(-size // (least * settings.UPLOAD_PARTS))
    return max(least, min(least * multiple, settings.UPLOAD_LARGEST_PART))


def on_its_way(path: str, other: Upload) -> recordings.PathTaken:
    """Make the refusal of a file that another upload is bringing."""
    sentence = _(
        "«%(path)s» is on its way in another upload. Finish it where it was begun, or cancel it."
    )
    if other.path != path:
        sentence = _(
            "«%(path)s» and «%(taken_by)s» are one file on some systems, and that is on its way "
            "in another upload. Finish it where it was begun, or cancel it."
        )
    return recordings.PathTaken(sentence, path=path, taken_by=other.path, upload=str(other.pk))


def check_announcement(*, path: str, size: int, sha256: str) -> None:
    """Raise UploadInvalid (or RefusedError, for its name) when it can never be taken."""
    check_path(path)
    media.container_of(path)
    if size <= 0:
        raise UploadInvalid(_("«%(path)s» is empty, so there is nothing to keep."), path=path)
    if size > settings.UPLOAD_MAX_SIZE:
        sentence = _("«%(path)s» has %(size)s bytes; one file may have %(most)s. Split it.")
        raise UploadInvalid(sentence, path=path, size=size, most=settings.UPLOAD_MAX_SIZE)
    if sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef")):
        raise UploadInvalid(_("A SHA-256 digest is 64 lower-case hexadecimal digits."), path=path)


def receive_part(
    *, upload: Upload, number: int, chunks: Iterable[bytes], checksum: str
) -> UploadPart:
    """Take the bytes of part `number` (from 1); `checksum` is their SHA-256 in base64.

    Raises UploadClosed, UploadInvalid, PartRefused, DigestMismatch; a refused part keeps nothing,
    and one that arrived whole before stays.
    """
    require_open(upload)
    if not 1 <= number <= upload.part_count:
        sentence = _("«%(path)s» has the parts 1 to %(parts)s; there is no part %(number)s.")
        raise UploadInvalid(sentence, path=upload.path, parts=upload.part_count, number=number)
    sha256, size = decode_checksum(checksum), upload.part_length(number)
    try:
        blob_store().put_part(
            upload=upload.pk, number=number, size=size, sha256=sha256, chunks=chunks
        )
    except PartChanged as error:
        sentence = _("Part %(number)s of «%(path)s» was changed on the way. Send it again.")
        raise DigestMismatch(sentence, number=number, path=upload.path) from error
    except FileNotFoundError:
        require_still_open(upload)  # What it lay in goes when an upload ends.
        raise
    with transaction.atomic():
        upload = require_still_open(upload)
        part, _made = UploadPart.objects.update_or_create(
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
        sentence = _("Send the part's SHA-256 in base64 in the header x-amz-checksum-sha256.")
        raise UploadInvalid(sentence)
    return digest.hex()


def require_open(upload: Upload) -> None:
    """Raise UploadClosed unless the upload still takes parts."""
    closed = {
        Upload.State.COMPLETE: _("The upload of «%(path)s» is complete."),
        Upload.State.REFUSED: _("The upload of «%(path)s» was refused. %(why)s"),
        Upload.State.CANCELED: _("The upload of «%(path)s» was canceled."),
    }
    if upload.state != Upload.State.OPEN:
        why = Recorded.of(upload.error).message if upload.error else ""
        sentence = closed[Upload.State(upload.state)]
        raise UploadClosed(sentence, path=upload.path, state=upload.state, why=why)
    if upload.expires_at <= timezone.now():
        sentence = _("The upload of «%(path)s» has expired. Begin it again.")
        raise UploadClosed(sentence, path=upload.path, state="expired")


@transaction.atomic
def require_still_open(upload: Upload) -> Upload:
    """Lock an upload as it is now. Raises UploadClosed if it ended, or went with its version.

    Whoever locks its version as well locks that first.
    """
    now = as_now(upload, among=Upload.objects.select_for_update(no_key=True))
    require_open(now)
    return now


def as_now(upload: Upload, *, among: QuerySet[Upload]) -> Upload:
    """Return an upload as it is now. Raises UploadClosed if it went with its version."""
    found = among.filter(pk=upload.pk).first()
    if found is None:
        sentence = _("The upload of «%(path)s» went with its version.")
        raise UploadClosed(sentence, path=upload.path, state="gone")
    return found


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


def complete(*, upload: Upload, by: User, sha256: str = "") -> Upload:
    """Join the parts, check the whole, and make the recording; or refuse it and keep nothing.

    Returns the upload, `complete` or `refused` (its `error` says why). Raises PartsMissing,
    UploadClosed, and StorageFull (then it can be completed later). Asked again after it is
    complete, returns the same.
    """
    with transaction.atomic():
        # Once at a time; whoever cancels it or sends a part goes on.
        locks.hold(f"completing {upload.pk}")
        upload = as_now(upload, among=Upload.objects.all())
        if upload.state == Upload.State.COMPLETE:
            return upload
        require_open(upload)
        require_parts(upload)
        try:
            upload = joined(upload, announced=sha256 or upload.sha256, by=by)
        except (FileNotFoundError, Version.DoesNotExist):
            require_still_open(upload)  # Its parts go when it is given up, and with its version.
            raise
    blob_store().discard(upload=upload.pk)
    return upload


def require_parts(upload: Upload) -> None:
    """Raise PartsMissing unless every part has arrived."""
    missing = [part.number for part in part_states(upload=upload) if not part.received]
    if missing:
        sentence = _(
            "«%(path)s» can't be completed: %(lacking)s of %(parts)s parts have not arrived."
        )
        raise PartsMissing(
            sentence,
            path=upload.path,
            lacking=len(missing),
            parts=upload.part_count,
            missing=missing[:100],
        )


def joined(upload: Upload, *, announced: str, by: User) -> Upload:
    """Join the parts and keep them; return the upload, complete or refused."""
    try:
        with transaction.atomic():
            return keep(upload=upload, announced=announced, by=by)
    except UploadClosed:
        raise
    except CommonholdError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise  # Not the file's fault: its parts stay, and it can be completed later.
        upload = require_still_open(upload)
        upload.state, upload.error = Upload.State.REFUSED, error.as_record()
        upload.save(update_fields=["state", "error"])
        return upload


def keep(*, upload: Upload, announced: str, by: User) -> Upload:
    """Turn an upload's parts into a blob and a recording of the version.

    The bytes get their address when nothing is left that could refuse them, and nobody is locked
    out while they are joined.
    """
    with blob_store().assemble(upload=upload.pk, parts=upload.part_count) as staged:
        if announced and staged.sha256 != announced:
            raise changed_on_the_way(upload, staged, announced)
        info = media.sniff(staged.path, upload.path)
        version = versions.lock_draft(upload.version_id)
        upload = require_still_open(upload)
        upload.recording = placed(staged, info, name=upload.path, version=version, by=by)
    upload.state = Upload.State.COMPLETE
    upload.save(update_fields=["state", "recording"])
    return upload


def placed(staged: Staged, info: MediaInfo, *, name: str, version: Version, by: User) -> Recording:
    """Keep the bytes and give them their place; the very file that is there is made whole again."""
    there = version.files.filter(recording__name=name, recording__blob=staged.sha256).first()
    if there is not None:
        blobs.keep(staged=staged)
        return there.recording
    recordings.require_free_name(version=version, name=name)
    blob = blobs.keep(staged=staged)
    return recordings.add(version=version, name=name, blob=blob, info=info, by=by)


def changed_on_the_way(upload: Upload, staged: Staged, announced: str) -> DigestMismatch:
    """Make the refusal of bytes that are not those that were announced."""
    sentence = _(
        "«%(path)s» arrived with the digest %(got)s…, but %(awaited)s… was announced. It "
        "changed on the way or while it was read; upload it again."
    )
    return DigestMismatch(
        sentence,
        path=upload.path,
        got=staged.sha256[:8],
        awaited=announced[:8],
        expected=announced,
        received=staged.sha256,
    )


def cancel(*, upload: Upload, by: User | Actor) -> None:
    """Give up an upload and forget its parts. A complete one stays complete."""
    with transaction.atomic():
        mine = Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN)
        if not mine.update(state=Upload.State.CANCELED):
            return
        audit.note(
            by=by,
            verb="upload.canceled",
            about=(upload, upload.version, upload.version.dataset),
            version=str(upload.version),
        )
    blob_store().discard(upload=upload.pk)


def expire() -> int:
    """Cancel uploads that were left lying; return how many.

    Parts of uploads that ended, or went with their version, are forgotten too.
    """
    late = Upload.objects.filter(state=Upload.State.OPEN, expires_at__lte=timezone.now())
    expired = list(late.select_related("version__dataset__organization"))
    for upload in expired:
        cancel(upload=upload, by=SITE)
    store = blob_store()
    kept = set(store.uploads())
    still = Upload.objects.filter(pk__in=kept, state=Upload.State.OPEN)
    for gone in kept - set(still.values_list("pk", flat=True)):
        store.discard(upload=gone)
    return len(expired)
