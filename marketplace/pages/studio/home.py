"""The first page of the studio: the organization's datasets, and a new one."""

from collections.abc import Sequence
from typing import Any

from commonhold.errors import CommonholdError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Organization
from ingestion.archive import datasets, quotas
from ingestion.models import Dataset, Version
from marketplace import ledger
from marketplace.http import unsent
from marketplace.http.telling import tell_record
from marketplace.pages.studio import acts, figures, frame, nextsteps, seals, stations
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    for_organization,
    never_kept,
)
from marketplace.pages.studio.forms import DatasetForm, refuse
from marketplace.showcase import history
from marketplace.templatetags import wording

PER_PAGE = 20
LATELY = 4
"""Acts that the overview tells."""
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
    page = Paginator(newest_versions(organization), PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "organization": organization,
        "page": page,
        "rows": rows(list(page)),
        "earnings": ledger.earnings(organization=organization),
        "quotas": [quota_row(quota) for quota in quotas.of(organization)],
    }
    return never_kept(render(request, "pages/studio/index.html", context))


def quota_row(quota: quotas.Quota) -> dict[str, Any]:
    """Return how much of one kind is taken up, as the list shows it."""
    write = wording.size if quota.kind == quotas.Kind.BYTES else wording.number
    told = _("%(used)s of %(limit)s") % {"used": write(quota.used), "limit": write(quota.limit)}
    return {"label": quota.kind.label, "used": quota.used, "limit": quota.limit, "told": told}


def newest_versions(organization: Organization) -> list[int]:
    """Return the primary key of the newest version of each dataset, the newest dataset first."""
    everything = Version.objects.filter(dataset__organization=organization)
    newest = everything.order_by("-dataset", "-number").distinct("dataset")
    return list(newest.values_list("pk", flat=True))


def rows(keys: Sequence[int]) -> list[dict[str, Any]]:
    """Return the datasets of these versions as the list shows them."""
    chosen = Version.objects.filter(pk__in=keys).order_by("-dataset")
    known = chosen.select_related("dataset__organization", "review_finished_by")
    found = list(figures.read_along(known))
    facts = stations.read_all(found)
    works = [Work(dataset=version.dataset, version=version) for version in found]
    return [row(work, facts[work.version.pk]) for work in works]


def row(work: Work, facts: stations.Facts) -> dict[str, Any]:
    """Return one dataset as the list shows it."""
    return {
        "work": work,
        "url": work.url(),
        "facts": facts,
        "stations": stations.stations(work, facts),
        "step": nextsteps.choose(work, facts),
        **state(work.version),
    }


def state(version: Version) -> dict[str, str]:
    """Say where a version stands: the knot and the word."""
    if version.is_sealed and version.consent_state != Version.Consent.GIVEN:
        return {"knot": "refused", "word": _("Consent ended")}
    knot = STATE_KNOTS[Version.State(version.state)]
    return {"knot": knot, "word": version.get_state_display()}


@require_http_methods(["GET", "HEAD", "POST"])
@for_organization
def new_dataset(request: StudioRequest, organization: Organization) -> HttpResponse:
    """Begin a dataset for the organization that the reader acts for."""
    form = DatasetForm(request.POST or None)
    if request.unsent:
        unsent.refill(request.unsent, form)
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
    """Show where the version at work stands, the next step, and what was done last."""
    facts = stations.read(work)
    lately = history.of_dataset(dataset=work.dataset, decisions=False)
    context = {
        "step": nextsteps.choose(work, facts),
        "versions": [version_row(work, one) for one in work.dataset.versions.order_by("-number")],
        "seal": seals.of(work.version),
        "seal_error": tell_record(work.version.seal_error),
        "lately": acts.told(work.dataset, lately[:LATELY]),
    }
    return frame.page(request, work, "overview", context, facts=facts)


def version_row(work: Work, version: Version) -> dict[str, Any]:
    """Return a version as the list of a dataset shows it, with how it can be ended."""
    return {
        "version": version,
        "discard_url": work.url("discard") if is_discardable(version) else "",
        "withdraw_url": work.url("withdraw_version", version.number) if version.is_sealed else "",
        **state(version),
    }


def is_discardable(version: Version) -> bool:
    """Whether a version can still be thrown away."""
    return version.is_in_hand
