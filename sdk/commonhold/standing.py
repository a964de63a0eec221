"""Whether a license is in force and the consents under it still stand, at a given moment."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

from commonhold import statuslist, times
from commonhold.consistency import Json, status_place
from commonhold.errors import CommonholdError
from commonhold.report import Check, State
from commonhold.sentences import Sentence, _, filled, n_, one_after_another
from commonhold.statuslist import StatusList, StatusListError
from commonhold.trust import Trust

WITHDRAWN_FOR = "withdrawn for "
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Answer:
    """A status list as the site has it now, or why there is none (`trouble`); neither if offline.

    `moved`: the address that answered, where it is not the list's own; then `trouble` is why not.
    """

    found: StatusList | None = None
    trouble: Sentence | None = None
    moved: str | None = None


@dataclass(frozen=True)
class Asker:
    """How status lists are read: by whose keys, at what time, and whether and where to ask."""

    trust: Trust
    now: datetime
    fetch: Callable[[str], bytes] | None
    sites: Sequence[str] = ()

    def read(self, token: bytes, uri: str) -> StatusList:
        """Return a verified list about `uri`, or StatusListError."""
        keys = [trusted.key for trusted in self.trust.status_keys]
        found = statuslist.check_status_list(token.decode("ascii", "replace"), keys, uri)
        self._require_sane(found)
        return found

    def read_all(self, lines: bytes) -> dict[str, StatusList]:
        """Return the verified lists of a consent-status.jwt by address, or StatusListError."""
        keys = [trusted.key for trusted in self.trust.status_keys]
        lists = statuslist.check_status_lists(lines, keys)
        for found in lists.values():
            self._require_sane(found)
        return lists

    def _require_sane(self, found: StatusList) -> None:
        if found.issued > self.now + times.TOLERANCE:
            sentence = _(
                "The status list is dated %(time)s, which is yet to come. If your clock is right, "
                "its issuer's is wrong."
            )
            raise StatusListError(sentence, time=times.write(found.issued))
        signers = [key for key in self.trust.status_keys if key.key.keyid == found.keyid]
        if not any(trusted.covers(found.issued) for trusted in signers):
            raise StatusListError(
                _("The status list is dated to a time when its key was not in use.")
            )

    def ask(self, uri: str) -> Answer:
        """Ask for the list now: at its own address, else by the same path where the site is now.

        A list keeps its address when the site moves. The answer must be about `uri` all the same.
        """
        if self.fetch is None:
            return Answer()
        try:
            return Answer(self.read(self.fetch(uri), uri))
        except CommonholdError as error:
            trouble = error.said
        for site in self.sites:
            moved = site + urlsplit(uri).path
            if moved != uri:
                with suppress(CommonholdError):
                    return Answer(self.read(self.fetch(moved), uri), trouble, moved)
        return Answer(trouble=trouble)


def _age(of: StatusList, now: datetime) -> Sentence:
    """Say how old a list is."""
    minutes = max(0, (now - of.issued) // MINUTE)
    hours, days = minutes // 60, minutes // (60 * 24)
    if days > 1:
        return filled(n_("one day ago", "%(age)s days ago", days), age=days)
    if hours > 1:
        return filled(n_("one hour ago", "%(age)s hours ago", hours), age=hours)
    return filled(n_("one minute ago", "%(age)s minutes ago", minutes), age=minutes)


def _where(answer: Answer | None) -> list[Sentence]:
    """Say that a list was asked for elsewhere, if it was, and why."""
    if answer is None or answer.moved is None:
        return []
    sentence = _("It was asked at %(address)s, since its own address did not help: %(why)s")
    return [filled(sentence, address=answer.moved, why=answer.trouble)]


def check_license(grant: Json | None, license_block: Json | None, ask: Asker) -> Check:
    """Return the `license` element for a verified grant."""
    if grant is None or license_block is None:
        sentence = _("This manifest says what the release is; it grants a license to nobody.")
        return Check(State.UNKNOWN, sentence)
    start, until = cast("str", grant["validFrom"]), cast("str | None", grant["validUntil"])
    details: Json = {"valid_from": start, "valid_until": until, "license": grant["license"]}
    licensee = cast("Json", grant["licensee"])["name"]
    words: Json = {"name": license_block["name"], "licensee": licensee}
    if ask.now + times.TOLERANCE < times.read(start):
        begins = _("%(name)s for %(licensee)s begins only on %(valid_from)s.")
        return Check(State.FAILED, begins, details, words)
    if until is not None and times.read(until) <= ask.now:
        return Check(State.FAILED, _in_force(until, ended=True), details, words)
    said: list[Sentence] = [filled(_in_force(until), valid_until=until, **words)]
    if cast("Json", grant["price"]).get("test"):
        said.append(_("It is a TEST license."))
    return _check_revocation(cast("Json", grant["status"]), said, details, ask)


def _in_force(until: str | None, *, ended: bool = False) -> Sentence:
    """Return the sentence about a license that began."""
    if ended:
        return _("%(name)s for %(licensee)s ended on %(valid_until)s.")
    if until is None:
        return _("%(name)s, granted to %(licensee)s, is in force without an end.")
    return _("%(name)s, granted to %(licensee)s, is in force until %(valid_until)s.")


def _check_revocation(status: Json, said: list[Sentence], details: Json, ask: Asker) -> Check:
    answer = ask.ask(cast("str", status["uri"]))
    latest, trouble = answer.found, None if answer.found else answer.trouble
    try:
        revoked = (
            latest is not None and latest.status(cast("int", status["idx"])) != statuslist.VALID
        )
    except StatusListError as error:
        revoked, trouble = False, error.said
    if answer.moved is not None:
        said = [*said, *_where(answer)]
        details = details | {"asked_at": answer.moved}
    if revoked:
        sentence = _("The site has revoked this license: stop using the data under it.")
        return Check(State.FAILED, sentence, details | {"revocation": "revoked"})
    state, revocation, known = _revocation(latest, trouble, ask.now)
    if latest is not None:
        details = details | {"as_of": times.write(latest.issued)}
    return Check(state, one_after_another(*said, known), details | {"revocation": revocation})


def _revocation(
    latest: StatusList | None, trouble: Sentence | None, now: datetime
) -> tuple[State, str, Sentence]:
    """Return what is known of a license that no list calls revoked."""
    if trouble is not None:
        asked = _("Whether it was revoked could not be asked: %(why)s")
        return State.WARNING, "unknown", filled(asked, why=trouble)
    if latest is None:
        not_asked = _("Whether it was revoked was not asked (offline).")
        return State.UNKNOWN, "not-asked", not_asked
    words = {"as_of": times.write(latest.issued), "age": _age(latest, now)}
    if not latest.is_fresh(now):
        old = _("It was not revoked on %(as_of)s, %(age)s; the site has nothing newer to show.")
        return State.WARNING, "stale", filled(old, **words)
    return State.OK, "none", filled(_("It was not revoked on %(as_of)s, %(age)s."), **words)


@dataclass
class _Found:
    """The newest lists that are at hand, by address, and what came of asking for newer ones."""

    lists: dict[str, StatusList] = field(default_factory=dict)
    asked: bool = False
    trouble: Sentence | None = None
    elsewhere: Answer | None = None


def check_consent(
    release: Json, snapshot: bytes | None, granted: Sequence[str], ask: Asker
) -> tuple[Check, frozenset[int]]:
    """Return the `consent` element and the numbers (`c`) of consents that no longer stand.

    `snapshot` is consent-status.jwt; `granted` are the purposes that must still be allowed.
    """
    records = cast("list[Json]", cast("Json", release["consent"])["records"])
    nothing = frozenset[int]()
    if not records:
        return Check(State.UNKNOWN, _("The manifest names no consent.")), nothing
    uris = list(dict.fromkeys(cast("str", status_place(record)["uri"]) for record in records))
    try:
        found = _find(uris, snapshot, ask)
        if not found.lists:
            sentence = _("There is no status list beside the manifest, so nothing is known.")
            details: Json = {"standing": "unknown"}
            return Check(State.UNKNOWN, found.trouble or sentence, details), nothing
        gone = {
            cast("int", record["c"]): reason
            for record in records
            if (reason := _fallen(record, found.lists, granted, ask.now)) is not None
        }
    except StatusListError as error:
        details = {"standing": "unknown", "code": error.code}
        return Check(State.FAILED, error.said, details), nothing
    return _conclude(records, gone, found, ask.now), frozenset(gone)


def _find(uris: Sequence[str], snapshot: bytes | None, ask: Asker) -> _Found:
    """Bring together the lists of a download and those of the site; the newer of two counts.

    Raises StatusListError for a list that nobody asked for, or that is lacking.
    """
    lists = {} if snapshot is None else ask.read_all(snapshot)
    found = _Found(lists, asked=ask.fetch is not None)
    for uri in found.lists.keys() - set(uris):
        sentence = _("The status list is about %(uri)s, which this manifest does not name.")
        raise StatusListError(sentence, uri=uri)
    for uri in uris:
        answer = ask.ask(uri)
        kept = found.lists.get(uri)
        if answer.found is not None and (kept is None or answer.found.issued >= kept.issued):
            found.lists[uri] = answer.found
        if answer.found is None:
            found.trouble = found.trouble or answer.trouble
        elif answer.moved is not None:
            found.elsewhere = found.elsewhere or answer
    lacking = [uri for uri in uris if uri not in found.lists]
    if lacking and found.lists:
        sentence = _("The status list %(uri)s is not at hand, so nothing is known of its people.")
        raise StatusListError(sentence, uri=lacking[0])
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
    lapses = times.read_date(expires) if expires else None
    if status == statuslist.EXPIRED or times.has_lapsed(lapses, now):
        return "expired"
    if status == statuslist.NARROWED:
        withdrawn = status_list.narrowed.get(position)
        if not withdrawn:
            return "withdrawn"
        touched = sorted(set(withdrawn) & set(granted))
        return WITHDRAWN_FOR + ", ".join(touched) if touched else None
    if status != statuslist.VALID:
        sentence = _(
            "The status list gives consent %(number)s the status %(status)s, which has no meaning."
        )
        raise StatusListError(sentence, number=record["c"], status=status)
    return None


def _conclude(records: list[Json], gone: dict[int, str], found: _Found, now: datetime) -> Check:
    oldest = min(found.lists.values(), key=lambda one: one.issued)
    as_of, age = times.write(oldest.issued), _age(oldest, now)
    age_seconds = max(0, (now - oldest.issued) // timedelta(seconds=1))
    details: Json = {"as_of": as_of, "age_seconds": age_seconds, "consents": len(records)}
    if found.elsewhere is not None:
        details["asked_at"] = found.elsewhere.moved
    if gone:
        return _conclude_fallen(
            [record for record in records if record["c"] in gone], gone, details
        )
    fresh = all(one.is_fresh(now) for one in found.lists.values())
    details["standing"] = "fresh" if fresh else "stale"
    said = [_stood(len(records), as_of, age, fresh=fresh), *_where(found.elsewhere)]
    if found.trouble is not None:
        said.append(filled(_("The latest state could not be asked: %(why)s"), why=found.trouble))
    elif not fresh:
        newer = _("The site has nothing newer to show.")
        said.append(newer if found.asked else _("Verify online."))
    state = State.OK if fresh and found.trouble is None else State.WARNING
    return Check(state, one_after_another(*said), details)


def _stood(consents: int, as_of: str, age: Sentence, *, fresh: bool) -> Sentence:
    """Say when all consents stood, as far as is known."""
    if not fresh:
        old = _("All consents stood on %(as_of)s, %(age)s: that is too long ago.")
        return filled(old, as_of=as_of, age=age)
    stood = n_(
        "The one consent stood on %(as_of)s, %(age)s.",
        "All %(consents)s consents stood on %(as_of)s, %(age)s.",
        consents,
    )
    return filled(stood, as_of=as_of, age=age, consents=consents)


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
        sentence = _("The consent of %(who)s has expired: stop using those recordings.")
        return Check(State.FAILED, sentence, details, {"who": who})
    what = next(reason for reason in reasons if reason != "expired")
    purposes = what.removeprefix(WITHDRAWN_FOR)
    if purposes == what:
        sentence = _(
            "Consent was withdrawn by %(who)s: stop using those recordings, as the license demands."
        )
        return Check(State.FAILED, sentence, details, {"who": who})
    sentence = _(
        "Consent was withdrawn for %(purposes)s by %(who)s: stop using those recordings, as the "
        "license demands."
    )
    return Check(State.FAILED, sentence, details, {"who": who, "purposes": purposes})
