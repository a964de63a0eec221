"""Bytes and the rows that know them: whoever keeps, reads or looks at bytes goes through here.

A keeper places the bytes and makes their row in the transaction that names them, under a lock that
the sweeper takes alone: so no row is ever left without bytes by somebody else's refusal.
"""

import errno
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import security
from ingestion.archive.storage import CHUNK, BlobMissing, Staged, blob_store
from ingestion.models import Blob

READ_WHOLE = 4 * 1024 * 1024
"""Up to here bytes are hashed each time they are handed out: it takes ten milliseconds at most."""
LOCKS = 64
"""Few, because a step keeps thousands of files at once and the database's lock table is small."""
BROKEN = (errno.EIO, errno.EISDIR, errno.EUCLEAN, errno.EBADMSG)
"""What a disk says that has lost what it held. Anything else may be otherwise in a minute."""
FIRST_LOCK = 0x626C_6F62_0000


class Fault(StrEnum):
    """What can be wrong with bytes at rest."""

    MISSING = "missing"
    SIZE = "size"
    DIGEST = "digest"
    UNREADABLE = "unreadable"


class BytesDamaged(CommonholdError):
    """The bytes that lie here are not the bytes that were kept, or they are gone."""

    code = "bytes-damaged"
    status = 500


@transaction.atomic
def keep_all(*, staged: Iterable[Staged]) -> list[Blob]:
    """Give staged bytes their address and their row, in the caller's transaction.

    Bytes that were damaged or gone are whole again afterwards. A row that nothing names is swept
    after a day. Raises StorageFull.
    """
    wanted = {one.sha256: one for one in staged}
    hold(wanted)
    store, now = blob_store(), timezone.now()
    for one in wanted.values():
        store.place(one)
    blobs = [Blob(sha256=key, size=wanted[key].size, let_go_at=now) for key in sorted(wanted)]
    Blob.objects.bulk_create(blobs, ignore_conflicts=True)
    was = Q(damaged_at__isnull=False) | Q(let_go_at__lt=now)
    Blob.objects.filter(was, pk__in=wanted).update(damaged_at=None, last_checked=now, let_go_at=now)
    return blobs


def keep(*, staged: Staged) -> Blob:
    """Give staged bytes their address and their row. See keep_all."""
    (blob,) = keep_all(staged=[staged])
    return blob


def keep_bytes(*, data: bytes) -> Blob:
    """Keep a small thing that was made in memory. See keep_all."""
    with blob_store().put_bytes(data) as staged:
        return keep(staged=staged)


def hold(digests: Iterable[str]) -> None:
    """Keep the sweeper away from these addresses until the transaction ends."""
    with connection.cursor() as cursor:
        for lock in sorted({lock_of(sha256) for sha256 in digests}):
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock])


def hold_alone(sha256: str) -> None:
    """Wait until nobody keeps anything at an address, and stay alone until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_of(sha256)])


def try_to_hold_alone(sha256: str) -> bool:
    """Do the same without waiting; False if somebody is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_of(sha256)])
        (is_mine,) = cursor.fetchone()
    return bool(is_mine)


def lock_of(sha256: str) -> int:
    """Return the number of the lock that an address stands under."""
    return FIRST_LOCK + int(sha256[:2], 16) % LOCKS


def read(sha256: str) -> BinaryIO:
    """Open kept bytes for reading; they can seek. Raises BytesDamaged before a wrong byte is read.

    What has up to READ_WHOLE bytes is hashed now; of more, the size is looked at, and the rest is
    up to the rolling check (ingestion.archive.fixity). Raises StorageAway, and OSError for what
    the machine can't do just now: that says nothing of the bytes.
    """
    blob = Blob.objects.filter(pk=sha256).first()
    if blob is None or blob.damaged_at is not None:
        raise damaged(sha256)
    file = opened(blob)
    if file is None and confirm(blob, quick=blob.size > READ_WHOLE) is None:
        file = opened(blob)
    if file is None:
        raise damaged(sha256)
    return file


def opened(blob: Blob) -> BinaryIO | None:
    """Open the bytes of a row if they are what they should be, looked at as `read` says."""
    try:
        file = blob_store().open(blob.pk)
        if blob.size > READ_WHOLE:
            if file.seek(0, os.SEEK_END) == blob.size:
                file.seek(0)
                return file
            file.close()
            return None
        with file:
            data = file.read(blob.size + 1)
    except BlobMissing:
        return None
    except OSError as error:
        require_broken(error)
        return None
    return io.BytesIO(data) if hashlib.sha256(data).hexdigest() == blob.pk else None


def require_broken(error: OSError) -> None:
    """Raise an error again unless it says of the bytes that they can't be read."""
    if error.errno not in BROKEN:
        raise error


@contextmanager
def local(sha256: str) -> Iterator[Path]:
    """Give kept bytes as a local file, looked at as `read` does. Raises BytesDamaged."""
    read(sha256).close()
    with blob_store().local_path(sha256) as path:
        yield path


def damaged(sha256: str) -> BytesDamaged:
    """Make the refusal to hand out bytes that are not what they should be."""
    sentence = _(
        "The bytes %(digest)s are damaged or gone, so nothing of them is handed out. Whoever runs "
        "this site can restore them from a backup."
    )
    return BytesDamaged(sentence, digest=sha256[:8], sha256=sha256)


def tell(sha256: str, fault: Fault) -> None:
    """Note on a row that its bytes are damaged, and tell the operator, the first time."""
    now, row = timezone.now(), Blob.objects.filter(pk=sha256)
    row.update(last_checked=now)
    if row.filter(damaged_at__isnull=True).update(damaged_at=now):
        security.tell("bytes.damaged", sha256=sha256, fault=str(fault))


def confirm(blob: Blob, *, quick: bool = False) -> Fault | None:
    """Look at the bytes of a row, and note what is wrong with them; None if nothing is.

    Nobody who keeps them is held up while they are read: so a fault is noted only of bytes that
    lie there still, and what came to lie there meanwhile is looked at in its turn.
    """
    while True:
        seen = blob_store().stamp(blob.pk)
        fault = fault_of(blob, quick=quick)
        if fault is None:
            return None
        with transaction.atomic():
            hold_alone(blob.pk)
            if not Blob.objects.filter(pk=blob.pk).exists():
                return None  # Swept meanwhile: nobody names it.
            if blob_store().stamp(blob.pk) == seen:
                tell(blob.pk, fault)
                return fault


def fault_of(blob: Blob, *, quick: bool = False) -> Fault | None:
    """Look at the bytes of a row, reading them whole unless `quick`; None if nothing is wrong."""
    found = hashlib.sha256()
    try:
        size = blob_store().size_of(blob.sha256)
        if size != blob.size:
            return Fault.MISSING if size is None else Fault.SIZE
        if quick:
            return None
        with blob_store().open(blob.sha256) as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
    except BlobMissing:
        return Fault.MISSING
    except OSError as error:
        require_broken(error)
        return Fault.UNREADABLE
    return None if found.hexdigest() == blob.sha256 else Fault.DIGEST
