"""Leaving speakers out of a version, what it would hold without them said first; and back."""

from collections.abc import Iterable, Sequence
from typing import Any

from commonhold.errors import CommonholdError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ingestion import review
from ingestion.models import Speaker
from ingestion.releases import outlook
from licensing import outlook as licenses
from marketplace.pages.studio import frame, sealing, undoing
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def leave_out(request: StudioRequest, work: Work) -> HttpResponse:
    """Say what a version would hold without some speakers; on POST, leave them out."""
    sent = request.POST if request.method == "POST" else request.GET
    speakers = chosen(work, sent.getlist("speaker"))
    back = sent.get("from", "seal")
    if not speakers:
        return redirect(undoing.place(work, back))
    if request.method != "POST":
        return page(request, work, speakers, back=back)
    try:
        decision = review.leave_out_speakers(
            version=work.version, speakers=speakers, by=request.user
        )
    except CommonholdError as error:
        return page(request, work, speakers, back=back, error=error)
    sentence = _("Left out of version %(number)s: %(people)s.")
    told = {"people": named(speakers), "number": work.version.number}
    undoing.offer(request, work, decision, sentence % told, back=back)
    return redirect(undoing.place(work, back))


def chosen(work: Work, keys: Iterable[str]) -> list[Speaker]:
    """Return the speakers of the dataset with these primary keys, by pseudonym."""
    wanted = [int(key) for key in keys if key.isdecimal()]
    return list(work.dataset.speakers.filter(pk__in=wanted).order_by("pseudonym"))


def named(speakers: Iterable[Speaker]) -> str:
    """Name speakers as everybody else knows them."""
    return ", ".join(one.pseudonym for one in speakers)


def page(
    request: StudioRequest,
    work: Work,
    speakers: Sequence[Speaker],
    *,
    back: str,
    error: CommonholdError | None = None,
) -> HttpResponse:
    """Render the question."""
    context = {
        "speakers": speakers,
        "people": named(speakers),
        "from": back,
        "back_url": undoing.place(work, back),
        **(comparison(work, speakers) if work.version.is_open else {}),
    }
    template = "pages/studio/leave_out.html"
    tab = "seal" if back == "seal" else "review"
    return frame.page(request, work, tab, context, template=template, error=error)


def comparison(work: Work, speakers: Sequence[Speaker]) -> dict[str, Any]:
    """Return what a version would hold with speakers and without them, and for which licenses."""
    found = outlook.of(version=work.version)
    gone = {one.pk for one in speakers}
    columns = licenses.columns(outlook=found)
    return {
        "now": found.holding,
        "then": outlook.without(outlook=found, speakers=gone),
        "gained": [
            column.profile
            for column in columns
            if column.blocks and {one.speaker.pk for one in column.blocks} <= gone
        ],
    }


@require_POST
@for_contributors
def bring_back(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Have a speaker in the version again."""
    speaker = get_object_or_404(work.dataset.speakers, pk=pk)
    try:
        decision = review.bring_back_speaker(version=work.version, speaker=speaker, by=request.user)
    except CommonholdError as error:
        return sealing.tab(request, work, error=error)
    sentence = _("%(speaker)s is in version %(number)s again.")
    told = {"speaker": speaker.pseudonym, "number": work.version.number}
    back = request.POST.get("from", "seal")
    undoing.offer(request, work, decision, sentence % told, back=back)
    return redirect(undoing.place(work, back))
