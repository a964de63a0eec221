"""What every page of one dataset shows around its own part: the title, the thread, the tabs."""

from typing import Any

from commonhold.errors import CommonholdError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from ingestion.models import Version
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
    everything = {
        "work": work,
        "dataset": work.dataset,
        "version": work.version,
        "facts": facts,
        "stations": stations.stations(work, facts),
        "tabs": tabs(work, facts, tab),
        "tab": tab,
        "error": tell(error) if error else "",
        "public_url": work.public_url(),
        **urls(work),
        **(context or {}),
    }
    status = error.status if error else (context or {}).get("status", 200)
    name = template or f"pages/studio/{tab}.html"
    return never_kept(render(request, name, everything, status=status))


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
