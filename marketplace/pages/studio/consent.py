"""The consent tab: who agreed to what, where they are heard, and a withdrawal."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from commonhold import purposes
from commonhold.errors import CommonholdError
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ingestion import consent
from ingestion.archive.storage import blob_store
from ingestion.models import ConsentEvent, ConsentRecord, ConsentScope, Recording, Version
from licensing.models import Grant
from marketplace.http.ranges import Content, respond
from marketplace.pages.studio import consents, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.forms import of_them
from marketplace.tasks import follow_news_task
from marketplace.templatetags import wording

PER_PAGE = 50
DRAWN = 20
"""Recordings whose coverage is drawn on the first page; the rest stand behind pages."""


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the consents of a dataset, and draw where they lie on the recordings."""
    records = (
        with_standing(work.dataset.consent_records.select_related("speaker", "evidence"))
        .annotate(stretches=Count("scopes"), files=Count("scopes__recording", distinct=True))
        .order_by(F("holds").desc(), "speaker__pk", "-given_on", "pk")
    )
    page = Paginator(records, PER_PAGE).get_page(request.GET.get("page"))
    recordings = Recording.objects.to_process().filter(files__version=work.version).in_order()
    drawn = Paginator(recordings, DRAWN).get_page(request.GET.get("files"))
    context = {
        "page": page,
        "rows": [row(work, record) for record in page],
        "drawn": drawn,
        "strips": consents.strips(list(drawn)),
        "voices": work.dataset.speakers.count(),
        "new_url": work.url("new_consent"),
        "import_url": work.url("import_consent"),
    }
    return frame.page(request, work, "consent", context)


def with_standing(records: QuerySet[ConsentRecord]) -> QuerySet[ConsentRecord]:
    """Return records with `holds`, whether they are in force now."""
    return records.annotate(
        holds=Exists(ConsentRecord.objects.in_force().filter(pk=OuterRef("pk")))
    )


def row(work: Work, record: ConsentRecord) -> dict[str, Any]:
    """Return one consent as the list shows it."""
    return {
        "record": record,
        "state": state(record),
        "url": work.url("consent_record", record.pk),
    }


def state(record: ConsentRecord) -> dict[str, str]:
    """Say whether a consent that was read `with_standing` holds: the knot and the word."""
    if record.voided_at:
        word = _("Struck out %(day)s") % {"day": wording.day(record.voided_at)}
        return {"knot": "refused", "word": word}
    if record.withdrawn_at:
        word = _("Withdrawn %(day)s") % {"day": wording.day(record.withdrawn_at)}
        return {"knot": "refused", "word": word}
    if not record.holds:  # type: ignore[attr-defined]  # an annotation's name
        day = wording.day(record.expires_on or record.given_on)
        return {"knot": "refused", "word": _("Ended %(day)s") % {"day": day}}
    return {"knot": "done", "word": _("Holds")}


def find_record(work: Work, pk: UUID) -> ConsentRecord:
    """Return a consent of the dataset, or raise Http404."""
    records = ConsentRecord.objects.select_related("speaker", "evidence", "dataset__organization")
    return get_object_or_404(with_standing(records), dataset=work.dataset, pk=pk)


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
        "law": wording.country(found.jurisdiction),
        "agreed": phrases(found.standing_purposes),
        "taken_back": phrases(found.withdrawn_purposes),
        "refused": phrases(found.excluded_purposes),
    }


def phrases(slugs: Iterable[str]) -> list[str]:
    """Return purposes as they are told to a contributor, in their order."""
    return [of_them(purposes.get(slug).phrase) for slug in in_order(slugs)]


def in_order(slugs: Iterable[str]) -> list[str]:
    """Return purposes in the order in which they are always told."""
    wanted = set(slugs)
    return [one.slug for one in purposes.PURPOSES if one.slug in wanted]


def places(found: ConsentRecord) -> list[dict[str, Any]]:
    """Return where a speaker is heard: per recording, its length and the stretches."""
    scopes: dict[int, list[ConsentScope]] = {}
    for scope in found.scopes.select_related("recording").order_by(
        "recording__name_key", "recording_id", "start_ms"
    ):
        scopes.setdefault(scope.recording_id, []).append(scope)
    return [place(group, holds=state(found)["knot"] == "done") for group in scopes.values()]


def place(scopes: list[ConsentScope], *, holds: bool) -> dict[str, Any]:
    """Return where a speaker is heard in one recording."""
    recording = scopes[0].recording
    lies = consents.stretches(scopes, recording.duration_ms or 0)
    return {
        "recording": recording,
        "told": [told(scope) for scope in scopes],
        "covered": lies if holds else [],
        "ended": [] if holds else lies,
    }


def told(scope: ConsentScope) -> str:
    """Say a stretch: from when to when, or the whole."""
    if scope.start_ms is None or scope.end_ms is None:
        return _("the whole of it")
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
    error = None
    if request.method == "POST":
        try:
            consent.withdraw(record=found, by=request.user)
        except CommonholdError as refusal:
            error = refusal
        else:
            return withdrawn(request, work, found)
    context = record_context(work, found) | reach(found)
    template = "pages/studio/withdraw.html"
    return frame.page(request, work, "consent", context, template=template, error=error)


def withdrawn(request: StudioRequest, work: Work, found: ConsentRecord) -> HttpResponse:
    """Have what rests on a withdrawn consent follow, and say so."""
    follow_news_task.delay_on_commit()
    sentence = _(
        "The consent of %(speaker)s is withdrawn. Nothing that rests on it is given out any more."
    )
    messages.success(request, sentence % {"speaker": found.speaker.pseudonym})
    return redirect(work.url("consent_record", found.pk))


def reach(found: ConsentRecord) -> dict[str, Any]:
    """Find what a withdrawal touches: sealed versions, and who holds licenses of them."""
    versions = Version.objects.sealed().filter(release_consents__record=found).distinct()
    names = Grant.objects.filter(version__in=versions).values_list("licensee_name", flat=True)
    return {
        "sealed": list(versions.order_by("number")),
        "licensees": list(names.distinct().order_by("licensee_name")),
    }
