"""An offer as anybody is shown it: its price with the fee, and the terms in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ingestion.models import Version
from licensing.models import Offer
from licensing.profiles.text import ALLOWED, DENIED, in_order
from marketplace import listings, pricing


@dataclass(frozen=True)
class Terms:
    """An offer, its quote, and what it means."""

    offer: Offer
    quote: pricing.Quote
    may: list[str]
    """What the terms allow, as words after “You may”."""
    may_not: list[str]
    duties: list[str]

    @property
    def name(self) -> str:
        """The license's name."""
        return license_name(self.offer)

    @property
    def summary(self) -> str:
        """What the license is, in a sentence."""
        return _(self.offer.summary)

    @property
    def is_test(self) -> bool:
        """Whether money would seem to move that doesn't."""
        return self.quote.is_test and self.quote.total_minor > 0


def of_version(*, version: Version) -> list[Terms]:
    """Return what is offered of a version, in the order of the catalogue."""
    found = listings.open_offers(version=version)
    return [of_offer(offer=offer, version=version) for offer in found]


def of_offer(*, offer: Offer, version: Version | None = None) -> Terms:
    """Return one offer. Raises OfferClosed. A version at hand saves reading it again."""
    if version is not None:
        offer.version = version
    return Terms(
        offer=offer,
        quote=pricing.quote(offer=offer),
        may=may(offer),
        may_not=may_not(offer),
        duties=duties(offer),
    )


def license_name(offer: Offer) -> str:
    """Return the name that an offer froze, in the reader's language where it is still known."""
    return _(offer.name)


def may(offer: Offer) -> list[str]:
    """Return what the terms allow, as words after “You may”."""
    return [_(ALLOWED[slug]) for slug in in_order(offer.purposes)]


def may_not(offer: Offer) -> list[str]:
    """Return what the terms forbid, as words after “You may not”."""
    return [_(DENIED[slug]) for slug in in_order(offer.terms["denies"])]


def duties(offer: Offer) -> list[str]:
    """Return what the licensee must do in return."""
    found = []
    if offer.terms.get("attribution"):
        found.append(
            _("name the dataset, its version and its publisher where you describe your data")
        )
    days = offer.terms.get("delete_on_withdrawal_days")
    if days is not None:
        told = ngettext(
            "delete a speaker's part within %(days)s day when they withdraw, and confirm it",
            "delete a speaker's part within %(days)s days when they withdraw, and confirm it",
            days,
        )
        found.append(told % {"days": days})
    return found


def choose(terms: Sequence[Terms], wanted: str) -> Terms | None:
    """Return what the reader chose by the offer's number, or the first."""
    chosen = (one for one in terms if str(one.offer.pk) == wanted)
    return next(chosen, terms[0] if terms else None)
