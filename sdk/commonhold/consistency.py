"""What a release may say of itself: rules that hold between the parts of a statement.

The issuer keeps to them because nothing else can be built; the verifier asks them again, because
an issuer may be careless, or sign with other code.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from commonhold import canonical, times
from commonhold.errors import CommonholdError
from commonhold.purposes import BY_SLUG
from commonhold.sentences import _, filled

GIVEN = "dpv:ConsentGiven"

Json = dict[str, object]


class ManifestError(CommonholdError):
    """A statement that breaks its schema or contradicts itself."""

    code = "invalid-manifest"
    status = 422


class DatedAheadError(ManifestError):
    """A statement about what has not happened yet."""

    code = "manifest-dated-ahead"


def require(holds: bool, fault: str, **words: object) -> None:  # noqa: FBT001 (an assertion reads so)
    """Raise ManifestError unless the rule holds that `fault`, with its words, is a breach of."""
    if not holds:
        said = filled(fault, **words)
        raise ManifestError(_("The manifest contradicts itself: %(fault)s."), fault=said)


def require_past(predicate: Mapping[str, Json], now: datetime) -> None:
    """Raise DatedAheadError if the statement is dated later than `now`, clocks' errors apart.

    When a license begins is not asked here: it may begin later than it is granted.
    """
    grant = predicate.get("grant")
    moments = [predicate["release"]["issued"]]
    if grant is not None:
        moments.append(cast("Json", grant["acceptance"])["at"])
    for moment in cast("list[str]", moments):
        if times.read(moment) > now + times.TOLERANCE:
            sentence = _(
                "The manifest is dated %(time)s, which is yet to come. If your clock is right, its "
                "issuer's is wrong."
            )
            raise DatedAheadError(sentence, time=moment)


def status_place(record: Json) -> Json:
    """Return where a consent's status stands: the `uri` of the list and the `idx` in it."""
    return cast("Json", record["statusList"])


def place_key(place: Json) -> tuple[object, object]:
    """Return a place in a status list, to compare."""
    return place["uri"], place["idx"]


def records_of(release: Json) -> list[Json]:
    """Return the consents of a release."""
    return cast("dict[str, list[Json]]", release["consent"])["records"]


def check_purposes(slugs: object, fault_unknown: str, fault_twice: str, **words: object) -> None:
    """Require that purposes are known, and each is named once."""
    named = cast("list[str]", slugs)
    for slug in named:
        require(slug in BY_SLUG, fault_unknown, purpose=slug, **words)
    require_once(named, fault_twice, "purpose", **words)


def require_once(values: Iterable[object], fault: str, name: str, **words: object) -> None:
    """Require that no value is there twice; the fault is told of the first that is."""
    for value, times_named in Counter(values).items():
        require(times_named == 1, fault, **{name: value}, **words)


def check_release(release: Json, digest: Json) -> None:
    """Check the release block against the digest beside it and against itself."""
    require(
        digest["sha256"] == canonical.digest(release),
        _("its releaseDigest is not the digest of its release"),
    )
    files = cast("dict[str, Json]", release["files"])
    require(files["count"] == files["merkle"]["size"], _("it counts its files in two ways"))
    require(release["supersedes"] != release["id"], _("it supersedes itself"))
    issued = times.read(cast("str", release["issued"]))
    _check_records(records_of(release), issued)
    _check_summary(release)
    _check_processing(release, issued)


def _check_records(records: list[Json], issued: datetime) -> None:
    require(bool(records), _("it rests on nobody's consent"))
    require_once(
        (record["c"] for record in records),
        _("two of its consents have one number, %(number)s"),
        "number",
    )
    places = {place_key(status_place(record)) for record in records}
    require(len(places) == len(records), _("two of its consents have one place in a status list"))
    for record in records:
        _check_record(record)
        _check_record_in_force(record, issued)


def _check_record(record: Json) -> None:
    who = {"who": record["subjectPseudonym"]}
    given, excluded = cast("list[str]", record["purposes"]), cast("list[str]", record["excludes"])
    require(bool(given), _("%(who)s agreed to nothing"), **who)
    for slugs in (given, excluded):
        check_purposes(
            slugs,
            _("the consent of %(who)s names “%(purpose)s”, which is no purpose that is known here"),
            _("the consent of %(who)s names %(purpose)s twice"),
            **who,
        )
    for purpose in sorted(set(given) & set(excluded)):
        require(False, _("%(who)s both gave and excluded %(purpose)s"), purpose=purpose, **who)  # noqa: FBT003


def _check_record_in_force(record: Json, issued: datetime) -> None:
    number, state = record["c"], record["state"]
    fault = _("consent %(number)s did not stand when it was issued: its state is %(state)s")
    require(state == GIVEN, fault, number=number, state=state)
    given = times.read_date(cast("str", record["given"]))
    fault = _("consent %(number)s was given only after it was issued")
    require(given <= times.day_of(issued + times.TOLERANCE), fault, number=number)
    if record["expires"] is not None:
        expires = times.read_date(cast("str", record["expires"]))
        require(given < expires, _("consent %(number)s ends before it was given"), number=number)
        fault = _("consent %(number)s had run out when it was issued")
        require(not times.has_lapsed(expires, issued), fault, number=number)


def _check_summary(release: Json) -> None:
    consent = cast("Json", release["consent"])
    summary = cast("dict[str, int]", consent["summary"])
    people = {record["subjectPseudonym"] for record in records_of(release)}
    require(
        summary["subjects"] == len(people),
        _("it speaks of %(said)s people and shows the consents of %(shown)s"),
        said=summary["subjects"],
        shown=len(people),
    )
    require(
        summary["segmentsCovered"] == summary["segments"],
        _("consent covers %(covered)s of its %(segments)s segments"),
        covered=summary["segmentsCovered"],
        segments=summary["segments"],
    )


def _check_processing(release: Json, issued: datetime) -> None:
    sources = [source["id"] for source in cast("list[Json]", release["sources"])]
    require_once(sources, _("two of its sources are called “%(name)s”"), "name")
    before: set[object] = set()
    for activity in cast("list[Json]", release["processing"]):
        name = activity["id"]
        require(name not in before, _("two of its activities are called “%(name)s”"), name=name)
        for other in cast("list[str]", activity.get("after", [])):
            fault = _("activity “%(name)s” follows “%(other)s”, which is not before it")
            require(other in before, fault, name=name, other=other)
        for other in cast("list[str]", activity.get("used", [])):
            fault = _("activity “%(name)s” used “%(other)s”, which is not a source of it")
            require(other in sources, fault, name=name, other=other)
        _check_times(activity, issued)
        before.add(name)


def _check_times(activity: Json, issued: datetime) -> None:
    started, ended = (
        times.read(cast("str", activity[key])) if key in activity else None
        for key in ("started", "ended")
    )
    name = activity["id"]
    if started is not None and ended is not None:
        require(started <= ended, _("activity “%(name)s” ends before it begins"), name=name)
    latest = ended or started
    if latest is not None:
        fault = _("activity “%(name)s” is dated later than the release")
        require(latest <= issued + times.TOLERANCE, fault, name=name)
