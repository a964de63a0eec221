"""The review tab: what is left to hear in a version."""

from collections.abc import Iterable
from typing import Any

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from ingestion import releases, review
from ingestion.models import Speaker
from ingestion.review import hearing
from ingestion.review.hearing import Heard
from marketplace.http.telling import tell_record
from marketplace.pages.studio import deeds, ears, frame, passages, stations, tallies, undoing
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.tallies import Tally
from marketplace.templatetags import scrubbing, wording

PER_PAGE = 50


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """Show the review, or who finished it, or why it has not begun."""
    return tab(request, work)


def tab(
    request: StudioRequest, work: Work, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the tab, with a refusal where there was one."""
    facts = stations.read(work)
    if work.version.review_finished_at is not None:
        context = {"stage": "finished"}
    elif facts.pieces is None:
        context = {"stage": "before"}
    else:
        context = during(request, work, facts)
    return frame.page(request, work, "review", context, error=error, facts=facts)


def during(request: StudioRequest, work: Work, facts: stations.Facts) -> dict[str, Any]:
    """Return what there is to hear, recording by recording; those left out can be brought back."""
    counts = tallies.of_recordings(facts.pieces or (), facts.unsettled)
    heard = hearing.by_recording(facts.pieces or ())
    recordings = [one.recording for one in facts.strips]
    page = Paginator(recordings, PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "recording": recording,
            "counts": counts.get(recording.pk, Tally()),
            "is_published": recording.pk in counts,
            "heard": ears.in_words(heard[recording.pk]) if recording.pk in heard else "",
            "url": work.url("recording", recording.pk),
        }
        for recording in page
    ]
    context = {
        "stage": "during",
        "page": page,
        "rows": rows,
        "leave_out_url": work.url("leave_out"),
        "unwritten": sum(one.unwritten for one in facts.unsettled),
        "leave_unwritten_url": work.url("leave_out_unwritten"),
        "absent": passages.people(work, absent(work, facts), back="review"),
        "scrubbed": scrubbing.told(releases.looked_for(recordings)),
        "done_last": deeds.newest(work, back="review"),
        **heard_of_all(heard.values()),
    }
    return progress(work, tallies.total(counts.values())) | context


def absent(work: Work, facts: stations.Facts) -> list[Speaker]:
    """Return who is left out of the version; asks only where somebody is."""
    out = facts.figures.left_out
    return list(work.dataset.speakers.filter(pk__in=out).order_by("pseudonym")) if out else []


def heard_of_all(found: Iterable[Heard]) -> dict[str, Any]:
    """Say how much of everything that would be published was played."""
    whole = hearing.total(found)
    return {
        "heard": whole,
        "heard_whole": whole.heard_ms + whole.unheard_ms,
        "heard_in_words": ears.in_words(whole),
    }


def progress(work: Work, tally: Tally) -> dict[str, Any]:
    """Return what the head of each review page tells: how much is done, and whether to finish."""
    return {
        "counts": tally,
        "counts_text": _("%(done)s of %(total)s")
        % {"done": wording.number(tally.done), "total": wording.number(tally.total)},
        "left_in_words": in_words(tally),
        "seal_url": work.url("seal"),
        "seal_error": tell_record(work.version.seal_error),
    }


def in_words(tally: Tally) -> str:
    """Say what keeps the review open; empty when nothing does."""
    parts = (
        (
            tally.open_findings,
            ngettext(
                "%(count)s finding to hear", "%(count)s findings to hear", tally.open_findings
            ),
        ),
        (
            tally.unsettled,
            ngettext(
                "%(count)s stretch to settle", "%(count)s stretches to settle", tally.unsettled
            ),
        ),
        (
            tally.unread,
            ngettext("%(count)s stretch to read", "%(count)s stretches to read", tally.unread),
        ),
        (
            tally.uncovered,
            ngettext(
                "%(count)s stretch without consent",
                "%(count)s stretches without consent",
                tally.uncovered,
            ),
        ),
    )
    return ", ".join(
        sentence % {"count": wording.number(count)} for count, sentence in parts if count
    )


@require_POST
@for_contributors
def leave_out(request: StudioRequest, work: Work) -> HttpResponse:
    """Leave everything out that no consent covers."""
    try:
        count = review.leave_out_uncovered(version=work.version, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    sentence = ngettext(
        "%(count)s stretch is left out of the release. You can bring it back.",
        "%(count)s stretches are left out of the release. You can bring each back.",
        count,
    )
    nothing = _("Nothing lies outside every consent any more.")
    return left_out(request, work, count, sentence=sentence, nothing=nothing)


@require_POST
@for_contributors
def leave_out_unwritten(request: StudioRequest, work: Work) -> HttpResponse:
    """Leave all speech without text out that nobody has settled."""
    try:
        count = review.leave_out_unwritten(version=work.version, by=request.user)
    except CommonholdError as error:
        return tab(request, work, error=error)
    sentence = ngettext(
        "%(count)s stretch of speech without text is left out of the release.",
        "%(count)s stretches of speech without text are left out of the release.",
        count,
    )
    nothing = _("All speech without text is settled already.")
    return left_out(request, work, count, sentence=sentence, nothing=nothing)


def left_out(
    request: StudioRequest, work: Work, count: int, *, sentence: str, nothing: str
) -> HttpResponse:
    """Say how many stretches are left out now, with the way to undo it; or that there were none."""
    decision = review.last(version=work.version, by=request.user) if count else None
    if decision is None:
        messages.info(request, nothing)
    else:
        told = sentence % {"count": wording.number(count)}
        undoing.offer(request, work, decision, told, back="review")
    return redirect(work.url("review"))
