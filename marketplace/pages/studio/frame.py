"""What every page of one dataset shows around its own part: the title, the thread, the tabs."""

from typing import Any

from commonhold.errors import CommonholdError
from django.http import HttpResponse
from django.shortcuts import render

from ingestion.models import Version
from marketplace.pages.studio import stations
from marketplace.pages.studio.access import StudioRequest, Work, never_kept

TABS = (
    ("overview", "Overview"),
    ("files", "Files"),
    ("consent", "Consent"),
    ("pipeline", "Pipeline"),
    ("review", "Review"),
    ("offers", "Offers"),
)


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
        "error": error,
        "public_url": stations.public_url(work),
        **urls(work),
        **(context or {}),
    }
    status = error.status if error else (context or {}).get("status", 200)
    name = template or f"pages/studio/{tab}.html"
    return never_kept(render(request, name, everything, status=status))


def urls(work: Work) -> dict[str, str]:
    """Return the addresses that templates link to."""
    return {"overview_url": work.url()} | {
        f"{name}_url": work.url(name) for name, _ in TABS if name != "overview"
    }


def tabs(work: Work, facts: stations.Facts, current: str) -> list[dict[str, Any]]:
    """Lay out the tabs, each with what is to be counted in it."""
    counts = {
        "files": facts.files,
        "consent": work.dataset.consent_records.count(),
        "review": open_count(facts),
        "offers": facts.offers if work.version.state == Version.State.SEALED else None,
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


def open_count(facts: stations.Facts) -> int | None:
    """Count what is left to hear; None when there is no review now."""
    if facts.left is None:
        return None
    left = facts.left
    return left.open_findings + left.unreviewed_segments + left.uncovered_segments
