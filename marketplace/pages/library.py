"""The library: the licenses that an organization holds, and everything that proves them."""

import io
import zipfile
from typing import Any
from uuid import UUID

import rules
from commonhold.errors import CommonholdError
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from ingestion import releases
from licensing import access
from licensing.models import AccessRecord, Grant
from marketplace.api.grants import file_url
from marketplace.models import Order
from marketplace.pages import legal, sheets, threads
from marketplace.pages.acting import acting_organization, signed_in

GRANTS_A_PAGE = 20
FILES_A_PAGE = 100
PAPERS = {
    "LICENSE.txt": "The text that binds",
    "manifest.sigstore.json": "The signed statement with its log proof, as Sigstore tools read it",
    "manifest.dsse.json": "The signed statement alone (DSSE)",
    "manifest.tlog-proof": "That the public log holds it (C2SP)",
    "consent-status.jwt": "Where every consent stands now",
    "trusted_root.json": "Whose signatures count here",
    "files.jsonl": "The index: every file with its digest",
    "croissant.json": "The description for machines (Croissant 1.1)",
}
STATES = {
    "in-force": ("done", "In force"),
    "not-yet": ("waiting", "Not yet"),
    "expired": ("refused", "Ended"),
    "revoked": ("refused", "Revoked"),
}
CONSENT_STATES = {
    "given": ("done", "Consent stands"),
    "withdrawn": ("refused", "Consent withdrawn"),
    "expired": ("refused", "Consent expired"),
}


@require_safe
@login_required
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """List what the organization holds, newest first."""
    organization = acting_organization(request)
    held = grants().filter(licensee=organization).order_by("-issued_at", "pk")
    page = Paginator(held, GRANTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"organization": organization, "page": page, "rows": [row(grant) for grant in page]}
    return render(request, "pages/library/index.html", context)


def grants() -> QuerySet[Grant]:
    """Return grants with what a page says of them."""
    return Grant.objects.select_related(
        "offer__price", "version__dataset__organization", "licensee", "log_entry", "order"
    )


def row(grant: Grant) -> dict[str, Any]:
    """Return a license as the list shows it."""
    state = access.state(grant=grant)
    return {
        "grant": grant,
        "license": sheets.profile_name(grant.offer),
        "state": STATES[state.license],
        "consent": CONSENT_STATES[state.consent],
        "stations": threads.of_grant(
            grant, license_state=state.license, consent_state=state.consent
        ),
    }


def find(request: HttpRequest, grant_id: UUID) -> Grant:
    """Return a license that the reader may see, or Http404."""
    grant = get_object_or_404(grants(), pk=grant_id)
    if not rules.has_perm("licensing.view_grant", request.user, grant):
        raise Http404
    return grant


@require_safe
@login_required
@never_cache
def show(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Show a license: where it stands, its terms, and what is downloaded under it."""
    grant = find(request, grant_id)
    files = releases.files(version=grant.version)
    page = Paginator(files, FILES_A_PAGE).get_page(request.GET.get("page"))
    context = about(grant) | {
        "page": page,
        "papers": PAPERS,
        "may_use": rules.has_perm("licensing.use_grant", request.user, grant),
        "command": f"commonhold download {grant.version} --to {grant.version.dataset.slug}",
        "python": f'import commonhold\nrows = commonhold.load("{grant.version}")',
        "site_url": settings.SITE_URL,
    }
    return render(request, "pages/library/show.html", context)


def about(grant: Grant) -> dict[str, Any]:
    """Return what every page about a license says."""
    state = access.state(grant=grant)
    records = AccessRecord.objects.filter(grant_id=grant.pk).order_by("-at")
    taken = records.first()
    return {
        "grant": grant,
        "offer": grant.offer,
        "version": grant.version,
        "dataset": grant.version.dataset,
        "release": grant.version.release,
        "order": getattr(grant, "order", None),
        "license": sheets.profile_name(grant.offer),
        "may": sheets.may(grant.offer),
        "may_not": sheets.may_not(grant.offer),
        "duties": sheets.duties(grant.offer),
        "legal": legal.blocks(grant.offer.terms_text),
        "state": state,
        "state_words": STATES[state.license],
        "consent_words": CONSENT_STATES[state.consent],
        "stations": threads.of_grant(
            grant,
            license_state=state.license,
            consent_state=state.consent,
            taken_at=taken.at if taken else None,
        ),
        "taken": taken,
    }


@require_safe
@login_required
@never_cache
def certificate(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Show the license on one page, for printing and for lawyers."""
    return render(request, "pages/library/certificate.html", about(find(request, grant_id)))


@require_safe
@login_required
@never_cache
@transaction.atomic
def download(request: HttpRequest, grant_id: UUID, path: str) -> HttpResponse:
    """Lead to a file of the release by an address that is good for a while; it is written down."""
    grant = usable(request, grant_id)
    try:
        access.require(grant=grant)
    except CommonholdError:
        return redirect("grant", grant.pk)
    file = one_file(grant, path)
    access.note_access(grant=grant, by=signed_in(request).email)
    return redirect(file_url(Request(request), grant, file))


def usable(request: HttpRequest, grant_id: UUID) -> Grant:
    """Return a license that the reader may download under, or Http404."""
    grant = find(request, grant_id)
    if not rules.has_perm("licensing.use_grant", request.user, grant):
        raise Http404
    return grant


def one_file(grant: Grant, path: str) -> access.ReleaseFile:
    """Return one file of the release, or Http404."""
    if path in PAPERS:
        return access.made(path, access.generated(grant=grant)[path])
    file = releases.files(version=grant.version).filter(path=path).first()
    if file is None:
        raise Http404
    return access.ReleaseFile(
        path=file.path,
        size=file.blob.size,
        sha256=file.blob_id,
        media_type=file.media_type,
        blob_sha256=file.blob_id,
    )


@require_safe
@login_required
@never_cache
def papers(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Hand out the papers of a license in one archive, as they fit together at this moment.

    Also while consent is withdrawn: who holds the data must be able to prove what was licensed.
    """
    grant = usable(request, grant_id)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in access.generated(grant=grant).items():
            archive.writestr(name, content)
    answer = HttpResponse(packed.getvalue(), content_type="application/zip")
    name = f"{grant.version.dataset.slug}-{grant.version.number}-license-papers.zip"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    answer["Content-Disposition"] = str(disposition)
    return answer


@require_safe
@login_required
@never_cache
def receipts(request: HttpRequest) -> HttpResponse:
    """List the orders of the organization."""
    organization = acting_organization(request)
    found = Order.objects.filter(buyer=organization).select_related(
        "offer__version__dataset__organization", "placed_by"
    )
    page = Paginator(found.order_by("-created_at"), GRANTS_A_PAGE).get_page(request.GET.get("page"))
    context = {"organization": organization, "page": page}
    return render(request, "pages/library/receipts.html", context)


@require_safe
@login_required
@never_cache
def receipt(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show the receipt of an order."""
    order = get_object_or_404(
        Order.objects.select_related(
            "buyer", "placed_by", "grant", "offer__version__dataset__organization"
        ),
        pk=order_id,
    )
    if not rules.has_perm("accounts.view_organization", request.user, order.buyer):
        raise Http404
    context = {
        "order": order,
        "dataset": order.offer.version.dataset,
        "license": sheets.profile_name(order.offer),
        "fee_percent": f"{settings.PLATFORM_FEE_BPS / 100:g} %",
    }
    return render(request, "pages/library/receipt.html", context)
