"""What a grant may say: rules between a license, the consents under it, and its own terms."""

from datetime import datetime, timedelta
from typing import cast

from commonhold import odrl, times
from commonhold.consistency import (
    Json,
    check_purposes,
    place_key,
    records_of,
    require,
    status_place,
)
from commonhold.purposes import DENIED_BY_DEFAULT
from commonhold.sentences import _

ALL_SHARES_BPS = 10_000
DAY = timedelta(days=1)


def check_grant(grant: Json, license_block: Json, release: Json) -> None:
    """Check a grant against its license, itself, and the consents of its release."""
    text, accepted = cast("Json", license_block["text"]), cast("Json", grant["acceptance"])
    require(grant["license"] == license_block["id"], _("it grants one license and shows another"))
    require(
        cast("str", license_block["id"]).endswith(f"/{license_block['version']}"),
        _("its license is of one version by its number and of another by its identifier"),
    )
    require(
        accepted["termsDigest"] == text["digest"],
        _("the text accepted is not the license's text"),
    )
    taken = {place_key(status_place(record)) for record in records_of(release)}
    require(
        place_key(cast("Json", grant["status"])) not in taken,
        _("the license and a consent have one place in a status list"),
    )
    _check_times(grant, release)
    _check_shares(grant)
    _check_scope(cast("dict[str, list[str]]", grant["scope"]))
    _check_covered(grant, release)
    _check_odrl(grant, license_block)


def _check_times(grant: Json, release: Json) -> None:
    issued = times.read(cast("str", release["issued"]))
    accepted = times.read(cast("str", cast("Json", grant["acceptance"])["at"]))
    start, end = _period(grant)
    require(
        issued <= accepted + times.TOLERANCE,
        _("its terms were accepted before the release was issued"),
    )
    require(
        accepted <= start + times.TOLERANCE,
        _("the license begins before its terms were accepted"),
    )
    require(end is None or start < end, _("the license ends before it begins"))
    for record in records_of(release):
        if record["expires"] is not None:
            expires = times.read_date(cast("str", record["expires"]))
            fault = _("consent %(number)s had run out when the license was granted")
            require(not times.has_lapsed(expires, start), fault, number=record["c"])


def _period(grant: Json) -> tuple[datetime, datetime | None]:
    until = cast("str | None", grant["validUntil"])
    start = times.read(cast("str", grant["validFrom"]))
    return start, None if until is None else times.read(until)


def _check_shares(grant: Json) -> None:
    shares = cast("list[dict[str, int]]", grant["revenueShares"])
    free = not cast("str", cast("Json", grant["price"])["amount"]).strip("0.")
    require(
        sum(share["bps"] for share in shares) == ALL_SHARES_BPS or (free and not shares),
        _("its revenue shares do not add up to 10,000 basis points"),
    )


def _check_scope(scope: dict[str, list[str]]) -> None:
    granted, denied = scope["purposes"], scope.get("denies", [])
    for slugs in (granted, denied):
        check_purposes(
            slugs,
            _("its scope names “%(purpose)s”, which is no purpose that is known here"),
            _("its scope names %(purpose)s twice"),
        )
    for purpose in sorted(set(granted) & set(denied)):
        require(False, _("it both grants and denies %(purpose)s"), purpose=purpose)  # noqa: FBT003
    for purpose in sorted(DENIED_BY_DEFAULT - set(granted) - set(denied)):
        require(False, _("it neither grants nor denies %(purpose)s"), purpose=purpose)  # noqa: FBT003


def _check_covered(grant: Json, release: Json) -> None:
    """Require that each consent gave each purpose: all files rest on all of them."""
    granted = cast("dict[str, list[str]]", grant["scope"])["purposes"]
    for record in records_of(release):
        given, excluded = record["purposes"], record["excludes"]
        for purpose in sorted(granted):
            words = {"purpose": purpose, "who": record["subjectPseudonym"]}
            fault = _("it grants %(purpose)s, which %(who)s excluded")
            require(purpose not in cast("list[str]", excluded), fault, **words)
            fault = _("it grants %(purpose)s, to which %(who)s did not agree")
            require(purpose in cast("list[str]", given), fault, **words)


def _check_odrl(grant: Json, license_block: Json) -> None:
    scope, document = cast("Json", grant["scope"]), cast("Json", license_block["odrl"])
    start, end = _period(grant)
    term = None if end is None else (end - start) // DAY
    fault = _("the license does not run for whole days")
    require(end is None or not (end - start) % DAY, fault)
    duties = cast("Json | None", scope.get("duties"))
    compiled = odrl.policy(
        iri=cast("str", license_block["id"]),
        purposes=cast("list[str]", scope["purposes"]),
        denies=cast("list[str]", scope.get("denies", [])),
        duties=odrl.duties_in(document) if duties is None else odrl.Duties.of(duties),
        term_days=term,
    )
    difference = odrl.difference(document, compiled)
    require(difference is None, difference or "")
