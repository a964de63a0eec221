"""What the end of a consent reaches: sealed versions, their open offers, who holds licenses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion.models import ConsentRecord, Version
from licensing.models import Grant, Offer
from marketplace.pages.studio.consent_forms import phrases
from marketplace.templatetags import wording

NAMED = 8
"""Licensees who are named; the rest are counted."""


@dataclass(frozen=True)
class Touched:
    """A sealed version that rests on a consent, and what rests on the version."""

    version: Version
    offers: list[Offer]
    """Those that are open."""
    grants: list[Grant]

    @property
    def licensees(self) -> str:
        """Who holds a license of it, in words."""
        return named(one.licensee_name for one in self.grants)


def resting_on(records: Iterable[ConsentRecord]) -> QuerySet[Version]:
    """Return the sealed versions that rest on consents, also those that were withdrawn since."""
    resting = Version.objects.filter(release_consents__record__in=[one.pk for one in records])
    return resting.distinct().order_by("number")


def touched(versions: Iterable[Version]) -> list[Touched]:
    """Return versions with what rests on them, asking the database twice."""
    versions = list(versions)
    offers: dict[int, list[Offer]] = {}
    grants: dict[int, list[Grant]] = {}
    standing = Offer.objects.filter(version__in=versions, closed_at__isnull=True)
    for offer in standing.order_by("name", "pk"):
        offers.setdefault(offer.version_id, []).append(offer)
    licenses = Grant.objects.filter(version__in=versions).select_related("offer")
    for grant in licenses.only("version_id", "licensee_name", "offer__purposes"):
        grants.setdefault(grant.version_id, []).append(grant)
    return [Touched(one, offers.get(one.pk, []), grants.get(one.pk, [])) for one in versions]


def named(names: Iterable[str]) -> str:
    """Name organizations, the last of many by their number alone."""
    everybody = sorted(set(names))
    told = ", ".join(everybody[:NAMED])
    more = len(everybody) - NAMED
    if more <= 0:
        return told
    sentence = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more)
    return sentence % {"names": told, "count": wording.number(more)}


def choices(
    allowed: Iterable[str], *, reached: Sequence[Touched]
) -> list[tuple[str, str | SafeString]]:
    """Return purposes to choose from, each with what closes and who is told if it is taken back."""
    return [
        (
            slug,
            format_html(
                '<span>{} <span class="choice-note">{}</span></span>', phrase, effect(slug, reached)
            ),
        )
        for slug, phrase in phrases(allowed)
    ]


def effect(slug: str, reached: Sequence[Touched]) -> str:
    """Say what closes and who is told if a purpose is taken back."""
    closing = [
        _("%(licenses)s of version %(number)s")
        % {"licenses": ", ".join(names), "number": one.version.number}
        for one in reached
        if (names := [_(offer.name) for offer in one.offers if slug in offer.purposes])
    ]
    told = [
        grant.licensee_name
        for one in reached
        for grant in one.grants
        if slug in grant.offer.purposes
    ]
    parts = [_("No offer needs it.")]
    if closing:
        parts = [_("Closes the offer: %(offers)s.") % {"offers": "; ".join(closing)}]
    if told:
        parts.append(_("Licensed for it: %(people)s.") % {"people": named(told)})
    return " ".join(parts)
