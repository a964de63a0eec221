"""Where consent falls short of a license, told to the contributor: who, where, and of what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from ingestion.consent import coverage
from ingestion.consent.coverage import Gap, Lack
from ingestion.models import ReleaseConsent, Version
from marketplace.templatetags import wording

SENTENCES = {
    Lack.WITHDRAWN: _(
        "Speaker %(speaker)s in «%(path)s» withdrew consent. Begin the next version without them."
    ),
    Lack.EXPIRED: _(
        "The consent of speaker %(speaker)s in «%(path)s» has run out. Ask them again, or begin "
        "the next version without them."
    ),
    Lack.EXCLUDED: _(
        "Speaker %(speaker)s in «%(path)s» said no to: %(purpose)s. Choose a narrower license, or "
        "leave them out of the next version."
    ),
    Lack.NOT_GIVEN: _(
        "Speaker %(speaker)s in «%(path)s» did not agree to: %(purpose)s. Choose a narrower "
        "license, ask the speaker, or leave them out of the next version."
    ),
    Lack.TAKEN_BACK: _(
        "Speaker %(speaker)s in «%(path)s» took back: %(purpose)s. Choose a narrower license, or "
        "leave them out of the next version."
    ),
}

SHORT = {
    Lack.WITHDRAWN: _("withdrew consent"),
    Lack.EXPIRED: _("the consent ran out"),
    Lack.EXCLUDED: _("said no to: %(purpose)s"),
    Lack.NOT_GIVEN: _("did not agree to: %(purpose)s"),
    Lack.TAKEN_BACK: _("took back: %(purpose)s"),
}


@dataclass(frozen=True)
class Obstacle:
    """A speaker who stands in the way of a use of a sealed version."""

    speaker: int | None
    """Primary key; None once they were erased."""
    pseudonym: str
    why: str
    clips: int


@dataclass
class Gaps:
    """What stands in the way of uses, asked once for each version and set of purposes."""

    known: dict[tuple[int, tuple[str, ...]], Gap | None] = field(default_factory=dict)

    def told(self, version: Version, purposes: Sequence[str]) -> str:
        """Say who stands in the way of a use; "" if nobody does."""
        key = version.pk, tuple(purposes)
        if key not in self.known:
            self.known[key] = coverage.first_gap(version=version, purposes=purposes)
        gap = self.known[key]
        return told(gap) if gap else ""


def told(gap: Gap) -> str:
    """Say where consent falls short, by pseudonym, original and purpose, and what can be done."""
    return SENTENCES[gap.lack] % {
        "speaker": gap.pseudonym,
        "path": gap.original,
        "purpose": wording.purpose(gap.purpose),
    }


def short(lack: Lack, purpose: str) -> str:
    """Say in a few words, after the speaker's pseudonym, why they don't allow a purpose."""
    return SHORT[lack] % {"purpose": wording.purpose(purpose)}


def resting(version: Version) -> list[ReleaseConsent]:
    """Return the consents that a sealed version rests on, each with how many clips rest on it."""
    counted = version.release_consents.annotate(clips=Count("files"))
    return list(counted.order_by("pseudonym", "number"))


def obstacles(consents: Iterable[ReleaseConsent], purposes: Sequence[str]) -> list[Obstacle]:
    """Return who stands in the way of a use, by pseudonym; the consents are those of `resting`."""
    found: dict[str, Obstacle] = {}
    for one, purpose, lack in coverage.shortfalls(consents, purposes=purposes):
        before = found.get(one.pseudonym)
        found[one.pseudonym] = Obstacle(
            speaker=one.speaker_id,
            pseudonym=one.pseudonym,
            why=before.why if before else short(lack, purpose),
            clips=one.clips + (before.clips if before else 0),  # type: ignore[attr-defined]  # an annotation's name
        )
    return list(found.values())
