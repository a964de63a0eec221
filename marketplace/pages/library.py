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
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ingestion import releases
from ingestion.archive.blobs import BytesDamaged
from licensing import access
from licensing import papers as documents
from licensing.models import AccessRecord, Grant
from marketplace.http import addresses, links, problems
from marketplace.http.acting import acting_organization, signed_in
from marketplace.models import Order
from marketplace.pages import legal, threads
from marketplace.showcase import held, terms
from marketplace.showcase.held import Held
from marketplace.templatetags import wording

GRANTS_A_PAGE = 20
FILES_A_PAGE = 100
PAPERS = {
    "LICENSE.txt": _("The text that binds"),
    "manifest.sigstore.json": _(
        "The signed statement with its log proof, as Sigstore tools read it"
    ),
    "manifest.dsse.json": _("The signed statement alone (DSSE)"),
    "manifest.tlog-proof": _("That the public log holds it (C2SP)"),
    "consent-status.jwt": _("Where every consent stands now"),
    "trusted_root.json": _("Whose signatures count here"),
    "files.jsonl": _("The index: every file with its digest"),
    "croissant.json": _("The description for machines (Croissant 1.1)"),
}
STATES = {
    "in-force": ("done", _("In force")),
    "not-yet": ("waiting", _("Not yet")),
    "expired": ("refused", _("Ended")),
    "revoked": ("refused", _("Revoked")),
}
VERSION_WITHDRAWN = ("refused", _("Withdrawn by its publisher"))
CONSENT_STATES = {
    "given": ("done", _("Consent stands")),
    "withdrawn": ("refused", _("Consent withdrawn")),
    "expired": ("refused", _("Consent expired")),
}


@require_safe
@login_required
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """List what the organization holds, newest first."""
    organization = acting_organization(request)
    page = Paginator(held.by(licensee=organization), GRANTS_A_PAGE).get_page(
        request.GET.get("page")
    )
    rows = [row(one) for one in held.with_states(list(page))]
    context = {"organization": organization, "page": page, "rows": rows}
    return render(request, "pages/library/index.html", context)


def row(one: Held) -> dict[str, Any]:
    """Return a license as the list shows it."""
    state = one.state
    return {
        "grant": one.grant,
        "license": terms.license_name(one.grant.offer),
        "state": STATES[state.license],
        "consent": told_of(state),
        "stations": threads.of_grant(
            one.grant, license_state=state.license, consent_state=state.consent
        ),
    }


def told_of(state: access.AccessState) -> tuple[str, Promise]:
    """Say whether the release is still handed out: the knot and the words."""
    return VERSION_WITHDRAWN if state.version != "sealed" else CONSENT_STATES[state.consent]


def find(request: HttpRequest, grant_id: UUID) -> Grant:
    """Return a license that the reader may see, or Http404."""
    grant = held.find(grant_id=grant_id)
    if grant is None or not rules.has_perm("licensing.view_grant", request.user, grant):
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
    release = releases.seal_of(version=grant.version).release
    taken = AccessRecord.objects.filter(grant_id=grant.pk).order_by("-at").first()
    return {
        "grant": grant,
        "offer": grant.offer,
        "version": grant.version,
        "dataset": grant.version.dataset,
        "release": release,
        "entry": grant.statement.entry,
        "order": getattr(grant, "order", None),
        "license": terms.license_name(grant.offer),
        "may": terms.may(grant.offer),
        "may_not": terms.may_not(grant.offer),
        "duties": terms.duties(grant.offer),
        "legal": legal.blocks(grant.offer.terms_text),
        "state": state,
        "state_words": STATES[state.license],
        "consent_words": told_of(state),
        "stations": threads.of_grant(
            grant,
            license_state=state.license,
            consent_state=state.consent,
            release=release,
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
def download(request: HttpRequest, grant_id: UUID, path: str) -> HttpResponse:
    """Lead to a file of the release by an address that is good for a while; it is written down."""
    grant = usable(request, grant_id)
    try:
        access.require(grant=grant)
    except CommonholdError:
        return redirect("grant", grant.pk)
    file = one_file(grant, path)
    access.note_access(grant=grant, by=signed_in(request).email)
    holder = links.Holder.of(signed_in(request))
    return redirect(addresses.of_file(request, grant=grant, file=file, holder=holder))


def usable(request: HttpRequest, grant_id: UUID) -> Grant:
    """Return a license that the reader may download under, or Http404."""
    grant = find(request, grant_id)
    if not rules.has_perm("licensing.use_grant", request.user, grant):
        raise Http404
    return grant


def one_file(grant: Grant, path: str) -> access.ReleaseFile:
    """Return one file of the release, or Http404."""
    for file in access.published(grant=grant, path=path):
        return file
    for paper in documents.of(grant=grant):
        if paper.name == path:
            return access.of_paper(paper)
    raise Http404


@require_safe
@login_required
@never_cache
def papers(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Hand out the papers of a license in one archive, as they fit together at this moment.

    Also while consent is withdrawn: who holds the data must be able to prove what was licensed.
    """
    grant = usable(request, grant_id)
    packed = io.BytesIO()
    try:
        everything = documents.of(grant=grant)
    except BytesDamaged as error:
        return problems.respond(error)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for paper in everything:
            archive.writestr(paper.name, paper.content)
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
        "license": terms.license_name(order.offer),
        "fee_percent": wording.percent(settings.PLATFORM_FEE_BPS),
    }
    return render(request, "pages/library/receipt.html", context)
