"""The offers tab: choosing who may use a sealed version, for what, and for how much."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion.models import Version
from licensing import profiles
from licensing.models import Offer
from marketplace import money, pricing
from marketplace.http.reauthentication import require_recent
from marketplace.http.telling import tell
from marketplace.pages import legal
from marketplace.pages.studio import frame, lacks, nextsteps
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.forms import refuse
from marketplace.tasks import follow_news_task
from marketplace.templatetags import wording

PER_PAGE = 25
MOST_NAMED = 4
"""Speakers that are named where they stand in the way of a license."""
TERMS = [
    ("365", gettext_lazy("A year")),
    ("730", gettext_lazy("Two years")),
    ("1825", gettext_lazy("Five years")),
    ("0", gettext_lazy("For good")),
]


class OfferForm(forms.Form):
    """Price and choices of one license."""

    amount = forms.CharField(
        label=gettext_lazy("Price"),
        max_length=20,
        help_text=gettext_lazy(
            "What you get, for example 40 or 40.50; 0 is free. The platform's fee comes on top."
        ),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), choices=[(code, code) for code in money.CURRENCIES]
    )
    term_days = forms.ChoiceField(
        label=gettext_lazy("A license holds for"),
        choices=TERMS,
        initial="365",
        widget=forms.RadioSelect,
    )
    share = forms.CharField(
        label=gettext_lazy("Share for the people who speak"),
        max_length=6,
        help_text=gettext_lazy(
            "Percent of each price, for example 15 or 12.5. It is booked for them apart."
        ),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    seen_sha256 = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, profile: profiles.Profile, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile = profile
        if "term_days" not in profile.choices:
            del self.fields["term_days"]
        if "benefit_share_bps" not in profile.choices:
            del self.fields["share"]
        elif isinstance(self.fields["share"], forms.CharField):
            self.fields["share"].initial = percent(profile.vector.benefit_share_bps)

    def clean_share(self) -> int:
        """Return the share in hundredths of a percent, exactly."""
        text = self.cleaned_data["share"].strip().rstrip("%").strip()
        try:
            scaled = Decimal(text.replace(",", ".")) * 100
        except InvalidOperation:
            scaled = Decimal("0.5")
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            sentence = _("«%(text)s» is no percentage with two digits at most; write it like 12.5.")
            raise forms.ValidationError(sentence % {"text": text})
        return int(scaled)

    def clean(self) -> dict[str, Any]:
        """Read the price in the smallest unit of its currency, exactly."""
        cleaned = super().clean() or self.cleaned_data
        if "amount" in cleaned and "currency" in cleaned:
            text = cleaned["amount"].replace(",", ".")
            try:
                cleaned["amount_minor"] = money.parse(text, cleaned["currency"])
            except CommonholdError as error:
                self.add_error("amount", tell(error))
        return cleaned

    def choices(self) -> dict[str, int | None]:
        """Return the choices of the license that the form says."""
        term = self.cleaned_data.get("term_days")
        return {
            "term_days": int(term or 0) or None,
            "benefit_share_bps": self.cleaned_data.get("share"),
        }


def percent(bps: int) -> str:
    """Write hundredths of a percent as percent: 1500 is 15."""
    whole, part = divmod(bps, 100)
    return f"{whole}.{part:02}".rstrip("0") if part else str(whole)


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the offers of a dataset, and the licenses that can be offered."""
    return tab(request, work)


def tab(
    request: StudioRequest, work: Work, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    sealed, gaps = work.dataset.versions.newest_sealed(), lacks.Gaps()
    offers = (
        Offer.objects.filter(version__dataset=work.dataset)
        .select_related("version", "price")
        .annotate(taken=Count("grants"))
        .order_by(F("closed_at").asc(nulls_first=True), "-created_at", "-pk")
    )
    page = Paginator(offers, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "sealed": sealed,
        "page": page,
        "rows": [row(work, offer, gaps) for offer in page],
        "profiles": choices(work, sealed) if sealed else [],
    }
    return frame.page(request, work, "offers", context, error=error)


def row(work: Work, offer: Offer, gaps: lacks.Gaps) -> dict[str, Any]:
    """Return an offer as the list shows it."""
    share = offer.benefit_share_bps
    return {
        "offer": offer,
        "fee_minor": pricing.fee(offer.price.amount_minor),
        "share": wording.percent(share) if share else "",
        "grants": offer.taken,  # type: ignore[attr-defined]  # an annotation's name
        "gap": gaps.told(offer.version, offer.purposes) if offer.is_open else "",
        "close_url": work.url("close_offer", offer.pk),
    }


def choices(work: Work, sealed: Version) -> list[dict[str, Any]]:
    """Return every license as the list of choices shows it, with who stands in its way."""
    standing = Offer.objects.filter(version=sealed, closed_at__isnull=True)
    taken, consents = set(standing.values_list("profile", flat=True)), lacks.resting(sealed)
    people = len({one.pseudonym for one in consents})
    found = []
    for profile in profiles.catalogue():
        blockers = lacks.obstacles(consents, sorted(profile.vector.purposes))
        found.append(
            {
                "profile": profile,
                "terms": profiles.compile_terms(profile=profile),
                "taken": profile.slug in taken,
                "url": work.url("new_offer", profile.slug),
                "blockers": blockers[:MOST_NAMED],
                "more": max(0, len(blockers) - MOST_NAMED),
                "without": nextsteps.without([one.pseudonym for one in blockers]),
                "without_url": without_url(work, sealed, blockers)
                if len(blockers) < people
                else "",
            }
        )
    return found


def without_url(work: Work, sealed: Version, blockers: Sequence[lacks.Obstacle]) -> str:
    """Return where those who stand in the way are left out: of the open version, or the next."""
    keys = [one.speaker for one in blockers if one.speaker is not None]
    if work.version.is_open:
        return f"{work.url('leave_out_speakers')}?{urlencode([('speaker', key) for key in keys])}"
    query = [("from", sealed.number), *(("without", key) for key in keys)]
    return f"{work.url('open_version')}?{urlencode(query)}"


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def new(request: StudioRequest, work: Work, profile: str) -> HttpResponse:
    """Set the price of one license, read the text that will bind, and publish the offer."""
    sealed = work.dataset.versions.newest_sealed()
    if sealed is None or profile not in profiles.BY_SLUG:
        raise Http404
    chosen = profiles.get(profile)
    if request.method != "POST":
        form = OfferForm(initial={"currency": last_currency(work)}, profile=chosen)
        return offer_page(request, work, sealed, form, profiles.compile_terms(**proposed(chosen)))
    form = OfferForm(request.POST, profile=chosen)
    valid = form.is_valid()
    terms = read_terms(form, chosen)
    if is_htmx(request):
        context = {"terms": terms, "legal": legal.blocks(terms.text)}
        return never_kept(render(request, "pages/studio/terms.html", context))
    if not valid or "preview" in request.POST:
        return offer_page(request, work, sealed, form, terms, status=200 if valid else 422)
    if form.cleaned_data["seen_sha256"] != terms.sha256:
        form.add_error(None, _("Your choices changed the text below. Read it again, then publish."))
        return offer_page(request, work, sealed, form, terms, status=409)
    return publish(request, work, sealed, form, terms)


def proposed(profile: profiles.Profile) -> dict[str, Any]:
    """Return the choices that an untouched form stands for."""
    return {"profile": profile, "term_days": 365 if "term_days" in profile.choices else None}


def read_terms(form: OfferForm, profile: profiles.Profile) -> profiles.Terms:
    """Compile the text that the form's choices make; where they can't stand, say so on the form."""
    wrong = {"term_days", "share"} & set(form.errors)
    try:
        choices = {} if wrong else form.choices()
        return profiles.compile_terms(profile=profile, **choices)
    except CommonholdError as error:
        refuse(form, error, {"benefit_share_bps": "share"})
        return profiles.compile_terms(**proposed(profile))


def publish(
    request: StudioRequest,
    work: Work,
    sealed: Version,
    form: OfferForm,
    terms: profiles.Terms,
) -> HttpResponse:
    """Make the offer, or say why consent, price or choices don't allow it."""
    require_recent(request)
    if form.errors:
        return offer_page(request, work, sealed, form, terms, status=422)
    try:
        pricing.publish_offer(
            version=sealed,
            profile=terms.profile.slug,
            amount_minor=form.cleaned_data["amount_minor"],
            currency=form.cleaned_data["currency"],
            by=request.user,
            **form.choices(),
        )
    except CommonholdError as error:
        refuse(form, error, {"benefit_share_bps": "share", "amount_minor": "amount"})
        return offer_page(request, work, sealed, form, terms, status=error.status)
    follow_news_task.delay_on_commit()
    sentence = _("%(license)s is offered. It stands on the public page now.")
    messages.success(request, sentence % {"license": _(terms.profile.name)})
    return redirect(work.url("offers"))


def last_currency(work: Work) -> str:
    """Return the currency that the organization asked for last, or the first there is."""
    last = (
        Offer.objects.filter(version__dataset__organization=work.dataset.organization)
        .select_related("price")
        .order_by("-created_at")
        .first()
    )
    return last.price.currency if last else money.CURRENCIES[0]


def offer_page(
    request: StudioRequest,
    work: Work,
    sealed: Version,
    form: OfferForm,
    terms: profiles.Terms,
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the form with the text beside it."""
    context = {
        "sealed": sealed,
        "form": form,
        "profile": terms.profile,
        "terms": terms,
        "legal": legal.blocks(terms.text),
        "gap": lacks.Gaps().told(sealed, terms.purposes),
        "status": status,
    }
    return frame.page(request, work, "offers", context, template="pages/studio/offer_new.html")


@require_POST
@for_contributors
def close(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Close an offer; licenses made from it stay."""
    offer = get_object_or_404(Offer, pk=pk, version__dataset=work.dataset)
    try:
        pricing.close_offer(offer=offer, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    follow_news_task.delay_on_commit()
    messages.success(
        request, _("The offer is closed. Licenses that were made from it stay as they are.")
    )
    return redirect(work.url("offers"))
