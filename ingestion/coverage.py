"""What the consents behind a sealed version allow now: asked by the layers above."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from ingestion.models import ConsentRecord, Version

NUMBERED = re.compile(r"(?:audio/r|text/t)(\d+)[./]")


@dataclass(frozen=True)
class Gap:
    """The first place where consent falls short of a purpose."""

    path: str
    original: str
    """The contributor's own name of the file: for their eyes only, it may say who speaks."""
    pseudonym: str
    purpose: str
    reason: str


def records(*, version: Version) -> list[ConsentRecord]:
    """Return the consents that a sealed version rests on, by their number in its manifest."""
    release = version.release or {}
    numbers = {row["idx"]: row["c"] for row in release["consent"]["records"]}
    found = ConsentRecord.objects.filter(status_index__in=numbers).select_related("speaker")
    return sorted(found, key=lambda record: numbers[record.status_index])


def first_gap(
    *, version: Version, purposes: Sequence[str], at: datetime | None = None
) -> Gap | None:
    """Return where consent does not cover a purpose of `purposes`, or None if it covers all.

    A record that was erased counts as withdrawn: what rested on it has no consent any more.
    """
    moment = at or timezone.now()
    known = {record.status_index: record for record in records(version=version)}
    release = version.release or {}
    for row in release["consent"]["records"]:
        record = known.get(row["idx"])
        lack = shortfall(record=record, purposes=purposes, moment=moment)
        if lack is not None:
            purpose, reason = lack
            path = first_path(version=version, number=row["c"])
            return Gap(
                path=path,
                original=original_of(version=version, path=path),
                pseudonym=row["subjectPseudonym"],
                purpose=purpose,
                reason=reason,
            )
    return None


def shortfall(
    *, record: ConsentRecord | None, purposes: Iterable[str], moment: datetime
) -> tuple[str, str] | None:
    """Return the first purpose that a record does not cover, and why."""
    wanted = list(purposes)
    first = wanted[0] if wanted else ""
    if record is None or record.withdrawn_at is not None:
        return first, "withdrew consent"
    if record.expires_on is not None and record.expires_on <= moment.date():
        return first, f"gave consent only until {record.expires_on}"
    for purpose in wanted:
        if purpose in record.excluded_purposes:
            return purpose, "excluded it"
        if purpose not in record.purposes:
            return purpose, "did not agree to it"
    return None


def first_path(*, version: Version, number: int) -> str:
    """Return the first published file that rests on the consent with this number."""
    file = (
        version.files.filter(role="release", index_row__c__contains=[number])
        .exclude(path__in=["README.md", "metadata.jsonl"])
        .order_by("path")
        .first()
    )
    return file.path if file else "metadata.jsonl"


def original_of(*, version: Version, path: str) -> str:
    """Return the original that a published file was made from; the path itself for the rest.

    Originals are numbered in the order of their paths (docs/decisions/0009).
    """
    found = NUMBERED.match(path)
    sources = version.files.filter(role="source").exclude(kind="transcript").order_by("path_key")
    paths = list(sources.values_list("path", flat=True)) if found else []
    number = int(found[1]) if found else 0
    return paths[number - 1] if 0 < number <= len(paths) else path


def state(*, version: Version, at: datetime | None = None) -> str:
    """Return "given", "withdrawn" or "expired": whether everybody's consent still holds."""
    return states(versions=[version], at=at)[version.pk]


def states(*, versions: Iterable[Version], at: datetime | None = None) -> dict[int, str]:
    """Return the state of each sealed version by its primary key, in one query."""
    moment = at or timezone.now()
    rests_on = {
        version.pk: [row["idx"] for row in (version.release or {})["consent"]["records"]]
        for version in versions
    }
    everything = {place for places in rests_on.values() for place in places}
    found = ConsentRecord.objects.filter(status_index__in=everything)
    known = {record.status_index: standing(record=record, moment=moment) for record in found}
    return {
        pk: worst({known.get(place, "withdrawn") for place in places})
        for pk, places in rests_on.items()
    }


def standing(*, record: ConsentRecord, moment: datetime) -> str:
    """Return the state of one consent."""
    if record.withdrawn_at is not None:
        return "withdrawn"
    expired = record.expires_on is not None and record.expires_on <= moment.date()
    return "expired" if expired else "given"


def worst(found: set[str]) -> str:
    """Return the state that decides."""
    return next((state for state in ("withdrawn", "expired") if state in found), "given")
