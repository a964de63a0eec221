"""Rows and bytes compared, both ways: what `manage.py fsck` says."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from ingestion.archive import blobs, fixity, sweeping
from ingestion.archive.blobs import Fault
from ingestion.archive.storage import blob_store
from ingestion.models import Blob, ConsentRecord, Seal

AT_ONCE = 1000
MOST_NAMES = 20
"""Of the rows that name damaged bytes so many of each kind are listed."""


@dataclass(frozen=True)
class Damage:
    """Bytes that some row names and that are not there, or are others."""

    sha256: str
    size: int
    fault: Fault
    named_by: tuple[str, ...]


@dataclass
class Report:
    """What was found. Sizes are bytes."""

    blobs: int = 0
    size: int = 0
    damaged: list[Damage] = field(default_factory=list)
    unnamed: dict[str, int] = field(default_factory=dict)
    """Digest → size of what no row names: the sweeper takes it a day after it was let go."""
    unknown: dict[str, int] = field(default_factory=dict)
    """Digest → size of what lies in the store without a row."""


def compare(*, quick: bool = False) -> Report:
    """Look at every row's bytes, reading them whole unless `quick`, and at every address.

    What is found is noted as the rolling check does: damaged bytes are held back from now on, and
    those that are whole again are handed out.
    """
    report = Report()
    rows = Blob.objects.annotate(is_named=sweeping.named()).order_by("pk")
    for blob in rows.iterator(chunk_size=AT_ONCE):
        report.blobs += 1
        report.size += blob.size
        if not blob.is_named:
            report.unnamed[blob.pk] = blob.size
        elif fault := fixity.check(blob, quick=quick):
            report.damaged.append(Damage(blob.pk, blob.size, fault, tuple(names_of(blob))))
    for sha256 in unknown():
        report.unknown[sha256] = blob_store().size_of(sha256) or 0
    return report


def unknown() -> Iterator[str]:
    """Yield the addresses that hold bytes and have no row."""
    last = ""
    while some := blob_store().after(last, count=AT_ONCE):
        last = some[-1]
        known = set(Blob.objects.filter(pk__in=some).values_list("pk", flat=True))
        yield from (sha256 for sha256 in some if sha256 not in known and is_unknown(sha256))


@transaction.atomic
def is_unknown(sha256: str) -> bool:
    """Whether bytes still have no row; not while somebody is keeping them."""
    if not blobs.try_to_hold_alone(sha256):
        return False
    return not Blob.objects.filter(pk=sha256).exists()


def names_of(blob: Blob) -> Iterator[str]:
    """Say what names a blob, by numbers and published paths: names of originals say who speaks."""
    for recording in islice(blob.recordings.select_related("dataset__organization"), MOST_NAMES):
        yield f"recording {recording.pk} of {recording.dataset}"
    proofs = ConsentRecord.objects.filter(evidence=blob).select_related("dataset__organization")
    for record in proofs[:MOST_NAMES]:
        yield f"evidence of consent {record.pk} in {record.dataset}"
    files = blob.release_files.select_related("version__dataset__organization")
    for file in files[:MOST_NAMES]:
        yield f"{file.path} of {file.version}"
    for name in ("index", "croissant"):
        seals = Seal.objects.filter(**{name: blob})
        for seal in seals.select_related("version__dataset__organization")[:MOST_NAMES]:
            yield f"{name} of {seal.version}"
    outputs = blob.step_files.select_related("step__run__recording__dataset__organization")
    for output in outputs[:MOST_NAMES]:
        recording = output.step.run.recording
        yield f"{output.name} of {output.step.name} of recording {recording.pk}"
