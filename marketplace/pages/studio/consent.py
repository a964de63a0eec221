"""The consent tab: who agreed to what, where they are heard, and a withdrawal."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from commonhold import purposes
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import consent
from ingestion.models import ConsentEvent, ConsentRecord, ConsentScope, Version
from ingestion.storage import blob_store
from marketplace.api.ranges import Content, respond
from marketplace.pages.studio import consents, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import of_them
from marketplace.tasks import refresh_listing_task
from marketplace.templatetags import wording

PER_PAGE = 50
DRAWN = 20
"""Recordings whose coverage is drawn on the first page; the rest stand behind pages."""


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the consents of a dataset, and draw where they lie on the recordings."""
    records = (
        work.dataset.consent_records.select_related("speaker", "evidence")
        .annotate(stretches=Count("scopes"), files=Count("scopes__file", distinct=True))
        .order_by(F("withdrawn_at").asc(nulls_first=True), "speaker__pk", "-given_on")
    )
    page = Paginator(records, PER_PAGE).get_page(request.GET.get("page"))
    drawn = Paginator(consents.of_version(work.version), DRAWN).get_page(request.GET.get("files"))
    context = {
        "page": page,
        "rows": [row(work, record) for record in page],
        "drawn": drawn,
        "voices": work.dataset.speakers.count(),
        "new_url": work.url("new_consent"),
        "import_url": work.url("import_consent"),
    }
    return frame.page(request, work, "consent", context)


def row(work: Work, record: ConsentRecord) -> dict[str, Any]:
    """Return one consent as the list shows it."""
    return {
        "record": record,
        "state": state(record),
        "url": work.url("consent_record", record.pk),
    }


def state(record: ConsentRecord) -> dict[str, str]:
    """Say whether a consent holds: the knot and the word."""
    if record.withdrawn_at:
        return {"knot": "refused", "word": f"Withdrawn {wording.day(record.withdrawn_at)}"}
    if not ConsentRecord.objects.in_force().filter(pk=record.pk).exists():
        return {
            "knot": "refused",
            "word": f"Ended {wording.day(record.expires_on or record.given_on)}",
        }
    return {"knot": "done", "word": "Holds"}


def find_record(work: Work, pk: UUID) -> ConsentRecord:
    """Return a consent of the dataset, or raise Http404."""
    records = ConsentRecord.objects.select_related("speaker", "evidence", "dataset__organization")
    return get_object_or_404(records, dataset=work.dataset, pk=pk)


@require_safe
@for_contributors
def record(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Show one consent whole: terms, evidence, history, and where the speaker is heard."""
    found = find_record(work, pk)
    context = record_context(work, found) | {
        "places": Paginator(places(found), PER_PAGE).get_page(request.GET.get("page")),
        "events": ConsentEvent.objects.filter(record_id=found.pk).order_by("at"),
        "evidence_url": work.url("evidence", found.pk),
        "withdraw_url": work.url("withdraw", found.pk),
    }
    return frame.page(
        request, work, "consent", context, template="pages/studio/consent_record.html"
    )


def record_context(work: Work, found: ConsentRecord) -> dict[str, Any]:
    """Return what both the record's page and the withdrawal's page tell."""
    return {
        "record": found,
        "state": state(found),
        "record_url": work.url("consent_record", found.pk),
        "agreed": [of_them(purposes.get(slug).phrase) for slug in in_order(found.purposes)],
        "refused": [
            of_them(purposes.get(slug).phrase) for slug in in_order(found.excluded_purposes)
        ],
    }


def in_order(slugs: Iterable[str]) -> list[str]:
    """Return purposes in the order in which they are always told."""
    wanted = set(slugs)
    return [one.slug for one in purposes.PURPOSES if one.slug in wanted]


def places(found: ConsentRecord) -> list[dict[str, Any]]:
    """Return where a speaker is heard: per file, its length and the stretches."""
    scopes: dict[int, list[ConsentScope]] = {}
    for scope in found.scopes.select_related("file__version").order_by(
        "file__version__number", "file__path_key", "start_ms"
    ):
        scopes.setdefault(scope.file_id, []).append(scope)
    ended = found.withdrawn_at is not None
    return [
        {
            "file": group[0].file,
            "told": [told(scope) for scope in group],
            "covered": [] if ended else consents.stretches(group, group[0].file.duration_ms or 0),
            "ended": consents.stretches(group, group[0].file.duration_ms or 0) if ended else [],
        }
        for group in scopes.values()
    ]


def told(scope: ConsentScope) -> str:
    """Say a stretch: from when to when, or the whole."""
    if scope.start_ms is None or scope.end_ms is None:
        return "the whole of it"
    start, end = (wording.timecode(at, fraction=True) for at in (scope.start_ms, scope.end_ms))
    return f"{start}\N{EN DASH}{end}"


@require_safe
@for_contributors
def evidence(request: StudioRequest, work: Work, pk: UUID) -> HttpResponseBase:
    """Hand out the signed form behind a consent, to contributors of its organization alone."""
    found = find_record(work, pk)
    if found.evidence is None:
        raise Http404
    content = Content(
        file=blob_store().open(found.evidence.sha256),
        size=found.evidence.size,
        sha256=found.evidence.sha256,
        media_type="application/octet-stream",
        name=found.evidence_name or f"{found.speaker.pseudonym}-evidence",
    )
    return respond(request, content)


@require_http_methods(["GET", "HEAD", "POST"])
@for_contributors
def withdraw(request: StudioRequest, work: Work, pk: UUID) -> HttpResponseBase:
    """Say what a withdrawal binds and what it can't; on POST, record it."""
    found = find_record(work, pk)
    if request.method == "POST":
        consent.withdraw(record=found, by=str(request.user))
        refresh_listing_task.delay_on_commit(work.dataset.pk)
        messages.success(
            request,
            f"The consent of {found.speaker.pseudonym} is withdrawn. "
            "Nothing that rests on it is given out any more.",
        )
        return redirect(work.url("consent_record", found.pk))
    context = record_context(work, found) | reach(work, found)
    return frame.page(request, work, "consent", context, template="pages/studio/withdraw.html")


def reach(work: Work, found: ConsentRecord) -> dict[str, Any]:
    """Find what a withdrawal touches: sealed versions, and who holds licenses of them."""
    versions = Version.objects.filter(
        dataset=work.dataset, state=Version.State.SEALED, files__consent_scopes__record=found
    ).distinct()
    return {
        "sealed": list(versions.order_by("number")),
        "licensees": sorted(
            {grant.licensee_name for version in versions for grant in version.grants.all()}
        ),
    }
