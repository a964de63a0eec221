"""An offer as a page shows it: what it means, and the words on the button that buys it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from licensing.models import Offer
from marketplace.pages import legal
from marketplace.pricing import Quote
from marketplace.showcase.terms import Terms
from marketplace.templatetags import wording


@dataclass(frozen=True)
class Sheet:
    """An offer with its terms, set for reading."""

    terms: Terms

    @property
    def offer(self) -> Offer:
        """The offer."""
        return self.terms.offer

    @property
    def quote(self) -> Quote:
        """What it costs now."""
        return self.terms.quote

    @property
    def legal(self) -> list[legal.Block]:
        """The text that binds."""
        return legal.blocks(self.offer.terms_text)

    @property
    def share(self) -> str:
        """The part of the price that goes to the people who are heard, or nothing."""
        return wording.percent(self.offer.benefit_share_bps) if self.offer.benefit_share_bps else ""

    @property
    def button(self) -> str:
        """The words on the button that buys it."""
        total = self.quote.total_minor
        if not total:
            return _("License for free")
        amount = wording.money(total, self.quote.currency)
        if self.offer.term_days is None:
            return _("License for %(amount)s") % {"amount": amount}
        term = wording.term(self.offer.term_days)
        return _("License for %(amount)s %(term)s") % {"amount": amount, "term": term}

    @property
    def term(self) -> str:
        """How long it holds, as words after “It holds”."""
        days = self.offer.term_days
        if days is None:
            return _("for good")
        return _("for a year") if days == 365 else wording.term(days)
