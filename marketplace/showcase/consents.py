"""The consent behind a version, added up: of a sealed one by its manifest, its state as of now."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from commonhold.purposes import PURPOSES
from django.utils import timezone

from ingestion.consent import coverage
from ingestion.models import ConsentRecord, ReleaseConsent, Version

NAMED = 100


@dataclass(frozen=True)
class Person:
    """What is published of one consent: a pseudonym, never a name."""

    pseudonym: str
    role: str
    jurisdiction: str
    given: date
    expires: date | None
    state: str


@dataclass(frozen=True)
class Consent:
    """The consents behind a version."""

    state: str
    """given, withdrawn or expired; none while there are no consents."""
    speakers: int = 0
    records: int = 0
    allows: tuple[str, ...] = ()
    """Purposes that every one of them allows."""
    excludes: tuple[str, ...] = ()
    """Purposes that at least one of them excludes."""
    purposes: tuple[tuple[str, int], ...] = ()
    """Purpose, and by how many of the consents it is allowed."""
    jurisdictions: tuple[str, ...] = ()
    first_given: date | None = None
    last_given: date | None = None
    first_expiry: date | None = None
    people: tuple[Person, ...] = field(default=())


def of_sealed(*, version: Version, release: Mapping[str, Any]) -> Consent:
    """Add up the consents of a sealed version, whose signed release is at hand. One query."""
    rows: list[dict[str, Any]] = release["consent"]["records"]
    if not rows:
        return Consent(state="none")
    now = timezone.now()
    resting = list(
        ReleaseConsent.objects.filter(version=version).only(
            "number", "ended", "expires_on", "withdrawn_purposes"
        )
    )
    standing = {one.number: str(coverage.standing(one, (), now)) for one in resting}
    taken_back = {one.number: set(one.withdrawn_purposes) for one in resting}
    allowed = [set(row["purposes"]) - taken_back.get(row["c"], set()) for row in rows]
    counts = Counter(purpose for one in allowed for purpose in one)
    expiries = sorted(row["expires"] for row in rows if row["expires"])
    given = sorted(row["given"] for row in rows)
    return Consent(
        state=worst(standing.values()),
        speakers=release["consent"]["summary"]["subjects"],
        records=len(rows),
        allows=tuple(sorted(set.intersection(*allowed))),
        excludes=tuple(sorted({purpose for row in rows for purpose in row["excludes"]})),
        purposes=tuple((one.slug, counts[one.slug]) for one in PURPOSES if counts[one.slug]),
        jurisdictions=tuple(sorted({row["jurisdiction"] for row in rows})),
        first_given=date.fromisoformat(given[0]),
        last_given=date.fromisoformat(given[-1]),
        first_expiry=date.fromisoformat(expiries[0]) if expiries else None,
        people=tuple(person(row, standing.get(row["c"], "withdrawn")) for row in rows[:NAMED]),
    )


def worst(states: Any) -> str:
    """Return the state that decides."""
    there = set(states)
    return next((one for one in ("withdrawn", "expired") if one in there), "given")


def person(row: Mapping[str, Any], state: str) -> Person:
    """Return one consent of a manifest, with its state now."""
    return Person(
        pseudonym=row["subjectPseudonym"],
        role=row["subjectRole"],
        jurisdiction=row["jurisdiction"],
        given=date.fromisoformat(row["given"]),
        expires=date.fromisoformat(row["expires"]) if row["expires"] else None,
        state=state,
    )


def of_open(*, version: Version) -> Consent:
    """Add up the consents in force over the recordings of a version that is still open."""
    records = list(
        ConsentRecord.objects.in_force()
        .filter(scopes__recording__files__version=version)
        .distinct()
        .order_by("given_on")
    )
    if not records:
        return Consent(state="none")
    allowed = [set(record.standing_purposes) for record in records]
    return Consent(
        state="given",
        speakers=len({record.speaker_id for record in records}),
        records=len(records),
        allows=tuple(sorted(set.intersection(*allowed))),
        excludes=tuple(sorted({name for one in records for name in one.excluded_purposes})),
    )
