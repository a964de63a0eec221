"""The seal tab: what would be sealed, finishing the review, and the seal that follows."""

from typing import Any

from commonhold.errors import CommonholdError
from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from ingestion import review
from ingestion.models import PipelineRun
from ingestion.tasks import enqueue, seal_version_task
from marketplace.http.telling import tell_record
from marketplace.pages.studio import before_seal, frame, nextsteps, seals, stations
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.pipeline import live_context


class SealForm(forms.Form):
    """That somebody has read what sealing does."""

    confirmed = forms.BooleanField(
        error_messages={"required": gettext_lazy("Tick this first: a seal can't be taken back.")}
    )

    def __init__(self, *args: Any, number: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label = _("I have read this. Version %(number)s is to be sealed as it is now.")
        self.fields["confirmed"].label = label % {"number": number}


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """Show what would be sealed, or the seal."""
    return tab(request, work)


def tab(
    request: StudioRequest,
    work: Work,
    *,
    error: CommonholdError | None = None,
    form: SealForm | None = None,
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    facts = stations.read(work)
    if work.version.review_finished_at is not None:
        context = after(request, work, facts)
    else:
        context = before_seal.context(request, work, facts) | {
            "form": form or SealForm(number=work.version.number),
            "finish_url": work.url("finish"),
            "seal_error": tell_record(work.version.seal_error),
            "status": 422 if form is not None else 200,
        }
    return frame.page(request, work, "seal", context, error=error, facts=facts)


def after(request: StudioRequest, work: Work, facts: stations.Facts) -> dict[str, Any]:
    """Return what follows a finished review: the decisions applied, the seal, and what is next."""
    if not work.version.is_open:
        return {
            "stage": "sealed",
            "seal": seals.of(work.version),
            "step": nextsteps.choose(work, facts),
        }
    return live_seal(request, work) | {"stage": "applying"}


def live_seal(request: StudioRequest, work: Work) -> dict[str, Any]:
    """Return how far the decisions of a review are applied."""
    context = live_context(request, work, phase=PipelineRun.Phase.FINAL)
    stopped = context["counts"][PipelineRun.State.FAILED]
    context["is_live"] = work.version.is_open and not stopped
    context["live_url"] = f"{work.url('seal_live')}?page={context['page'].number}"
    return context | {"stopped": stopped}


@require_safe
@for_contributors
def live(request: StudioRequest, work: Work) -> HttpResponse:
    """Return how far the seal is, for the page that polls; when it is over, have it load anew."""
    context = live_seal(request, work)
    response = render(request, "pages/studio/live_seal.html", context)
    if not context["is_live"] and is_htmx(request):
        response["HX-Refresh"] = "true"
    return never_kept(response)


@require_POST
@for_contributors
def finish(request: StudioRequest, work: Work) -> HttpResponse:
    """Close the review; its decisions are applied, then the version is sealed."""
    form = SealForm(request.POST, number=work.version.number)
    if not form.is_valid():
        return tab(request, work, form=form)
    try:
        runs = review.finish(version=work.version, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    enqueue(runs)
    if not runs:
        # The decisions are those of runs that are done: nothing else asks for the seal.
        seal_version_task.delay_on_commit(work.version.pk)
    return redirect(work.url("seal"))
