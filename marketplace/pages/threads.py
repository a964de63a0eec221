"""The thread of a dataset and of a license, from what the rows below say."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Organization
from ingestion.models import Version
from licensing.models import Grant, Offer
from marketplace.templatetags import wording

Station = dict[str, Any]
SEALED_STATIONS = ("source", "consent", "text", "scrub", "review", "seal")
STEPS = {"text": "text", "scrub": "redact"}
LICENSE_WORDS = {
    "in-force": gettext_lazy("In force"),
    "not-yet": gettext_lazy("Not yet"),
    "expired": gettext_lazy("Expired"),
    "revoked": gettext_lazy("Revoked"),
}


def of_listing(*, offered: bool) -> dict[str, Station]:
    """Return the thread of a dataset that stands in the catalogue, for its card: no query."""
    stations = {name: {"state": "done"} for name in SEALED_STATIONS}
    return stations | ({"license": {"state": "active", "label": _("Offered")}} if offered else {})


def of_version(
    version: Version, *, release: Mapping[str, Any], consent_state: str, offers: Sequence[Offer]
) -> dict[str, Station]:
    """Return the thread of a sealed version as anybody may see it.

    `release` is what was signed; `consent_state` is given, withdrawn or expired.
    """
    stations: dict[str, Station] = {
        "source": done(
            _("Uploaded"),
            at=version.created_at,
            detail=by(release["publisher"]["name"]),
        ),
        "consent": consent(release["consent"], consent_state),
        "review": done(_("By a person"), at=version.review_finished_at),
        "seal": done(
            _("Sealed"),
            at=version.sealed_at,
            digest=version.merkle_root,
            detail=root_over(release["files"]["count"]),
        ),
        "license": license_offered(offers, consent_state),
    }
    return stations | {name: worked(release, name) for name in STEPS}


def of_grant(
    grant: Grant,
    *,
    license_state: str,
    consent_state: str,
    release: Mapping[str, Any] | None = None,
    taken_at: Any = None,
) -> dict[str, Station]:
    """Return the thread of a license: the release's, then the license's own two knots.

    `license_state` and `consent_state` are licensing.access.state's words; without the signed
    `release` the knots before the seal say less, and nothing has to be read for them.
    """
    version = grant.version
    if release is None:
        stations = sealed_stations(version, consent_state)
    else:
        stations = of_version(version, release=release, consent_state=consent_state, offers=[])
    in_force = license_state == "in-force"
    stations["license"] = {
        "state": "done" if in_force else "waiting" if license_state == "not-yet" else "refused",
        "label": LICENSE_WORDS[license_state],
        "at": grant.issued_at,
        "detail": _("To %(licensee)s") % {"licensee": grant.licensee_name},
    }
    if not in_force or consent_state != "given":
        stations["download"] = {"state": "refused", "label": _("Closed")}
    elif taken_at is not None:
        stations["download"] = done(_("Taken"), at=taken_at)
    else:
        stations["download"] = {"state": "active", "label": _("Open to you")}
    return stations


def of_draft(version: Version, owner: Organization) -> dict[str, Station]:
    """Return the thread of a version that its owner alone sees."""
    stations: dict[str, Station] = {"source": done(_("Uploaded"), detail=by(owner.name))}
    if version.state == Version.State.WITHDRAWN:
        return stations | {"seal": {"state": "refused", "label": _("Withdrawn")}}
    here = {"draft": "consent", "processing": "text", "review": "review"}.get(version.state)
    return stations | ({here: {"state": "active"}} if here else {})


def by(name: str) -> str:
    """Say who did it."""
    return _("By %(name)s") % {"name": name}


def root_over(count: int) -> str:
    """Say what the digest of a seal is."""
    told = ngettext("Merkle root over %(count)s file", "Merkle root over %(count)s files", count)
    return told % {"count": wording.number(count)}


def done(label: str, **facts: Any) -> Station:
    """Return a filled knot."""
    return {"state": "done", "label": label, **facts}


def sealed_stations(version: Version, consent_state: str) -> dict[str, Station]:
    """Return the thread up to the seal from what a version itself knows: no query, no manifest."""
    stations: dict[str, Station] = {name: {"state": "done"} for name in SEALED_STATIONS}
    stations["seal"] = done(_("Sealed"), at=version.sealed_at, digest=version.merkle_root)
    if consent_state != "given":
        word = _("Withdrawn") if consent_state == "withdrawn" else _("Expired")
        stations["consent"] = {"state": "refused", "label": word}
    return stations


def consent(block: Mapping[str, Any], state: str) -> Station:
    """Return the knot of consent, broken where somebody's no longer holds."""
    count = block["summary"]["subjects"]
    people = ngettext("%(count)s speaker", "%(count)s speakers", count) % {
        "count": wording.number(count)
    }
    latest = max((record["given"] for record in block["records"]), default=None)
    if state == "given":
        return done(people, at=latest, detail=_("Every clip lies inside a recorded consent"))
    word = _("Withdrawn") if state == "withdrawn" else _("Expired")
    told = ngettext(
        "Of %(count)s speaker, at least one", "Of %(count)s speakers, at least one", count
    )
    return {"state": "refused", "label": word, "detail": told % {"count": wording.number(count)}}


def worked(release: Mapping[str, Any], station: str) -> Station:
    """Return the knot of a pipeline step, with its tool and the end of its work."""
    wanted = STEPS[station]
    for activity in release["processing"]:
        if activity["type"] == wanted:
            tool = activity["tool"]
            return done(_("Done"), at=activity["ended"], detail=f"{tool['name']} {tool['version']}")
    return {"state": "done"}


def license_offered(offers: Sequence[Offer], consent_state: str) -> Station:
    """Return the knot of licensing on a dataset's page."""
    if consent_state != "given":
        return {"state": "refused", "label": _("Closed")}
    if not offers:
        return {"state": "waiting", "label": _("Not offered")}
    count = len(offers)
    told = ngettext("%(count)s offer", "%(count)s offers", count) % {"count": wording.number(count)}
    return {"state": "active", "label": told}
