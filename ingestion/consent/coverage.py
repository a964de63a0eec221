"""What the consents behind a sealed version allow now: asked by the layers above."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commonhold import times
from django.db.models import Q
from django.utils import timezone

from ingestion.models import ConsentRecord, ReleaseConsent, ReleaseFile, Version


class Lack(StrEnum):
    """Why a consent does not cover a purpose."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    EXCLUDED = "excluded"
    NOT_GIVEN = "not-given"
    TAKEN_BACK = "taken-back"


@dataclass(frozen=True)
class Gap:
    """The first place where consent falls short of a purpose."""

    path: str
    original: str
    """The contributor's own name of the recording: for their eyes only, it may say who speaks."""
    pseudonym: str
    purpose: str
    lack: Lack
    until: str
    """For an expired consent: the last day that it covered, ISO 8601."""


def first_gap(
    *, version: Version, purposes: Sequence[str], at: datetime | None = None
) -> Gap | None:
    """Return where consent does not cover a purpose of `purposes`, or None if it covers all."""
    moment = at or timezone.now()
    lacking = version.release_consents.lacking(purposes, at=moment).order_by("number").first()
    if lacking is None:
        return None
    purpose, lack = shortfall(lacking, purposes=purposes, moment=moment)
    file = first_file(lacking)
    return Gap(
        path=file.path if file else "metadata.jsonl",
        original=file.recording.name if file and file.recording else "metadata.jsonl",
        pseudonym=lacking.pseudonym,
        purpose=purpose,
        lack=lack,
        until=lacking.expires_on.isoformat() if lacking.expires_on else "",
    )


def shortfall(
    consent: ReleaseConsent, *, purposes: Sequence[str], moment: datetime
) -> tuple[str, Lack]:
    """Return the first purpose that a lacking consent does not cover, and why."""
    first = purposes[0] if purposes else ""
    if consent.ended and consent.ended != ReleaseConsent.End.EXPIRED:
        return first, Lack.WITHDRAWN
    if has_ended(consent, moment):
        return first, Lack.EXPIRED
    return next(
        (purpose, lack) for purpose in purposes if (lack := lack_of(consent, purpose)) is not None
    )


def lack_of(consent: ReleaseConsent | ConsentRecord, purpose: str) -> Lack | None:
    """Return why a standing consent does not cover a purpose, or None if it does."""
    if purpose in consent.excluded_purposes:
        return Lack.EXCLUDED
    if purpose not in consent.purposes:
        return Lack.NOT_GIVEN
    return Lack.TAKEN_BACK if purpose in consent.withdrawn_purposes else None


def shortfalls(
    consents: Iterable[ReleaseConsent], *, purposes: Sequence[str], at: datetime | None = None
) -> list[tuple[ReleaseConsent, str, Lack]]:
    """Return which consents of a version do not cover a use: each with one purpose, and why."""
    moment, wanted = at or timezone.now(), list(purposes)
    return [
        (one, *shortfall(one, purposes=wanted, moment=moment))
        for one in consents
        if has_ended(one, moment) or any(lack_of(one, purpose) for purpose in wanted)
    ]


def has_ended(consent: ReleaseConsent, moment: datetime) -> bool:
    """Whether a consent does not hold any more at a moment, whatever the purpose."""
    return bool(consent.ended) or times.has_lapsed(consent.expires_on, moment)


def first_file(consent: ReleaseConsent) -> ReleaseFile | None:
    """Return the first clip or text that rests on a consent."""
    return (
        ReleaseFile.objects.filter(consents__consent=consent)
        .exclude(kind=ReleaseFile.Kind.DESCRIPTION)
        .select_related("recording")
        .order_by("position")
        .first()
    )


def state(
    *, version: Version, purposes: Sequence[str] = (), at: datetime | None = None
) -> Version.Consent:
    """Return whether everybody's consent still holds, for the purposes if some are named."""
    return states(uses=[(version.pk, tuple(purposes))], at=at)[version.pk, tuple(purposes)]


Use = tuple[int, tuple[str, ...]]


def states(*, uses: Iterable[Use], at: datetime | None = None) -> dict[Use, Version.Consent]:
    """Return the state of each (version's primary key, purposes), in one query."""
    moment = at or timezone.now()
    wanted = list(dict.fromkeys(uses))
    found: dict[int, list[ReleaseConsent]] = {}
    resting = ReleaseConsent.objects.filter(version__in={pk for pk, _ in wanted})
    changed = resting.filter(
        ~Q(ended="") | Q(expires_on__lte=times.day_of(moment)) | Q(withdrawn_purposes__len__gt=0)
    )
    for one in changed.only("version", "ended", "expires_on", "withdrawn_purposes"):
        found.setdefault(one.version_id, []).append(one)
    return {
        (pk, purposes): worst(standing(one, purposes, moment) for one in found.get(pk, []))
        for pk, purposes in wanted
    }


def standing(consent: ReleaseConsent, purposes: Sequence[str], moment: datetime) -> Version.Consent:
    """Return the state of one consent, for a use."""
    if consent.ended and consent.ended != ReleaseConsent.End.EXPIRED:
        return Version.Consent.WITHDRAWN
    if set(purposes) & set(consent.withdrawn_purposes):
        return Version.Consent.WITHDRAWN
    return Version.Consent.EXPIRED if has_ended(consent, moment) else Version.Consent.GIVEN


def worst(found: Iterable[Version.Consent]) -> Version.Consent:
    """Return the state that decides."""
    there = set(found)
    order = (Version.Consent.WITHDRAWN, Version.Consent.EXPIRED)
    return next((one for one in order if one in there), Version.Consent.GIVEN)
