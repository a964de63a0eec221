"""Earnings: what each license brought, to the organization and to the people who speak."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organization
from marketplace import ledger
from marketplace.models import LedgerEntry, Order
from marketplace.pages.studio.access import StudioRequest, for_organization, never_kept

PER_PAGE = 50


@require_safe
@for_organization
def show(request: StudioRequest, organization: Organization) -> HttpResponse:
    """List who licensed what and when, with what was booked for the organization."""
    page = Paginator(orders(organization), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "organization": organization,
        "page": page,
        "rows": [row(order, organization) for order in page],
        "earnings": ledger.earnings(organization=organization),
    }
    return never_kept(render(request, "pages/studio/earnings.html", context))


def orders(organization: Organization) -> QuerySet[Order]:
    """Return the orders of an organization's datasets, free ones too, newest first."""
    return (
        Order.objects.filter(offer__version__dataset__organization=organization)
        .select_related(
            "buyer", "grant", "offer__version__dataset__organization", "ledger_transaction"
        )
        .prefetch_related("ledger_transaction__entries")
        .order_by("-created_at", "pk")
    )


def row(order: Order, organization: Organization) -> dict[str, Any]:
    """Return an order with what the ledger booked for the organization and its speakers."""
    booked = order.ledger_transaction.entries.all() if order.ledger_transaction else []
    ours = {
        entry.account: -entry.amount_minor for entry in booked if entry.organization == organization
    }
    return {
        "order": order,
        "dataset": order.offer.version.dataset,
        "owed_minor": ours.get(LedgerEntry.Account.CONTRIBUTOR, 0),
        "pool_minor": ours.get(LedgerEntry.Account.BENEFIT_POOL, 0),
    }
