"""Whether a license is in force and the consents under it still stand, at a given moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from commonhold import statuslist, times
from commonhold.errors import CommonholdError
from commonhold.manifest import Json
from commonhold.report import Check, State
from commonhold.statuslist import StatusList, StatusListError
from commonhold.trust import Trust


@dataclass(frozen=True)
class Asker:
    """How status lists are read: by whose keys, at what time, and whether the site may be asked."""

    trust: Trust
    now: datetime
    fetch: Callable[[str], bytes] | None

    def read(self, token: bytes, uri: str) -> StatusList:
        """Return a verified list about `uri`, or StatusListError."""
        keys = [trusted.key for trusted in self.trust.status_keys]
        found = statuslist.check_status_list(token.decode("ascii", "replace"), keys, uri)
        if not any(trusted.covers(found.issued) for trusted in self.trust.status_keys):
            message = "The status list is dated to a time when its key was not in use."
            raise StatusListError(message)
        return found

    def ask(self, uri: str) -> tuple[StatusList | None, str | None]:
        """Return the list as the site has it now, or why there is none; (None, None) offline."""
        if self.fetch is None:
            return None, None
        try:
            return self.read(self.fetch(uri), uri), None
        except CommonholdError as error:
            return None, error.message


def check_license(grant: Json | None, license_block: Json | None, ask: Asker) -> Check:
    """Return the `license` element for a verified grant."""
    if grant is None or license_block is None:
        sentence = "This manifest says what the release is; it grants a license to nobody."
        return Check(State.UNKNOWN, sentence)
    start, until = cast("str", grant["validFrom"]), cast("str | None", grant["validUntil"])
    details: Json = {"valid_from": start, "valid_until": until, "license": grant["license"]}
    name = license_block["name"]
    licensee = cast("Json", grant["licensee"])["name"]
    if ask.now < times.read(start):
        return Check(State.FAILED, f"{name} for {licensee} begins only on {start}.", details)
    if until is not None and times.read(until) <= ask.now:
        return Check(State.FAILED, f"{name} for {licensee} ended on {until}.", details)
    term = f"until {until}" if until else "without an end"
    test = " It is a TEST license." if cast("Json", grant["price"]).get("test") else ""
    sentence = f"{name}, granted to {licensee}, is in force {term}.{test}"
    return _check_revocation(cast("Json", grant["status"]), sentence, details, ask)


def _check_revocation(status: Json, sentence: str, details: Json, ask: Asker) -> Check:
    latest, trouble = ask.ask(cast("str", status["uri"]))
    try:
        revoked = (
            latest is not None and latest.status(cast("int", status["idx"])) != statuslist.VALID
        )
    except StatusListError as error:
        revoked, trouble = False, error.message
    if revoked:
        sentence = "The site has revoked this license: stop using the data under it."
        return Check(State.FAILED, sentence, details | {"revocation": "revoked"})
    if trouble is not None:
        sentence += f" Whether it was revoked could not be asked: {trouble}"
        return Check(State.WARNING, sentence, details | {"revocation": "unknown"})
    if latest is None:
        sentence += " Whether it was revoked was not asked (offline)."
        return Check(State.OK, sentence, details | {"revocation": "not-asked"})
    return Check(State.OK, sentence, details | {"revocation": "none"})


def check_consent(release: Json, token: bytes | None, ask: Asker) -> tuple[Check, frozenset[int]]:
    """Return the `consent` element and the numbers (`c`) of consents that no longer stand."""
    consent = cast("Json", release["consent"])
    records = cast("list[Json]", consent["records"])
    uri = cast("str", cast("Json", consent["statusList"])["uri"])
    nothing = frozenset[int]()
    try:
        snapshot = ask.read(token, uri) if token is not None else None
        latest, trouble = ask.ask(uri)
        newest = latest or snapshot
        if latest and snapshot and latest.issued < snapshot.issued:
            newest = snapshot
        if newest is None:
            sentence = "There is no status list beside the manifest, so nothing is known."
            return Check(State.UNKNOWN, trouble or sentence, {"standing": "unknown"}), nothing
        gone = {
            cast("int", record["c"]): reason
            for record in records
            if (reason := _fallen(record, newest, ask.now)) is not None
        }
    except StatusListError as error:
        details = {"standing": "unknown", "code": error.code}
        return Check(State.FAILED, error.message, details), nothing
    return _conclude(records, gone, newest, ask.now, trouble), frozenset(gone)


def _fallen(record: Json, status_list: StatusList, now: datetime) -> str | None:
    status = status_list.status(cast("int", record["idx"]))
    expires = cast("str | None", record["expires"])
    if status == statuslist.EXPIRED or (
        status == statuslist.VALID and expires and times.read_date(expires) < now.date()
    ):
        return "expired"
    return None if status == statuslist.VALID else "withdrawn"


def _conclude(
    records: list[Json],
    gone: dict[int, str],
    status_list: StatusList,
    now: datetime,
    trouble: str | None,
) -> Check:
    as_of = times.write(status_list.issued)
    details: Json = {"as_of": as_of, "consents": len(records)}
    if gone:
        fallen = [record for record in records if record["c"] in gone]
        details["fallen"] = [
            {
                "pseudonym": record["subjectPseudonym"],
                "reason": gone[cast("int", record["c"])],
                "effect": record["withdrawalEffect"],
            }
            for record in fallen
        ]
        standing = "withdrawn" if "withdrawn" in gone.values() else "expired"
        details["standing"] = standing
        who = ", ".join(sorted({str(record["subjectPseudonym"]) for record in fallen}))
        sentence = (
            f"Consent was {standing} by {who}: stop using those recordings, as the license demands."
            if standing == "withdrawn"
            else f"The consent of {who} has expired: stop using those recordings."
        )
        return Check(State.FAILED, sentence, details)
    fresh = status_list.is_fresh(now)
    details["standing"] = "fresh" if fresh else "stale"
    if not fresh:
        sentence = f"All consents stood on {as_of}, but that is too long ago. Verify online."
        return Check(State.WARNING, sentence, details)
    sentence = f"All {len(records)} consents stood on {as_of}."
    if trouble is not None:
        sentence += f" The latest state could not be asked: {trouble}"
        return Check(State.WARNING, sentence, details)
    return Check(State.OK, sentence, details)
