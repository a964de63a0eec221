"""The history of a dataset: who did what, and when."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ingestion.models import Recording
from marketplace.pages.studio import acts, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.showcase import history

PER_PAGE = 50


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List what was done to a dataset, or to one version or recording of it, the newest first."""
    about = subject(work, request.GET)
    decisions = request.GET.get("decisions") != "no"
    entries = history.of_dataset(dataset=work.dataset, about=about, decisions=decisions)
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": acts.told(work.dataset, page),
        "recording": about if isinstance(about, Recording) else None,
        "choices": choices(work, request.GET, about),
    }
    return frame.page(request, work, "overview", context, template="pages/studio/history.html")


def subject(work: Work, sent: QueryDict) -> Model | None:
    """Return the version or recording whose history is asked for, or None for all."""
    for name, things in (
        ("version", work.dataset.versions.all()),
        ("recording", work.dataset.recordings.all()),
    ):
        wanted = sent.get(name, "")
        if wanted:
            if not wanted.isdecimal():
                raise Http404
            key = "number" if name == "version" else "pk"
            return get_object_or_404(things, **{key: int(wanted)})
    return None


def choices(work: Work, sent: QueryDict, about: Model | None) -> list[dict[str, Any]]:
    """Return the links that narrow the list."""
    plain = sent.get("decisions") != "no"
    numbers = work.dataset.versions.order_by("-number").values_list("number", flat=True)
    return [
        {"name": _("Everything"), "query": "?", "current": about is None and plain},
        {
            "name": _("Without single decisions"),
            "query": "?decisions=no",
            "current": about is None and not plain,
        },
        *(
            {
                "name": _("Version %(number)s") % {"number": number},
                "query": f"?version={number}",
                "current": sent.get("version") == str(number),
            }
            for number in numbers
        ),
    ]
