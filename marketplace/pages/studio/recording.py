"""Reviewing one recording or text: hearing it, deciding about each finding, reading each draft."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from commonhold.errors import CommonholdError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from ingestion import review
from ingestion.models import File, Finding, Segment, Version
from marketplace.pages.studio import frame, passages
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.review import progress

PER_PAGE = 40
DECISIONS = {"confirm": True, "keep": False}


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Show the passages of one recording: those that need a person, or all."""
    file = get_object_or_404(work.version.files, pk=pk, role=File.Role.SOURCE)
    if work.version.state != Version.State.REVIEW or work.version.review_finished_at is not None:
        return redirect(work.url("review"))
    scopes = passages.in_force(file)
    everything = segments_of(file)
    waiting = everything.filter(pk__in=needing(work, file))
    wanted = "all" if request.GET.get("show") == "all" or not waiting.exists() else "to-do"
    found = everything if wanted == "all" else waiting
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({"show": wanted, "page": page.number})
    counts = passages.counts(work.version)
    context = progress(work, passages.total(counts.values())) | {
        "file": file,
        "file_counts": counts.get(file.pk),
        "page": page,
        "passages": [passages.passage(work, segment, scopes, query) for segment in page],
        "show": wanted,
        "waiting": waiting.count(),
        "everything": everything.count(),
        "audio_url": work.url("original", file.pk) if file.kind == File.Kind.AUDIO else "",
        "peaks": passages.waveform(file),
        "bars": passages.bars(file),
        "others": next_recording(work, file, counts),
    }
    return frame.page(request, work, "review", context, template="pages/studio/recording.html")


def segments_of(file: File) -> Any:
    """Return the passages of a file with what is found in them."""
    return file.segments.select_related("speaker", "reviewed_by", "file").prefetch_related(
        "findings"
    )


def needing(work: Work, file: File) -> list[int]:
    """Return the passages of a file that a person has still to hear."""
    opened = Finding.objects.filter(segment=OuterRef("pk"), state=Finding.State.OPEN)
    unread = Q(needs_review=True, reviewed_at__isnull=True)
    found = file.segments.filter(excluded=False).filter(unread | Exists(opened))
    bare = [one.pk for one in review.uncovered(version=work.version) if one.file_id == file.pk]
    return [*found.values_list("pk", flat=True), *bare]


def next_recording(
    work: Work, file: File, counts: dict[int, passages.Counts]
) -> dict[str, Any] | None:
    """Return the next recording with something to hear, after this one or from the start."""
    left = [pk for pk, one in counts.items() if one.left and pk != file.pk]
    files = list(work.version.files.filter(pk__in=left).order_by("path_key"))
    after = [one for one in files if one.path_key > file.path_key] or files
    return {"file": after[0], "url": work.url("recording", after[0].pk)} if after else None


@require_POST
@for_contributors
def decide(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Redact what was found, or keep it."""
    finding = get_object_or_404(
        Finding.objects.select_related("segment__file"), pk=pk, segment__file__version=work.version
    )
    try:
        decision = request.POST.get("decision", "")
        if decision not in DECISIONS:
            message = "Choose «redact it» or «keep it»."
            raise review.DecisionInvalid(message)
        review.decide(finding=finding, redact=DECISIONS[decision], by=request.user)
    except CommonholdError as error:
        return answer(request, work, finding.segment, error=error)
    return answer(request, work, finding.segment)


@require_POST
@for_contributors
def add_finding(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Redact the words that a person selected."""
    segment = get_object_or_404(
        Segment.objects.select_related("file"), pk=pk, file__version=work.version
    )
    try:
        first, last = (number(request, name) for name in ("first_word", "last_word"))
        review.add_finding(
            segment=segment,
            first_word=min(first, last),
            last_word=max(first, last),
            kind=request.POST.get("kind", ""),
            by=request.user,
        )
    except CommonholdError as error:
        return answer(request, work, segment, error=error)
    return answer(request, work, segment)


def number(request: StudioRequest, name: str) -> int:
    """Read the number of a word, or refuse."""
    text = request.POST.get(name, "")
    if not text.isdecimal():
        message = "Select the words to redact first: press on the first, then on the last."
        raise review.DecisionInvalid(message, field=name)
    return int(text)


@require_POST
@for_contributors
def review_segment(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Note that a person read a passage, its text corrected; or leave it out, or bring it back."""
    segment = get_object_or_404(
        Segment.objects.select_related("file"), pk=pk, file__version=work.version
    )
    text = request.POST.get("text")
    try:
        match request.POST.get("action"):
            case "heard":
                review.review_segment(segment=segment, by=request.user, text=text, excluded=False)
            case "leave-out":
                review.review_segment(segment=segment, by=request.user, excluded=True)
            case _:
                message = "Choose whether the stretch is read or left out."
                raise review.DecisionInvalid(message)
    except CommonholdError as error:
        return answer(request, work, segment, error=error, typed=text)
    return answer(request, work, segment)


def answer(
    request: StudioRequest,
    work: Work,
    segment: Segment,
    *,
    error: CommonholdError | None = None,
    typed: str | None = None,
) -> HttpResponse:
    """Return the passage as it is now, for htmx; or go back to the page that the form stood on."""
    fresh = segments_of(segment.file).get(pk=segment.pk)
    query = urlencode(
        [pair for pair in parse_qsl(request.POST.get("query", "")) if pair[0] in {"show", "page"}]
    )
    if not is_htmx(request) and error is None:
        return redirect(f"{work.url('recording', segment.file_id)}?{query}#s-{segment.pk}")
    row = passages.passage(work, fresh, passages.in_force(segment.file), query)
    counts = passages.total(passages.counts(work.version).values())
    context = progress(work, counts) | {
        "work": work,
        "passage": row | {"error": error, "typed": typed},
        "back_url": f"{work.url('recording', segment.file_id)}?{query}#s-{segment.pk}",
    }
    status = error.status if error else 200
    if is_htmx(request):
        context["swap"] = True
        return never_kept(
            render(request, "pages/studio/passage_answer.html", context, status=status)
        )
    return frame.page(
        request,
        work,
        "review",
        context | {"status": status},
        template="pages/studio/passage_alone.html",
    )
