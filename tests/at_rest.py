"""What can happen to bytes at rest, done to them on purpose."""

import os
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from ingestion.archive import sweeping
from ingestion.archive.storage import blob_store
from ingestion.models import Blob
from tests import clock


def read(sha256: str) -> bytes:
    """What lies at an address, whatever the rows say of it."""
    with blob_store().open(sha256) as file:
        return file.read()


def path_of(sha256: str) -> Path:
    """Where it lies."""
    with blob_store().local_path(sha256) as path:
        return path


def flip_a_bit(sha256: str) -> None:
    """One bit in the middle is another one; size and times stay."""
    path = path_of(sha256)
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def cut_short(sha256: str) -> None:
    """The last byte is gone."""
    path = path_of(sha256)
    path.write_bytes(path.read_bytes()[:-1])


def lose(sha256: str) -> None:
    """All of it is gone."""
    path_of(sha256).unlink()


def days_later(days: float, monkeypatch) -> None:
    """Let it be some days from now."""
    clock.set_to(timezone.now() + timedelta(days=days), monkeypatch)


def sweep_after(days: float, monkeypatch) -> sweeping.Swept:
    """What the sweeper does some days from now."""
    with monkeypatch.context() as patched:
        days_later(days, patched)
        return sweeping.sweep()


def named() -> set[str]:
    """The digests that some row names."""
    return set(Blob.objects.filter(sweeping.named()).values_list("pk", flat=True))


def stored() -> set[str]:
    """The digests that have bytes in the store."""
    return {path.name for path in Path(settings.BLOB_DIR).glob("??/??/*") if len(path.name) == 64}
