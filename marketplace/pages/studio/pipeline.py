"""The pipeline tab: starting the machine, watching it, and dealing with what stopped."""

from typing import Any
from uuid import UUID

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ingestion.models import PipelineRun, StepRun, Version
from ingestion.pipeline import jobs
from ingestion.tasks import enqueue
from marketplace.http.telling import tell_record
from marketplace.pages.studio import frame, steps
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.templatetags import wording

PER_PAGE = 25
UNFINISHED = (PipelineRun.State.PENDING, PipelineRun.State.RUNNING)


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """Show the runs of a version, live while one works."""
    return tab(request, work)


def tab(
    request: StudioRequest, work: Work, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    context = live_context(request, work, phase=PipelineRun.Phase.INTAKE) | {
        "start_url": work.url("start")
    }
    return frame.page(request, work, "pipeline", context, error=error)


@require_safe
@for_contributors
def live(request: StudioRequest, work: Work) -> HttpResponse:
    """Return the runs alone, for the page that polls; when they are over, have it load anew."""
    context = live_context(request, work, phase=PipelineRun.Phase.INTAKE)
    response = render(request, "pages/studio/live_runs.html", context)
    if not context["is_live"] and is_htmx(request):
        response["HX-Refresh"] = "true"
    return never_kept(response)


def live_context(request: StudioRequest, work: Work, *, phase: str) -> dict[str, Any]:
    """Return the runs of a phase as a page shows them, and whether to ask again."""
    runs = (
        jobs.of(work.version, phase=phase)
        .select_related("recording", "recipe")
        .prefetch_related(steps.told_of_runs())
        .order_by("recording__number", "pk")
    )
    page = Paginator(runs, PER_PAGE).get_page(request.GET.get("page"))
    counts = count_states(runs)
    return {
        "work": work,
        "version": work.version,
        "page": page,
        "rows": [row(work, run) for run in page],
        "counts": counts,
        "done_of_total": _("%(done)s of %(total)s")
        % {
            "done": wording.number(counts[PipelineRun.State.DONE]),
            "total": wording.number(counts["total"]),
        },
        "is_live": is_live(work.version, counts),
        "live_url": f"{work.url('pipeline_live')}?page={page.number}",
        "removable": work.version.is_in_hand,
    }


def count_states(runs: QuerySet[PipelineRun]) -> dict[str, int]:
    """Count runs by state, with their total."""
    found = dict(runs.order_by().values_list("state").annotate(Count("pk")))
    return {
        **{str(state): 0 for state in PipelineRun.State.values},
        **found,
        "total": sum(found.values()),
    }


def is_live(version: Version, counts: dict[str, int]) -> bool:
    """Whether something is still going to change by itself."""
    return version.is_open and any(counts[state] for state in UNFINISHED)


def row(work: Work, run: PipelineRun) -> dict[str, Any]:
    """Return a run as the page shows it."""
    found = list(run.steps.all())
    error = tell_record(run.error)
    knot, word = steps.KNOTS[StepRun.State(run.state)]
    working = next((one for one in found if one.state == StepRun.State.RUNNING), None)
    return {
        "run": run,
        "error": error,
        "can_retry": run.state == PipelineRun.State.FAILED,
        "knot": knot,
        "word": word,
        "steps": [steps.row(one, said_above=error) for one in found],
        "working": steps.NAMES.get(working.name, working.name) if working else "",
        "retry_url": work.url("retry", run.pk),
        "remove_url": work.url("remove_file", run.recording_id),
    }


@require_POST
@for_contributors
def start(request: StudioRequest, work: Work) -> HttpResponse:
    """Close the draft and start the machine; with nothing new in it the review is next."""
    try:
        runs = jobs.start(version=work.version, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    enqueue(runs)
    return redirect(work.url("pipeline" if runs else "review"))


@require_POST
@for_contributors
def retry(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Try a stopped run again."""
    runs = PipelineRun.objects.filter(recording__files__version=work.version)
    run = get_object_or_404(runs.select_related("recording"), pk=pk)
    try:
        enqueue([jobs.retry(run=run, by=request.user)])
    except CommonholdError as error:
        return tab(request, work, error=error)
    sentence = _("«%(path)s» is tried again. Steps that were done stay done.")
    messages.success(request, sentence % {"path": run.recording.name})
    return redirect(work.url("seal" if run.phase == PipelineRun.Phase.FINAL else "pipeline"))
