"""Buying a license: everything before the click, then one click."""

import uuid
from typing import Any

import rules
from commonhold.errors import CommonholdError
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Membership, Organization, Role
from ingestion.models import Version
from licensing.models import Offer
from marketplace import listings, orders
from marketplace.http.acting import acting_membership, signed_in
from marketplace.http.reauthentication import require_recent
from marketplace.http.telling import tell
from marketplace.pages.sheets import Sheet
from marketplace.showcase import resemblance, terms

TEMPLATE = "pages/checkout/show.html"
CHANGED = gettext_lazy(
    "What is offered has changed since you opened this page, so nothing was bought."
)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show what would be bought, from whom, for how much; or buy it."""
    offer = published_offer(number)
    membership = acting_membership(request)
    refusal = refuse(request, offer, membership)
    if refusal:
        return page(
            request, offer, status=200 if request.method != "POST" else 403, refusal=refusal
        )
    if membership is None:
        raise Http404
    if request.method == "POST":
        return buy(request, offer, membership.organization)
    return page(request, offer)


def published_offer(number: int) -> Offer:
    """Return an offer that anybody may see, also one that is over. Http404 otherwise."""
    offers = Offer.objects.select_related("price", "version__dataset__organization")
    published = (Version.State.SEALED, Version.State.WITHDRAWN)
    offer = offers.filter(pk=number, version__state__in=published, price__isnull=False).first()
    if offer is None:
        raise Http404
    return offer


def refuse(request: HttpRequest, offer: Offer, membership: Membership | None) -> dict[str, Any]:
    """Return why the reader can't buy this and who could, or nothing."""
    if membership is None:
        return {"reason": "no-organization"}
    organization = membership.organization
    if organization.pk == offer.version.dataset.organization_id:
        return {"reason": "own", "organization": organization}
    if not rules.has_perm("accounts.buy_for_organization", request.user, organization):
        return {
            "reason": "role",
            "organization": organization,
            "role": membership.get_role_display(),
            "buyers": buyers_of(organization),
        }
    return {}


def buyers_of(organization: Organization) -> list[Membership]:
    """Return who may buy for an organization."""
    able = organization.memberships.filter(role__in=[Role.OWNER, Role.BUYER])
    return list(able.select_related("user").order_by("created_at")[:10])


def page(request: HttpRequest, offer: Offer, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render the checkout of an offer, or of what took its place when it is over."""
    standing = offer if is_standing(offer) else successor(offer)
    if standing is None:
        gone = {"offer": offer, "dataset": offer.version.dataset, "button": ""}
        status = status if status != 200 else 410
        return render(request, "pages/checkout/gone.html", gone | context, status=status)
    membership = acting_membership(request)
    sheet = Sheet(terms.of_offer(offer=standing))
    base = {
        "sheet": sheet,
        "offer": standing,
        "version": standing.version,
        "dataset": standing.version.dataset,
        "resemblance": resemblance.of_dataset(dataset=standing.version.dataset),
        "licensee": membership.organization if membership else None,
        "held": orders.held(offer=standing, buyer=membership.organization) if membership else None,
        "idempotency_key": uuid.uuid4(),
        "moved": standing.pk != offer.pk,
    }
    return render(request, TEMPLATE, base | context, status=status)


def is_standing(offer: Offer) -> bool:
    """Whether the offer can be taken up now."""
    return listings.open_offers(version=offer.version).filter(pk=offer.pk).exists()


def successor(offer: Offer) -> Offer | None:
    """Return what the publisher offers instead under the same license, or None."""
    others = Offer.objects.open().filter(
        version__dataset=offer.version.dataset_id, profile=offer.profile
    )
    return (
        listings.priced(others)
        .select_related("price", "version__dataset__organization")
        .order_by("-version__number")
        .first()
    )


def buy(request: HttpRequest, offer: Offer, licensee: Organization) -> HttpResponse:
    """Place the order if everything is as the page showed it, and go to the license."""
    posted = request.POST
    if not is_standing(offer):
        known = order_of(licensee, posted.get("idempotency_key", ""))
        return known or page(request, offer, status=409, trouble=CHANGED)
    trouble = difference(posted, Sheet(terms.of_offer(offer=offer)), licensee)
    if trouble:
        return page(request, offer, status=409, trouble=trouble)
    if not posted.get("accept"):
        missing = _(
            "Read the terms and say that your organization accepts them; nothing was bought."
        )
        return page(request, offer, status=422, not_accepted=missing)
    if offer.price.amount_minor:
        require_recent(request)
    try:
        order, is_new = orders.place(
            offer=offer,
            buyer=licensee,
            by=signed_in(request),
            accept_terms_sha256=posted["accept"],
            idempotency_key=posted.get("idempotency_key", ""),
            another="another" in posted,
        )
    except CommonholdError as error:
        return page(request, offer, status=error.status, trouble=tell(error))
    if is_new:
        told = _("%(organization)s holds the license now.") % {"organization": licensee}
        if order.is_test and order.total_minor:
            told = " ".join([told, _("This is a TEST: no money moved.")])
        messages.success(request, told)
    return redirect("grant", order.grant_id)


def order_of(licensee: Organization, key: str) -> HttpResponse | None:
    """Lead to the license that this very click bought before the offer was over."""
    known = licensee.orders.filter(idempotency_key=key).first() if key else None
    return redirect("grant", known.grant_id) if known else None


def difference(posted: Any, sheet: Sheet, licensee: Organization) -> str:
    """Say what is no longer as the page showed it, or nothing."""
    if posted.get("licensee") != licensee.slug:
        told = _(
            "You act for %(organization)s now, not for whom this page was opened. "
            "Nothing was bought."
        )
        return told % {"organization": licensee}
    quote = sheet.quote
    if posted.get("total") != f"{quote.total_minor} {quote.currency}":
        return " ".join([_("The price has changed since you opened this page."), str(CHANGED)])
    if posted.get("accept", sheet.offer.terms_sha256) != sheet.offer.terms_sha256:
        return " ".join([_("The terms have changed since you opened this page."), str(CHANGED)])
    return ""
