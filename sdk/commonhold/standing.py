"""Whether a license is in force and the consents under it still stand, at a given moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import urlsplit

from commonhold import statuslist, times
from commonhold.errors import CommonholdError
from commonhold.manifest import Json, status_place
from commonhold.report import Check, State
from commonhold.statuslist import StatusList, StatusListError
from commonhold.trust import Trust


@dataclass(frozen=True)
class Answer:
    """A status list as the site has it now, or why there is none (`trouble`); neither if offline.

    `moved`: the address that answered, where it is not the list's own.
    """

    found: StatusList | None = None
    trouble: str | None = None
    moved: str | None = None


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
        self._require_key_in_use(found)
        return found

    def read_all(self, lines: bytes) -> dict[str, StatusList]:
        """Return the verified lists of a consent-status.jwt by address, or StatusListError."""
        keys = [trusted.key for trusted in self.trust.status_keys]
        lists = statuslist.check_status_lists(lines, keys)
        for found in lists.values():
            self._require_key_in_use(found)
        return lists

    def _require_key_in_use(self, found: StatusList) -> None:
        signers = [key for key in self.trust.status_keys if key.key.keyid == found.keyid]
        if not any(trusted.covers(found.issued) for trusted in signers):
            message = "The status list is dated to a time when its key was not in use."
            raise StatusListError(message)

    def ask(self, uri: str) -> Answer:
        """Ask for the list now: at its own address, else by the same path where the site is now.

        A list keeps its address when the site moves. That of the trusted root is signed, and the
        answer must be about `uri` all the same.
        """
        if self.fetch is None:
            return Answer()
        try:
            return Answer(self.read(self.fetch(uri), uri))
        except CommonholdError as error:
            trouble = error.message
        moved = self.trust.site + urlsplit(uri).path
        if moved == uri:
            return Answer(trouble=trouble)
        try:
            return Answer(self.read(self.fetch(moved), uri), moved=moved)
        except CommonholdError:
            return Answer(trouble=trouble)


def _where(moved: str | None) -> str:
    return f" It was asked at {moved}, since its own address does not answer." if moved else ""


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
    answer = ask.ask(cast("str", status["uri"]))
    latest, trouble = answer.found, answer.trouble
    try:
        revoked = (
            latest is not None and latest.status(cast("int", status["idx"])) != statuslist.VALID
        )
    except StatusListError as error:
        revoked, trouble = False, error.message
    if answer.moved is not None:
        sentence += _where(answer.moved)
        details = details | {"asked_at": answer.moved}
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


@dataclass
class _Found:
    """The newest lists that are at hand, by address, and what stood in the way of newer ones."""

    lists: dict[str, StatusList] = field(default_factory=dict)
    trouble: str | None = None
    moved: str | None = None


def check_consent(
    release: Json, snapshot: bytes | None, granted: Sequence[str], ask: Asker
) -> tuple[Check, frozenset[int]]:
    """Return the `consent` element and the numbers (`c`) of consents that no longer stand.

    `snapshot` is consent-status.jwt; `granted` are the purposes that must still be allowed.
    """
    records = cast("list[Json]", cast("Json", release["consent"])["records"])
    nothing = frozenset[int]()
    if not records:
        return Check(State.UNKNOWN, "The manifest names no consent."), nothing
    uris = list(dict.fromkeys(cast("str", status_place(record)["uri"]) for record in records))
    try:
        found = _find(uris, snapshot, ask)
        if not found.lists:
            sentence = "There is no status list beside the manifest, so nothing is known."
            details: Json = {"standing": "unknown"}
            return Check(State.UNKNOWN, found.trouble or sentence, details), nothing
        gone = {
            cast("int", record["c"]): reason
            for record in records
            if (reason := _fallen(record, found.lists, granted, ask.now)) is not None
        }
    except StatusListError as error:
        details = {"standing": "unknown", "code": error.code}
        return Check(State.FAILED, error.message, details), nothing
    return _conclude(records, gone, found, ask.now), frozenset(gone)


def _find(uris: Sequence[str], snapshot: bytes | None, ask: Asker) -> _Found:
    """Bring together the lists of a download and those of the site; the newer of two counts.

    Raises StatusListError for a list that nobody asked for, or that is lacking.
    """
    found = _Found() if snapshot is None else _Found(ask.read_all(snapshot))
    for uri in found.lists.keys() - set(uris):
        message = f"The status list is about {uri}, which this manifest does not name."
        raise StatusListError(message)
    for uri in uris:
        answer = ask.ask(uri)
        kept = found.lists.get(uri)
        if answer.found is not None and (kept is None or answer.found.issued >= kept.issued):
            found.lists[uri] = answer.found
        found.trouble = found.trouble or answer.trouble
        found.moved = found.moved or answer.moved
    lacking = [uri for uri in uris if uri not in found.lists]
    if lacking and found.lists:
        message = f"The status list {lacking[0]} is not at hand, so nothing is known of its people."
        raise StatusListError(message)
    return found


def _fallen(
    record: Json, lists: Mapping[str, StatusList], granted: Sequence[str], now: datetime
) -> str | None:
    """Return why a consent no longer stands for what is granted; None while it does."""
    place = status_place(record)
    status_list, position = lists[cast("str", place["uri"])], cast("int", place["idx"])
    status = status_list.status(position)
    if status == statuslist.WITHDRAWN:
        return "withdrawn"
    expires = cast("str | None", record["expires"])
    if status == statuslist.EXPIRED or (expires and times.read_date(expires) <= now.date()):
        return "expired"
    if status == statuslist.NARROWED:
        withdrawn = status_list.narrowed.get(position)
        if not withdrawn:
            return "withdrawn"
        touched = sorted(set(withdrawn) & set(granted))
        return f"withdrawn for {', '.join(touched)}" if touched else None
    return None


def _conclude(records: list[Json], gone: dict[int, str], found: _Found, now: datetime) -> Check:
    oldest = min(found.lists.values(), key=lambda one: one.issued)
    as_of = times.write(oldest.issued)
    details: Json = {"as_of": as_of, "consents": len(records)}
    if found.moved is not None:
        details["asked_at"] = found.moved
    if gone:
        return _conclude_fallen(
            [record for record in records if record["c"] in gone], gone, details
        )
    fresh = all(one.is_fresh(now) for one in found.lists.values())
    details["standing"] = "fresh" if fresh else "stale"
    if not fresh:
        sentence = f"All consents stood on {as_of}, but that is too long ago. Verify online."
        return Check(State.WARNING, sentence, details)
    sentence = f"All {len(records)} consents stood on {as_of}.{_where(found.moved)}"
    if found.trouble is not None:
        sentence += f" The latest state could not be asked: {found.trouble}"
        return Check(State.WARNING, sentence, details)
    return Check(State.OK, sentence, details)


def _conclude_fallen(fallen: list[Json], gone: dict[int, str], details: Json) -> Check:
    details["fallen"] = [
        {
            "pseudonym": record["subjectPseudonym"],
            "reason": gone[cast("int", record["c"])],
            "effect": record["withdrawalEffect"],
        }
        for record in fallen
    ]
    reasons = sorted(set(gone.values()))
    expired = reasons == ["expired"]
    details["standing"] = "expired" if expired else "withdrawn"
    who = ", ".join(sorted({str(record["subjectPseudonym"]) for record in fallen}))
    if expired:
        sentence = f"The consent of {who} has expired: stop using those recordings."
        return Check(State.FAILED, sentence, details)
    what = next(reason for reason in reasons if reason != "expired")
    sentence = f"Consent was {what} by {who}: stop using those recordings, as the license demands."
    return Check(State.FAILED, sentence, details)
