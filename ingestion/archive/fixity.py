"""Fixity: every blob is read whole in turn; what is not itself any more is told and held back.

The way is that of InvenioRDM's scheduled checks: all of it in FIXITY_DAYS, a share of it each hour.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from ingestion.archive import blobs
from ingestion.archive.blobs import Fault
from ingestion.models import Blob, Version

RUNS_A_DAY = 24
log = logging.getLogger(__name__)


def check_share() -> dict[str, Fault]:
    """Check the blobs that were not looked at for longest; return what is wrong, by digest.

    One run of RUNS_A_DAY takes its share of a cycle of FIXITY_DAYS, and whatever is damaged: bytes
    that somebody restored are handed out again within the hour. What came today was hashed today.
    """
    rows = Blob.objects.filter(damaged_at__isnull=True, let_go_at__isnull=True)
    share = -(-rows.count() // (settings.FIXITY_DAYS * RUNS_A_DAY))
    turn = [*Blob.objects.filter(damaged_at__isnull=False), *rows.order_by("last_checked")[:share]]
    checked = ((blob.pk, check(blob)) for blob in turn)
    return {sha256: fault for sha256, fault in checked if fault is not None}


def damaged_in(*, version: Version) -> list[str]:
    """Return the names of the originals, and the paths of the published files, that are damaged."""
    if not Blob.objects.filter(damaged_at__isnull=False).exists():
        return []
    originals = version.files.filter(recording__blob__damaged_at__isnull=False)
    published = version.release_files.filter(blob__damaged_at__isnull=False)
    return [
        *originals.order_by("key").values_list("recording__name", flat=True),
        *published.order_by("position").values_list("path", flat=True),
    ]


def check(blob: Blob, *, quick: bool = False) -> Fault | None:
    """Look at the bytes of a blob and note what was found; None if nothing is wrong.

    `quick` reads nothing but what was damaged: it finds what is missing or has another size.
    """
    began = timezone.now()
    if quick and blob.damaged_at is None:
        return blobs.confirm(blob, quick=True)
    fault = blobs.confirm(blob)
    if fault is None:
        note_sound(blob, at=began)
    return fault


def note_sound(blob: Blob, *, at: datetime) -> None:
    """Note that the bytes are what they should be, unless something else was found meanwhile."""
    mine = Blob.objects.filter(pk=blob.pk, damaged_at=blob.damaged_at)
    if mine.update(last_checked=at, damaged_at=None) and blob.damaged_at is not None:
        log.info("The bytes %s are whole again.", blob.pk)
