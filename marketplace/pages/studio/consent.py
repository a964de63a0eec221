"""The consent tab: who agreed to what, and where they are heard; one consent whole."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from ingestion.consent import labels
from ingestion.models import ConsentEvent, ConsentRecord, Recording, Speaker
from marketplace.http import kept
from marketplace.pages.studio import consent_words, consents, frame
from marketplace.pages.studio.access import StudioRequest, Work, for_contributors
from marketplace.pages.studio.consent_forms import phrases
from marketplace.pages.studio.consent_words import Allowed, find_record
from marketplace.templatetags import wording

PER_PAGE = 50
DRAWN = 20
"""Recordings whose coverage is drawn on the first page; the rest stand behind pages."""


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work) -> HttpResponse:
    """List the speakers of a dataset with their consents, and draw where these lie."""
    page = Paginator(speakers_of(work), PER_PAGE).get_page(request.GET.get("page"))
    recordings = Recording.objects.to_process().filter(files__version=work.version).in_order()
    drawn = Paginator(recordings, DRAWN).get_page(request.GET.get("files"))
    context = {
        "page": page,
        "rows": [row(work, speaker) for speaker in page],
        "drawn": drawn,
        "strips": consents.strips(list(drawn)),
        "labels": proposed(work),
        "new_url": work.url("new_consent"),
        "import_url": work.url("import_consent"),
    }
    return frame.page(request, work, "consent", context)


def proposed(work: Work) -> list[dict[str, Any]]:
    """Return whom the transcripts name and nobody entered yet, with where to record a consent."""
    new = work.url("new_consent")
    return [
        {"labeled": one, "url": f"{new}?label={one.token}"}
        for one in labels.found_in(version=work.version)
        if not one.is_known
    ]


def speakers_of(work: Work) -> QuerySet[Speaker]:
    """Return the speakers, those first who allow something, with their consents and in how much."""
    records = consent_words.with_standing(
        ConsentRecord.objects.defer("notice_text").order_by("-given_on", "-created_at", "pk")
    )
    counted = Q(consent_records__voided_at__isnull=True)
    holding = ConsentRecord.objects.in_force().filter(speaker=OuterRef("pk"))
    return (
        work.dataset.speakers.annotate(
            allows=Exists(holding),
            stretches=Count("consent_records__scopes", filter=counted),
            files=Count("consent_records__scopes__recording", filter=counted, distinct=True),
        )
        .prefetch_related(Prefetch("consent_records", records, to_attr="records"))
        .order_by("-allows", "pk")
    )


def row(work: Work, speaker: Speaker) -> dict[str, Any]:
    """Return one speaker as the list shows them."""
    records: list[ConsentRecord] = speaker.records  # type: ignore[attr-defined]  # prefetched there
    return {
        "speaker": speaker,
        "records": records,
        "counted": consent_words.counted(records),
        "state": consent_words.state_of_all(records),
        "allowed": Allowed.by(records),
        "url": work.url("speaker", speaker.pk),
    }


@require_safe
@for_contributors
def record(request: StudioRequest, work: Work, pk: UUID) -> HttpResponse:
    """Show one consent whole: terms, evidence, history, and where the speaker is heard."""
    found = find_record(work, pk)
    heard = Paginator(consent_words.heard_in([found]), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "record": found,
        "state": consent_words.state(found),
        "is_ended": consent_words.is_ended(found),
        "law": wording.country(found.jurisdiction),
        "agreed": phrases(found.standing_purposes),
        "taken_back": phrases(found.withdrawn_purposes),
        "refused": phrases(found.excluded_purposes),
        "heard": heard,
        "places": consent_words.places(list(heard), records=[found]),
        "events": ConsentEvent.objects.filter(record_id=found.pk).order_by("at"),
        "evidence_url": work.url("evidence", found.pk),
        "speaker_url": work.url("speaker", found.speaker_id),
        "withdraw_url": work.url("withdraw", found.pk),
        "narrow_url": work.url("withdraw_purposes", found.pk),
        "void_url": work.url("void", found.pk),
    }
    return frame.page(
        request, work, "consent", context, template="pages/studio/consent_record.html"
    )


@require_safe
@for_contributors
def evidence(request: StudioRequest, work: Work, pk: UUID) -> HttpResponseBase:
    """Hand out the signed form behind a consent, to contributors of its organization alone."""
    found = find_record(work, pk)
    if found.evidence is None:
        raise Http404
    return kept.hand_out(
        request,
        blob=found.evidence,
        media_type="application/octet-stream",
        name=found.evidence_name or f"{found.speaker.pseudonym}-evidence",
        is_private=True,
    )
