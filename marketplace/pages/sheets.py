"""An offer as a page shows it: price with its fee, and the terms in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestion.models import Version
from licensing import profiles
from licensing.models import Offer
from licensing.profiles.text import ALLOWED, DENIED, in_order, percent
from marketplace import listings, pricing
from marketplace.pages import legal
from marketplace.templatetags import wording


@dataclass(frozen=True)
class Sheet:
    """An offer, its quote, and what it means."""

    offer: Offer
    quote: pricing.Quote
    name: str
    summary: str
    may: list[str]
    may_not: list[str]
    duties: list[str]
    legal: list[legal.Block]
    share: str
    """The part of the price that goes to the people who are heard, or nothing."""

    @property
    def button(self) -> str:
        """The words on the button that buys it."""
        total = self.quote.total_minor
        if not total:
            return "License for free"
        amount = wording.money(total, self.quote.currency)
        if self.offer.term_days is None:
            return f"License for {amount}"
        return f"License for {amount} {wording.term(self.offer.term_days)}"

    @property
    def is_test(self) -> bool:
        """Whether money would seem to move that doesn't."""
        return self.quote.is_test and self.quote.total_minor > 0

    @property
    def term(self) -> str:
        """How long it holds, as words after “It holds”."""
        days = self.offer.term_days
        if days is None:
            return "for good"
        return "for a year" if days == 365 else wording.term(days)


def of_version(version: Version) -> list[Sheet]:
    """Return what is offered of a version, cheapest first; only what could be bought now."""
    return [of_offer(offer) for offer in listings.open_offers(version=version)]


def of_offer(offer: Offer) -> Sheet:
    """Return one offer as a page shows it. Raises OfferClosed."""
    profile = profiles.get(offer.profile)
    return Sheet(
        offer=offer,
        quote=pricing.quote(offer=offer),
        name=profile.name,
        summary=profile.summary,
        may=may(offer),
        may_not=may_not(offer),
        duties=duties(offer),
        legal=legal.blocks(offer.terms_text),
        share=benefit_share(offer),
    )


def profile_name(offer: Offer) -> str:
    """Return the name of the license that is offered."""
    return profiles.get(offer.profile).name


def may(offer: Offer) -> list[str]:
    """Return what the terms allow, as words after “You may”."""
    return [ALLOWED[slug] for slug in in_order(offer.purposes)]


def may_not(offer: Offer) -> list[str]:
    """Return what the terms forbid, as words after “You may not”."""
    return [DENIED[slug] for slug in in_order(offer.terms["denies"])]


def duties(offer: Offer) -> list[str]:
    """Return what the licensee must do in return."""
    terms = offer.terms
    found = []
    if terms.get("attribution"):
        found.append("name the dataset, its version and its publisher where you describe your data")
    days = terms.get("delete_on_withdrawal_days")
    if days is not None:
        found.append(
            f"delete a speaker's part within {days} days when they withdraw, and confirm it"
        )
    return found


def benefit_share(offer: Offer) -> str:
    """Say which part of the price goes to the people who are heard: "15 %", or nothing."""
    return percent(offer.benefit_share_bps) if offer.benefit_share_bps else ""


def choose(sheets: Sequence[Sheet], wanted: str) -> Sheet | None:
    """Return the sheet that the reader chose by the offer's number, or the first."""
    for sheet in sheets:
        if str(sheet.offer.pk) == wanted:
            return sheet
    return sheets[0] if sheets else None
