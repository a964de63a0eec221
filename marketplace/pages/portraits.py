"""What a sealed release says of its people and its making, put together for a page."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import langcodes
from commonhold.purposes import PURPOSES
from django.utils import timezone

from ingestion import coverage
from ingestion.models import ConsentRecord, Version
from marketplace.templatetags import wording

NAMED = 100
STEP_NAMES = {
    "decode": "Decode the recording",
    "vad": "Find speech in it",
    "text": "Text with word times",
    "detect": "Look for personal data",
    "redact": "Redact text and sound",
    "strip": "Strip tags, pictures, chapters",
    "quality": "Measure",
}


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
    """The consent behind a release, added up."""

    state: str
    speakers: int
    records: int
    purposes: list[tuple[str, int]]
    """Purpose and by how many of the consents it is allowed."""
    jurisdictions: list[str]
    first_given: date
    last_given: date
    first_expiry: date | None
    people: list[Person]


def consent_of(version: Version) -> Consent | None:
    """Add up the consents as the manifest shows them; their states are those of now."""
    block = (version.release or {}).get("consent")
    if not block or not block["records"]:
        return None
    rows: list[dict[str, Any]] = block["records"]
    known = {record.status_index: record for record in coverage.records(version=version)}
    allowed = Counter(purpose for row in rows for purpose in row["purposes"])
    expiries = sorted(row["expires"] for row in rows if row["expires"])
    people = [person(row, known.get(row["idx"])) for row in rows[:NAMED]]
    return Consent(
        state=coverage.state(version=version),
        speakers=block["summary"]["subjects"],
        records=len(rows),
        purposes=[(one.slug, allowed[one.slug]) for one in PURPOSES if allowed[one.slug]],
        jurisdictions=sorted({jurisdiction_name(row["jurisdiction"]) for row in rows}),
        first_given=date.fromisoformat(min(row["given"] for row in rows)),
        last_given=date.fromisoformat(max(row["given"] for row in rows)),
        first_expiry=date.fromisoformat(expiries[0]) if expiries else None,
        people=people,
    )


def jurisdiction_name(code: str) -> str:
    """Name a jurisdiction where its code is a country's (ISO 3166-1) or the EU's."""
    if not re.fullmatch(r"[A-Z]{2}", code):
        return code
    name = langcodes.Language.make(territory=code).territory_name()
    return code if name.startswith("Unknown") else name


def person(row: dict[str, Any], record: ConsentRecord | None) -> Person:
    """Return one row of the manifest with the state of its consent now."""
    expires = date.fromisoformat(row["expires"]) if row["expires"] else None
    if record is None or record.withdrawn_at is not None:
        state = "withdrawn"
    elif expires is not None and expires <= timezone.now().date():
        state = "expired"
    else:
        state = "given"
    return Person(
        pseudonym=row["subjectPseudonym"],
        role=row["subjectRole"],
        jurisdiction=row["jurisdiction"],
        given=date.fromisoformat(row["given"]),
        expires=expires,
        state=state,
    )


def figures_of(version: Version) -> list[tuple[str, str, str]]:
    """Return the quality figures that are known: name, value with its unit, what it means."""
    quality: dict[str, Any] = version.quality
    found: list[tuple[str, str, str]] = []
    if quality.get("clips_ms"):
        found.append(("Length of the clips", wording.duration(quality["clips_ms"]), ""))
    if quality.get("words"):
        timed = quality.get("words_timed", 0) * 100 // quality["words"]
        found.append(("Words", f"{quality['words']:,}", f"{timed} % with times of their own"))
    if quality.get("snr_db") is not None:
        found.append(("Signal to noise", f"{quality['snr_db']} dB", "mean of the recordings"))
    if quality.get("rms_dbfs") is not None:
        level = str(quality["rms_dbfs"]).replace("-", "\N{MINUS SIGN}")
        found.append(("Loudness", f"{level} dBFS", "RMS, mean of the recordings"))
    if quality.get("clips_ms"):
        removed = quality.get("redacted_ms", 0)
        share = removed * 1000 // quality["clips_ms"]
        meaning = f"{share // 10}.{share % 10} % of the clips, {redactions(quality)}"
        found.append(("Redacted", wording.duration(removed), meaning))
    return found


def redactions(quality: dict[str, Any]) -> str:
    """Say how many redactions of which kinds there are."""
    kinds = quality.get("redactions_by_kind") or {}
    if not kinds:
        return "nothing personal was found"
    return ", ".join(
        f"{count} {wording.redaction(kind).removesuffix(' removed')}{'s' if count > 1 else ''}"
        for kind, count in sorted(kinds.items(), key=lambda item: -item[1])
    )


def activities_of(version: Version) -> list[dict[str, Any]]:
    """Return the steps that made the release, as the manifest has them."""
    return [
        {
            "name": STEP_NAMES.get(activity["type"], activity["type"].capitalize()),
            "tool": activity["tool"]["name"],
            "version": activity["tool"]["version"],
            "model": activity.get("model", {}).get("digest", {}).get("sha256", ""),
            "files": activity.get("counts", {}).get("files"),
            "ended": activity.get("ended"),
        }
        for activity in (version.release or {}).get("processing", [])
    ]
