"""The first page of the studio: the organization's datasets, and a new one."""

from typing import Any

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Organization
from ingestion import datasets
from ingestion.models import Dataset, Version
from marketplace import ledger
from marketplace.pages.studio import frame, stations
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    for_organization,
    never_kept,
)
from marketplace.pages.studio.forms import DatasetForm, refuse

PER_PAGE = 20
STATE_KNOTS = {
    Version.State.DRAFT: "waiting",
    Version.State.PROCESSING: "active",
    Version.State.REVIEW: "active",
    Version.State.SEALED: "done",
    Version.State.WITHDRAWN: "refused",
}


@require_safe
@for_organization
def index(request: StudioRequest, organization: Organization) -> HttpResponse:
    """List the datasets of the organization that the reader acts for."""
    found = Dataset.objects.filter(organization=organization, versions__isnull=False).distinct()
    newest = found.select_related("organization").order_by("-pk")
    page = Paginator(newest, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "organization": organization,
        "page": page,
        "rows": [row(dataset) for dataset in page],
        "earnings": ledger.earnings(organization=organization),
    }
    return never_kept(render(request, "pages/studio/index.html", context))


def row(dataset: Dataset) -> dict[str, Any]:
    """Return one dataset as the list shows it."""
    work = Work(dataset=dataset, version=dataset.versions.latest("number"))
    facts = stations.read(work)
    return {
        "work": work,
        "url": work.url(),
        "facts": facts,
        "stations": stations.stations(work, facts),
        "step": stations.next_step(work, facts),
        "knot": STATE_KNOTS[Version.State(work.version.state)],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_organization
def new_dataset(request: StudioRequest, organization: Organization) -> HttpResponse:
    """Begin a dataset for the organization that the reader acts for."""
    form = DatasetForm(request.POST or None)
    status = 200
    if request.method == "POST":
        made = create(request, form, organization)
        if made is not None:
            return redirect("studio:files", organization.slug, made.slug)
        status = 422
    context = {"form": form, "organization": organization}
    return render(request, "pages/studio/new_dataset.html", context, status=status)


def create(request: StudioRequest, form: DatasetForm, organization: Organization) -> Dataset | None:
    """Create the dataset of a form, or tell the form why not."""
    if not form.is_valid():
        return None
    try:
        return datasets.create(organization=organization, by=request.user, **form.cleaned_data)
    except CommonholdError as error:
        refuse(form, error, {"": "slug"} if error.code == "dataset-exists" else None)
        return None


@require_safe
@for_contributors
def overview(request: StudioRequest, work: Work) -> HttpResponse:
    """Show where the version at work stands, and the next step."""
    facts = stations.read(work)
    context = {
        "step": stations.next_step(work, facts),
        "knot": STATE_KNOTS[Version.State(work.version.state)],
        "versions": work.dataset.versions.order_by("-number"),
        "start_url": work.url("start"),
        "open_version_url": work.url("open_version"),
    }
    return frame.page(request, work, "overview", context, facts=facts)


@require_POST
@for_contributors
def open_version(request: StudioRequest, work: Work) -> HttpResponse:
    """Begin the next version of a dataset."""
    draft = datasets.open_draft(dataset=work.dataset, by=request.user)
    messages.success(
        request, f"Version {draft.number} is open. What is sealed stays as it is beside it."
    )
    return redirect(work.url("files"))
