"""The offers tab: choosing who may use a sealed version, for what, and for how much."""

from decimal import Decimal, InvalidOperation
from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ingestion import coverage
from ingestion.models import Version
from licensing import profiles
from licensing.models import Offer
from marketplace import pricing
from marketplace.pages import legal
from marketplace.pages.studio import frame
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.forms import refuse

PER_PAGE = 25
TERMS = [("365", "A year"), ("730", "Two years"), ("1825", "Five years"), ("0", "For good")]


class OfferForm(forms.Form):
    """Price and choices of one license."""

    amount = forms.CharField(
        label="Price",
        max_length=20,
        help_text="What you get, for example 40 or 40.50; 0 is free. "
        "The platform's fee comes on top.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(choices=[(code, code) for code in pricing.CURRENCIES])
    term_days = forms.ChoiceField(
        label="A license holds for",
        choices=TERMS,
        initial="365",
        widget=forms.RadioSelect,
    )
    share = forms.CharField(
        label="Share for the people who speak",
        max_length=6,
        help_text="Percent of each price, for example 15 or 12.5. It is booked for them apart.",
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
            message = f"«{text}» is not a percentage with two digits at most; write it like 12.5."
            raise forms.ValidationError(message)
        return int(scaled)

    def clean(self) -> dict[str, Any]:
        """Read the price in the smallest unit of its currency, exactly."""
        cleaned = super().clean() or self.cleaned_data
        if "amount" in cleaned and "currency" in cleaned:
            text = cleaned["amount"].replace(",", ".")
            try:
                cleaned["amount_minor"] = pricing.parse_money(text, cleaned["currency"])
            except CommonholdError as error:
                self.add_error("amount", error.message)
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


def sealed_version(work: Work) -> Version | None:
    """Return the version that can be offered: the newest sealed one."""
    sealed = work.dataset.versions.filter(state=Version.State.SEALED)
    return sealed.order_by("-number").first()


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the offers of a dataset, and the licenses that can be offered."""
    return tab(request, work)


def tab(
    request: StudioRequest, work: Work, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    sealed = sealed_version(work)
    offers = (
        Offer.objects.filter(version__dataset=work.dataset)
        .select_related("version", "price")
        .order_by(F("closed_at").asc(nulls_first=True), "-created_at")
    )
    page = Paginator(offers, PER_PAGE).get_page(request.GET.get("page"))
    taken = {offer.profile for offer in offers if offer.is_open and offer.version == sealed}
    context = {
        "sealed": sealed,
        "page": page,
        "rows": [row(work, offer) for offer in page],
        "profiles": [choice(work, sealed, one, taken) for one in profiles.catalogue()]
        if sealed
        else [],
    }
    return frame.page(request, work, "offers", context, error=error)


def row(work: Work, offer: Offer) -> dict[str, Any]:
    """Return an offer as the list shows it."""
    gap = coverage.first_gap(version=offer.version, purposes=offer.purposes)
    return {
        "offer": offer,
        "profile": profiles.get(offer.profile),
        "fee_minor": pricing.fee(offer.price.amount_minor),
        "share": percent(offer.benefit_share_bps) if offer.benefit_share_bps else "",
        "grants": offer.grants.count(),
        "gap": gap if offer.is_open else None,
        "close_url": work.url("close_offer", offer.pk),
    }


def choice(
    work: Work, sealed: Version, profile: profiles.Profile, taken: set[str]
) -> dict[str, Any]:
    """Return a license as the list of choices shows it, with what stands in its way."""
    return {
        "profile": profile,
        "terms": profiles.compile_terms(profile=profile),
        "gap": coverage.first_gap(version=sealed, purposes=sorted(profile.vector.purposes)),
        "taken": profile.slug in taken,
        "url": work.url("new_offer", profile.slug),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def new(request: StudioRequest, work: Work, profile: str) -> HttpResponse:
    """Set the price of one license, read the text that will bind, and publish the offer."""
    sealed = sealed_version(work)
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
        message = "Your choices changed the text below. Read it again, then publish."
        form.add_error(None, message)
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
    messages.success(request, f"{terms.profile.name} is offered. It stands on the public page now.")
    return redirect(work.url("offers"))


def last_currency(work: Work) -> str:
    """Return the currency that the organization asked for last, or the first there is."""
    last = (
        Offer.objects.filter(version__dataset__organization=work.dataset.organization)
        .select_related("price")
        .order_by("-created_at")
        .first()
    )
    return last.price.currency if last else pricing.CURRENCIES[0]


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
        "gap": coverage.first_gap(version=sealed, purposes=terms.purposes),
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
    messages.success(
        request, "The offer is closed. Licenses that were made from it stay as they are."
    )
    return redirect(work.url("offers"))
