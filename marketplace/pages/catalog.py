"""The catalogue: what stands in it, asked for in words of permission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commonhold.purposes import PURPOSES
from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from ingestion.models import Task
from licensing.models import Offer
from marketplace import listings, pricing
from marketplace.models import Listing
from marketplace.pages import threads
from marketplace.showcase import summary, terms
from marketplace.templatetags import wording

PAGE_SIZE = 24
LANGUAGES_DRAWN = 8
FACETS = ("language", "task", "allows", "price")
PRICES: dict[str, Any] = {"free": gettext_lazy("Free"), "paid": gettext_lazy("For a price")}
ASK = (
    ("speech-recognition", gettext_lazy("A speech recognizer")),
    ("speech-synthesis", gettext_lazy("A voice that reads aloud")),
    ("language-modeling", gettext_lazy("A language model")),
    ("evaluation", gettext_lazy("Only a test of one")),
    ("commercial", gettext_lazy("Something I will sell")),
)


@dataclass(frozen=True)
class Question:
    """What a reader asked the catalogue for."""

    q: str
    language: tuple[str, ...]
    task: tuple[str, ...]
    allows: tuple[str, ...]
    price: tuple[str, ...]

    @classmethod
    def of(cls, query: QueryDict) -> "Question":
        """Read a query string; values that nobody could have chosen are passed over."""
        known = {purpose.slug for purpose in PURPOSES}
        return cls(
            q=query.get("q", "").replace("\0", "")[:200].strip(),
            language=chosen(query, "language", None),
            task=chosen(query, "task", set(Task.values)),
            allows=chosen(query, "allows", known),
            price=chosen(query, "price", set(PRICES)),
        )

    @property
    def is_empty(self) -> bool:
        """Whether everything was asked for."""
        return not (self.q or self.filters)

    @property
    def filters(self) -> int:
        """How many facet values are chosen."""
        return sum(len(getattr(self, name)) for name in FACETS)

    def find(self, *, without: str = "") -> QuerySet[Listing]:
        """Return what answers the question, one facet left open if `without` names it."""
        asked = {name: () if name == without else getattr(self, name) for name in FACETS}
        return listings.search(q=self.q, **asked)


def chosen(query: QueryDict, name: str, known: set[str] | None) -> tuple[str, ...]:
    """Return the values of a facet, each once."""
    values = dict.fromkeys(value.replace("\0", "")[:40] for value in query.getlist(name) if value)
    return tuple(value for value in values if known is None or value in known)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Answer “What do you want to train?”."""
    question = Question.of(request.GET)
    found = summary.with_offers(question.find(), allows=question.allows, price=question.price)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "question": question,
        "facets": facets_of(question),
        "ask": ask_links(question),
        "page": page,
        "result_line": result_line(page.paginator.count, question.allows),
        "cards": [card_of(listing, question) for listing in page],
        "hours": hours() if question.is_empty and page.number == 1 else [],
        "unfold": request.headers.get("HX-Trigger") == "find",
        "anything": bool(page.paginator.count) or Listing.objects.exists(),
    }
    return render(request, "pages/catalog/index.html", context)


def card_of(listing: Listing, question: Question) -> dict[str, Any]:
    """Return a listing as the card component takes it: what its cheapest answer allows and costs.

    Prices are what the buyer pays, the fee in them.
    """
    shown = summary.of_listing(listing)
    offers = shown.offers
    return {
        "organization": {"slug": shown.organization.slug, "name": listing.publisher},
        "title": listing.title,
        "description": listing.description,
        "language": shown.language,
        "duration_ms": shown.duration_ms,
        "speakers": shown.speakers,
        "allows": offers[0].purposes if offers else [],
        "offers": [offer_of(offers[0], others=len(offers) - 1)] if offers else [],
        "stations": threads.of_listing(offered=bool(offers)),
        "url": address(listing, offers, asked=bool(question.allows or question.price)),
    }


def address(listing: Listing, offers: Sequence[Offer], *, asked: bool) -> str:
    """Return where the dataset stands; whoever asked for terms finds the offer that answers."""
    path = reverse("dataset", args=[listing.dataset.organization.slug, listing.dataset.slug])
    return f"{path}?offer={offers[0].pk}" if offers and asked else path


def offer_of(offer: Offer, *, others: int) -> dict[str, Any]:
    """Return an offer as the card component takes it, with how many other ones answer too."""
    amount = offer.price.amount_minor
    return {
        "price": {
            "amount_minor": amount + pricing.fee(amount),
            "currency": offer.price.currency,
        },
        "term_days": offer.term_days,
        "profile": offer.profile,
        "license": {"name": or_more(terms.license_name(offer), others)},
    }


def or_more(name: str, others: int) -> str:
    """Name the license of an offer, and how many others there are."""
    if not others:
        return name
    told = ngettext("%(license)s, or %(others)s more", "%(license)s, or %(others)s more", others)
    return told % {"license": name, "others": others}


def result_line(count: int, allows: Sequence[str]) -> str:
    """Say how many datasets were found, and what they allow if that was asked for."""
    number = wording.number(count)
    if not allows:
        return ngettext("%(count)s dataset", "%(count)s datasets", count) % {"count": number}
    purposes = wording.purpose(allows[0]).lower()
    for slug in allows[1:]:
        following = wording.purpose(slug).lower()
        purposes = _("%(first)s and %(second)s") % {"first": purposes, "second": following}
    told = ngettext(
        "%(count)s dataset that allows %(purposes)s",
        "%(count)s datasets that allow %(purposes)s",
        count,
    )
    return told % {"count": number, "purposes": purposes}


def facets_of(question: Question) -> list[dict[str, Any]]:
    """Return the facets with their counts.

    A count says how many datasets one would see: any of several languages, tasks or prices is
    enough, so those are counted as if nothing of their facet were chosen; purposes must all be
    allowed, so they narrow.
    """
    languages = listings.count_values(listings=question.find(without="language"), name="language")
    tasks = listings.count_values(listings=question.find(without="task"), name="task")
    prices = listings.count_prices(listings=question.find(without="price"), allows=question.allows)
    allowed = listings.count_purposes(
        listings=question.find(), allows=question.allows, price=question.price
    )
    names = {tag: wording.language(tag) for tag in (*languages, *question.language)}
    purposes = {purpose.slug: wording.purpose(purpose.slug) for purpose in PURPOSES}
    made_for = {value: str(label) for value, label in Task.choices}
    return [
        facet(_("It may be used for"), "allows", purposes, question, allowed),
        facet(_("Language"), "language", names, question, languages),
        facet(_("Made for"), "task", made_for, question, tasks),
        facet(_("Price"), "price", PRICES, question, prices),
    ]


def facet(
    title: str, name: str, labels: Mapping[str, Any], question: Question, counts: Mapping[str, int]
) -> dict[str, Any]:
    """Return one facet: its choices with their counts, those that lead nowhere left out."""
    selected = getattr(question, name)
    choices = [
        {
            "value": value,
            "label": str(label),
            "count": counts.get(value, 0),
            "selected": value in selected,
        }
        for value, label in labels.items()
        if counts.get(value) or value in selected
    ]
    return {"title": title, "name": name, "choices": choices}


def ask_links(question: Question) -> list[dict[str, Any]]:
    """Return the answers that one click gives, before any facet is known."""
    return [
        {
            "label": label,
            "href": f"{reverse('catalog')}?allows={slug}",
            "current": question.allows == (slug,),
        }
        for slug, label in ASK
    ]


def hours() -> list[dict[str, Any]]:
    """Return how much there is in each language, longest first, for a drawing 1000 units wide."""
    sums = (
        Listing.objects.values("language")
        .annotate(total=Sum("duration_ms"))
        .filter(total__gt=0)
        .order_by("-total")[:LANGUAGES_DRAWN]
    )
    rows = list(sums)
    longest = max((row["total"] for row in rows), default=1)
    return [row | {"width": max(4, row["total"] * 1000 // longest)} for row in rows]
