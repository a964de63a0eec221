"""Reading what was sealed: its files, its index, its documents."""

import json
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ingestion.archive import blobs
from ingestion.models import ReleaseFile, Seal, Version


def files(*, version: Version) -> QuerySet[ReleaseFile]:
    """Return the published files of a sealed version, in the order of its index."""
    return version.release_files.select_related("blob").order_by("position")


def index_bytes(*, version: Version) -> bytes:
    """Return files.jsonl of a sealed version, as it was sealed."""
    return stored(seal_of(version=version).index_id)


def stored(sha256: str) -> bytes:
    """Return a small stored document whole."""
    with blobs.read(sha256) as document:
        return document.read()


def first_texts(*, file: ReleaseFile, count: int) -> list[str]:
    """Return the first rows of a published text, read as far as they are asked for."""
    with blobs.read(file.blob_id) as lines:
        return [json.loads(line)["text"] for line in islice(lines, count)]


def seal_of(*, version: Version) -> Seal:
    """Return what the seal of a version made."""
    return Seal.objects.select_related("statement__entry").get(version=version)


def croissant(*, version: Version) -> bytes:
    """Return the sealed croissant.json of a version."""
    return stored(seal_of(version=version).croissant_id)


@transaction.atomic
def rely(*, version: Version) -> None:
    """Note that somebody relies on a release from now on: what it rests on can't be voided.

    Locks the version the first time, so that whoever voids waits, or was first.
    """
    Version.objects.filter(pk=version.pk, relied_on_at__isnull=True).update(
        relied_on_at=timezone.now()
    )
