"""The thread of a dataset and of a license, from what the rows below say."""

from collections.abc import Sequence
from typing import Any

from accounts.models import Organization
from ingestion.models import Version
from licensing.models import Grant, Offer

Station = dict[str, Any]
SEALED_STATIONS = ("source", "consent", "text", "scrub", "review", "seal")
STEPS = {"text": "text", "scrub": "redact"}


def of_listing(*, offered: bool) -> dict[str, Station]:
    """Return the thread of a dataset that stands in the catalogue, for its card: no query."""
    stations = {name: {"state": "done"} for name in SEALED_STATIONS}
    return stations | ({"license": {"state": "active", "label": "Offered"}} if offered else {})


def of_version(
    version: Version, *, consent_state: str, offers: Sequence[Offer]
) -> dict[str, Station]:
    """Return the thread of a sealed version as anybody may see it.

    `consent_state` is ingestion.coverage.state's: given, withdrawn or expired.
    """
    release = version.release or {}
    stations: dict[str, Station] = {
        "source": done(
            "Uploaded",
            at=version.created_at,
            detail=f"By {release['publisher']['name']}",
        ),
        "consent": consent(release["consent"], consent_state),
        "review": done("By a person", at=version.review_finished_at),
        "seal": done(
            "Sealed",
            at=version.sealed_at,
            digest=version.merkle_root,
            detail=f"Merkle root over {release['files']['count']} files",
        ),
        "license": license_offered(offers, consent_state),
    }
    return stations | {name: worked(release, name) for name in STEPS}


def of_grant(
    grant: Grant, *, license_state: str, consent_state: str, taken_at: Any = None
) -> dict[str, Station]:
    """Return the thread of a license: the release's, then the license's own two knots.

    `license_state` and `consent_state` are licensing.access.state's words.
    """
    stations = of_version(grant.version, consent_state=consent_state, offers=[])
    in_force = license_state == "in-force"
    stations["license"] = {
        "state": "done" if in_force else "waiting" if license_state == "not-yet" else "refused",
        "label": {"in-force": "In force", "not-yet": "Not yet"}.get(
            license_state, license_state.capitalize()
        ),
        "at": grant.issued_at,
        "detail": f"To {grant.licensee_name}. Log entry {grant.log_entry_id}",
    }
    if not in_force or consent_state != "given":
        stations["download"] = {"state": "refused", "label": "Closed"}
    elif taken_at is not None:
        stations["download"] = done("Taken", at=taken_at)
    else:
        stations["download"] = {"state": "active", "label": "Open to you"}
    return stations


def of_draft(version: Version, owner: Organization) -> dict[str, Station]:
    """Return the thread of a version that its owner alone sees."""
    stations: dict[str, Station] = {"source": done("Uploaded", detail=f"By {owner}")}
    if version.state == Version.State.WITHDRAWN:
        return stations | {"seal": {"state": "refused", "label": "Withdrawn"}}
    here = {"draft": "consent", "processing": "text", "review": "review"}.get(version.state)
    return stations | ({here: {"state": "active"}} if here else {})


def done(label: str, **facts: Any) -> Station:
    """Return a filled knot."""
    return {"state": "done", "label": label, **facts}


def consent(block: dict[str, Any], state: str) -> Station:
    """Return the knot of consent, broken where somebody's no longer holds."""
    count = block["summary"]["subjects"]
    people = "1 speaker" if count == 1 else f"{count} speakers"
    latest = max((record["given"] for record in block["records"]), default=None)
    if state == "given":
        return done(people, at=latest, detail="Every clip lies inside a recorded consent")
    word = "Withdrawn" if state == "withdrawn" else "Expired"
    return {"state": "refused", "label": word, "detail": f"Of {people}, at least one"}


def worked(release: dict[str, Any], station: str) -> Station:
    """Return the knot of a pipeline step, with its tool and the end of its work."""
    wanted = STEPS[station]
    for activity in release["processing"]:
        if activity["type"] == wanted:
            tool = activity["tool"]
            return done("Done", at=activity["ended"], detail=f"{tool['name']} {tool['version']}")
    return {"state": "done"}


def license_offered(offers: Sequence[Offer], consent_state: str) -> Station:
    """Return the knot of licensing on a dataset's page."""
    if consent_state != "given":
        return {"state": "refused", "label": "Closed"}
    if not offers:
        return {"state": "waiting", "label": "Not offered"}
    return {"state": "active", "label": "1 offer" if len(offers) == 1 else f"{len(offers)} offers"}
