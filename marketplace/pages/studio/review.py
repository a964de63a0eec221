"""The review tab: what is left to hear in a version, finishing, and the seal that follows."""

from typing import Any

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ingestion import review
from ingestion.models import File, PipelineRun, Version
from marketplace.pages.studio import frame, passages
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.pipeline import enqueue, live_context

PER_PAGE = 50


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """Show the review, or what follows it, or why it has not begun."""
    return tab(request, work)


def tab(
    request: StudioRequest, work: Work, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    if work.version.review_finished_at is not None:
        return frame.page(request, work, "review", after_context(request, work), error=error)
    if work.version.state != Version.State.REVIEW:
        return frame.page(request, work, "review", {"stage": "before"}, error=error)
    counts = passages.counts(work.version)
    found = work.version.files.filter(role=File.Role.SOURCE, pk__in=counts).order_by("path_key")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = progress(work, passages.total(counts.values())) | {
        "stage": "during",
        "page": page,
        "rows": [
            {"file": file, "counts": counts[file.pk], "url": work.url("recording", file.pk)}
            for file in page
        ],
        "leave_out_url": work.url("leave_out"),
    }
    return frame.page(request, work, "review", context, error=error)


def progress(work: Work, counts: passages.Counts) -> dict[str, Any]:
    """Return what the head of each review page tells: how much is done, and whether to finish."""
    return {
        "counts": counts,
        "counts_text": f"{counts.done} of {counts.total}",
        "left_in_words": in_words(counts),
        "finish_url": work.url("finish"),
        "seal_error": work.version.seal_error,
    }


def in_words(counts: passages.Counts) -> str:
    """Say what keeps the review open; empty when nothing does."""
    parts = [
        (counts.open_findings, "finding to hear", "findings to hear"),
        (counts.unread, "stretch to read", "stretches to read"),
        (counts.uncovered, "stretch without consent", "stretches without consent"),
    ]
    return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in parts if n)


def after_context(request: StudioRequest, work: Work) -> dict[str, Any]:
    """Return what follows a finished review: the decisions applied, the seal, what was sealed."""
    context = live_context(request, work, phase=PipelineRun.Phase.FINAL)
    stopped = context["counts"][PipelineRun.State.FAILED]
    context["is_live"] = work.version.is_open and not stopped
    context["live_url"] = work.url("review_live")
    stage = "applying" if work.version.is_open else "sealed"
    return context | {"stage": stage, "stopped": stopped, "entry": work.version.log_entry}


@require_safe
@for_contributors
def live(request: StudioRequest, work: Work) -> HttpResponse:
    """Return how far the seal is, for the page that polls; when it is over, have it load anew."""
    context = after_context(request, work)
    response = render(request, "pages/studio/live_seal.html", context)
    if not context["is_live"] and is_htmx(request):
        response["HX-Refresh"] = "true"
    return never_kept(response)


@require_POST
@for_contributors
def finish(request: StudioRequest, work: Work) -> HttpResponse:
    """Close the review; its decisions are applied, then the version is sealed."""
    try:
        enqueue(review.finish(version=work.version, by=request.user))
    except CommonholdError as error:
        return tab(request, work, error=error)
    return redirect(work.url("review"))


@require_POST
@for_contributors
def leave_out(request: StudioRequest, work: Work) -> HttpResponse:
    """Leave everything out that no consent covers."""
    try:
        count = review.leave_out_uncovered(version=work.version, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    messages.success(
        request, f"{count} stretches are left out of the release. You can bring each back."
    )
    return redirect(work.url("review"))
