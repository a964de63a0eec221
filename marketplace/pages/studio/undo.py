"""Taking an act back, from whichever tab it is asked for."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlencode

from commonhold.errors import CommonholdError
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ingestion import review
from ingestion.models import Decision
from marketplace.http.telling import tell
from marketplace.pages.studio import deeds, files, recording, sealing, undoing
from marketplace.pages.studio import review as review_tab
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)


class Tab(Protocol):
    """How a tab is rendered with a refusal at its head."""

    def __call__(
        self, request: StudioRequest, work: Work, *, error: CommonholdError | None
    ) -> HttpResponse: ...


TABS: dict[str, Tab] = {"files": files.listing, "review": review_tab.tab, "seal": sealing.tab}
SENTENCES: dict[str, Callable[[Decision], str]] = {
    Decision.Act.REMOVE: lambda done: (
        _("«%(path)s» is in version %(number)s again.")
        % {"path": done.recording, "number": done.version.number}
    ),
    Decision.Act.LEAVE_OUT_SPEAKER: lambda done: (
        _("Nobody more is left out of version %(number)s.") % {"number": done.version.number}
    ),
}


@require_POST
@for_contributors
def undo(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Make everything as it was before an act; a refusal is told where it was asked from."""
    acts = Decision.objects.filter(version__dataset=work.dataset)
    decision = get_object_or_404(acts.select_related("version__dataset", "recording", "by"), pk=pk)
    back = request.GET.get("from", "")
    try:
        review.undo(decision=decision, by=request.user)
    except CommonholdError as error:
        return refused(request, work, error, back=back)
    room = undoing.room(back)
    if room is None:
        messages.success(request, told(decision))
        return redirect(undoing.place(work, back))
    return back_in_room(request, work, decision, room)


def refused(
    request: StudioRequest, work: Work, error: CommonholdError, *, back: str
) -> HttpResponse:
    """Tell a refusal in place."""
    room = undoing.room(back)
    if room is None:
        return TABS.get(back, review_tab.tab)(request, work, error=error)
    if not is_htmx(request):
        return recording.room(request, work, room, error=error)
    last = deeds.last(work, by=request.user, back=back)
    context = {"last": last, "last_error": tell(error)}
    answer = render(request, "pages/studio/last_act.html", context, status=error.status)
    return never_kept(answer)


def back_in_room(request: StudioRequest, work: Work, decision: Decision, room: int) -> HttpResponse:
    """Lead to the passage that is as it was, in the room where the button stood."""
    touched = decision.before.get("segments", [])
    passage = touched[0]["pk"] if touched and decision.recording_id == room else None
    query = {"undone": decision.pk} | ({"at": passage} if passage else {})
    url = f"{work.url('recording', room)}?{urlencode(query)}" + (f"#s-{passage}" if passage else "")
    if not is_htmx(request):
        return redirect(url)
    answer = HttpResponse()
    answer["HX-Redirect"] = url
    return answer


def told(decision: Decision) -> str:
    """Say what is as it was before."""
    sentence = SENTENCES.get(decision.act)
    return sentence(decision) if sentence else _("Undone: it is as it was before.")
