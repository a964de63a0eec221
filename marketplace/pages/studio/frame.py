"""What every page of one dataset shows around its own part: the title, the thread, the tabs."""

from typing import Any

from commonhold.errors import CommonholdError
from django.forms import BaseForm, BaseFormSet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from ingestion.archive import fixity
from ingestion.models import Version
from marketplace.http import unsent
from marketplace.http.telling import tell
from marketplace.pages.studio import stations
from marketplace.pages.studio.access import StudioRequest, Work, never_kept

TABS = (
    ("overview", _("Overview")),
    ("files", _("Files")),
    ("consent", _("Consent")),
    ("pipeline", _("Pipeline")),
    ("review", _("Review")),
    ("seal", _("Seal")),
    ("offers", _("Offers")),
)
BESIDE = ("open_version", "discard", "edit", "history")
"""Pages that stand beside the tabs."""


def page(
    request: StudioRequest,
    work: Work,
    tab: str,
    context: dict[str, Any] | None = None,
    *,
    template: str = "",
    error: CommonholdError | None = None,
    facts: stations.Facts | None = None,
) -> HttpResponse:
    """Render a page of the studio; `error` is a refusal, told at its head with its status."""
    facts = facts or stations.read(work)
    if request.unsent:
        refill(request.unsent, context or {})
    everything = {
        "work": work,
        "dataset": work.dataset,
        "version": work.version,
        "facts": facts,
        "stations": stations.stations(work, facts),
        "tabs": tabs(work, facts, tab),
        "tab": tab,
        "error": tell(error) if error else "",
        "damaged": fixity.damaged_in(version=work.version),
        "public_url": work.public_url(),
        **urls(work),
        **(context or {}),
    }
    status = error.status if error else (context or {}).get("status", 200)
    name = template or f"pages/studio/{tab}.html"
    return never_kept(render(request, name, everything, status=status))


def refill(typed: QueryDict, context: dict[str, Any]) -> None:
    """Put what was typed before a session ended into the page's own forms."""
    for name in ("form", "stretches"):
        form = context.get(name)
        if isinstance(form, BaseForm | BaseFormSet) and not form.is_bound:
            unsent.refill(typed, form)


def urls(work: Work) -> dict[str, str]:
    """Return the addresses that templates link to."""
    names = (*(name for name, _ in TABS), *BESIDE)
    return {f"{name}_url": work.url(name) for name in names}


def tabs(work: Work, facts: stations.Facts, current: str) -> list[dict[str, Any]]:
    """Lay out the tabs, each with what is to be counted in it."""
    figures = facts.figures
    counts = {
        "files": figures.files,
        "consent": figures.consents,
        "review": stations.count_left(facts.left) if facts.left else None,
        "offers": figures.offers if work.version.state == Version.State.SEALED else None,
    }
    return [
        {
            "href": work.url(name),
            "name": title,
            "current": name == current,
            "count": counts.get(name),
        }
        for name, title in TABS
    ]
