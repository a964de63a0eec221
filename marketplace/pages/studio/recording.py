"""Reviewing one recording or text: hearing it, deciding about each finding, reading each draft."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from commonhold.errors import CommonholdError
from commonhold.sentences import _ as sentence_of
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from ingestion import review
from ingestion.consent.cells import clock
from ingestion.models import Finding, Recording, Segment
from ingestion.review import hearing, voices
from ingestion.review.voices import Scene
from marketplace.http.telling import tell
from marketplace.http.unsent import STANDS
from marketplace.pages.studio import deeds, ears, frame, passages, stations, tallies
from marketplace.pages.studio.access import (
    StudioRequest,
    Work,
    for_contributors,
    is_htmx,
    never_kept,
)
from marketplace.pages.studio.passages import Scenery
from marketplace.pages.studio.review import progress
from marketplace.pages.studio.tallies import Tally

PER_PAGE = 40
DECISIONS = {"confirm": True, "keep": False}
ELSEWHERE = "elsewhere"
PLACES = ("start", "end")
NO_WORDS = sentence_of("Select the words to redact first: press on the first, then on the last.")


@require_safe
@for_contributors
def show(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Show the passages of one recording: those that need a person, or all."""
    return room(request, work, pk)


def room(
    request: StudioRequest, work: Work, pk: int, *, error: CommonholdError | None = None
) -> HttpResponse:
    """Render the room of one recording, with a refusal where there was one."""
    recording = find(work, pk)
    facts = stations.read(work)
    if facts.pieces is None:
        return redirect(work.url("review"))
    counts = tallies.of_recordings(facts.pieces, facts.unsettled)
    left_out = facts.figures.left_out
    around = passages.scenery(work, recording, "", reader=request.user, left_out=left_out)
    whole = tallies.total(counts.values())
    elsewhere = tallies.minus(whole, counts.get(recording.pk, Tally()))
    context = progress(work, whole) | {
        "recording": recording,
        **listing(request, around, elsewhere=elsewhere),
        **ears.head(recording, around.scene.published(), around.ears),
        "audio_url": audio_url(work, recording),
        "heard_url": work.url("heard", recording.pk),
        "peaks": passages.waveform(recording),
        "bars": passages.bars(around.scene),
        "absent": passages.absent_people(around),
        "last": last(request, work, recording),
        "undone": deeds.undone(
            work, request.GET.get("undone", ""), back=deeds.room_of(recording.pk)
        ),
        "others": next_recording(work, facts, recording, counts),
    }
    template = "pages/studio/recording.html"
    return frame.page(request, work, "review", context, template=template, facts=facts, error=error)


def listing(request: StudioRequest, around: Scenery, *, elsewhere: Tally) -> dict[str, Any]:
    """Return one page of passages: the page that is asked for, or that on which one stands."""
    everything = around.scene.segments
    waiting = [one for one in everything if passages.needs_a_person(around, one)]
    unsent = request.unsent or QueryDict()
    stood = unsent.get(STANDS, "")
    asked = stood or request.GET.get("at", "")
    sought = next((one for one in everything if str(one.pk) == asked), None)
    wants_all = request.GET.get("show") == "all" or not waiting
    wanted = "all" if wants_all or (sought and sought not in waiting) else "to-do"
    rows = everything if wanted == "all" else waiting
    number = rows.index(sought) // PER_PAGE + 1 if sought else request.GET.get("page")
    page = Paginator(rows, PER_PAGE).get_page(number)
    query = {"show": wanted, "page": page.number, ELSEWHERE: tallies.packed(elsewhere)}
    around = replace(around, query=urlencode(query))
    return {
        "page": page,
        "passages": [
            passages.passage(around, one) | {"typed": unsent if str(one.pk) == stood else None}
            for one in page
        ],
        "show": wanted,
        "waiting": len(waiting),
        "everything": len(everything),
    }


def find(work: Work, pk: int) -> Recording:
    """Return a recording that goes through the pipeline in the version, or raise Http404."""
    recordings = Recording.objects.to_process().select_related("dataset")
    return get_object_or_404(recordings, pk=pk, files__version=work.version)


def audio_url(work: Work, recording: Recording) -> str:
    """Return where the original is heard; nothing for a text."""
    is_audio = recording.kind == Recording.Kind.AUDIO
    return work.url("original", recording.pk) if is_audio else ""


def last(request: StudioRequest, work: Work, recording: Recording) -> deeds.Row | None:
    """Return the reader's own last act that stands in the version, to be undone from this room."""
    return deeds.last(work, by=request.user, back=deeds.room_of(recording.pk))


def next_recording(
    work: Work, facts: stations.Facts, recording: Recording, counts: dict[int, Tally]
) -> dict[str, Any] | None:
    """Return the next recording with something to hear, after this one or from the start."""
    order = [one.recording for one in facts.strips]
    here = order.index(recording)
    after = [*order[here + 1 :], *order[:here]]
    left = (one for one in after if counts.get(one.pk, Tally()).left)
    found = next(left, None)
    return {"recording": found, "url": work.url("recording", found.pk)} if found else None


@require_POST
@for_contributors
def heard(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Keep what the reader played just now, and return what their page tells anew by it."""
    recording = find(work, pk)
    try:
        ranges = ears.reported(request.body)
        hearing.note(recording=recording, ranges=ranges, by=request.user)
    except CommonholdError as error:
        return never_kept(HttpResponse(tell(error), "text/plain", status=error.status))
    played = [(start, end) for start, end in ranges]
    context = ears.changes(work, recording, played=played, reader=request.user)
    return never_kept(render(request, "pages/studio/heard.html", context))


@require_POST
@for_contributors
def decide(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Redact what was found, or keep it."""
    finding = get_object_or_404(Finding.objects.of(work.version), pk=pk)
    try:
        decision = request.POST.get("decision", "")
        if decision not in DECISIONS:
            raise review.DecisionInvalid(sentence_of("Choose «redact it» or «keep it»."))
        review.decide(finding=finding, redact=DECISIONS[decision], by=request.user)
    except CommonholdError as error:
        return answer(request, work, finding.segment, error=error)
    return answer(request, work, finding.segment)


@require_POST
@for_contributors
def add_finding(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Redact the words that a person selected."""
    segment = get_object_or_404(Segment.objects.of(work.version), pk=pk)
    try:
        first, last = (number(request, name) for name in ("first_word", "last_word"))
        review.add_finding(
            segment=segment,
            first_word=min(first, last),
            last_word=max(first, last),
            kind=request.POST.get("kind", ""),
            text_was=request.POST.get("text_was"),
            by=request.user,
        )
    except CommonholdError as error:
        return answer(request, work, segment, error=error)
    return answer(request, work, segment)


def number(request: StudioRequest, name: str) -> int:
    """Read the number of a word, or refuse."""
    text = request.POST.get(name, "")
    if not text.isdecimal():
        raise review.DecisionInvalid(NO_WORDS, field=name)
    return int(text)


@require_POST
@for_contributors
def review_segment(request: StudioRequest, work: Work, pk: int) -> HttpResponse:
    """Note that a person read a passage, its text corrected; or leave it out, or bring it back.

    Or settle what is said, or when, where text and sound don't meet.
    """
    segment = get_object_or_404(Segment.objects.of(work.version), pk=pk)
    text = request.POST.get("text")
    try:
        changed = settle(request, segment, text)
    except CommonholdError as error:
        return answer(request, work, segment, error=error, typed=request.POST)
    return answer(request, work, segment, changed=changed)


def settle(request: StudioRequest, segment: Segment, text: str | None) -> Segment:
    """Do what a form about a passage asks for, and return whose text or state it changed.

    Raises CommonholdError.
    """
    by, asked = request.user, request.POST
    match asked.get("action"):
        case "read":
            was = asked.get("text_was")
            return review.review_segment(
                segment=segment, by=by, text=text, text_was=was, excluded=False
            )
        case "leave-out":
            return review.review_segment(segment=segment, by=by, excluded=True)
        case "write":
            return review.write_down(segment=segment, text=text or "", by=by)
        case "nothing-said":
            return review.keep_unwritten(segment=segment, by=by)
        case "place":
            start, end = (clock(name, asked.get(name, "").strip()) for name in PLACES)
            return review.place(segment=segment, start_ms=start, end_ms=end, by=by)
        case _:
            told = sentence_of("Choose whether the stretch is read or left out.")
            raise review.DecisionInvalid(told)


def answer(
    request: StudioRequest,
    work: Work,
    segment: Segment,
    *,
    changed: Segment | None = None,
    error: CommonholdError | None = None,
    typed: QueryDict | None = None,
) -> HttpResponse:
    """Return the passage as it is now, for htmx; or go back to the page that the form stood on.

    With it comes what was `changed` beside it: what is on the page of that is old now.
    """
    pairs = parse_qsl(request.POST.get("query", ""))
    query = {name: value for name, value in pairs if name in {"show", "page", ELSEWHERE}}
    elsewhere = tallies.unpacked(query.pop(ELSEWHERE, ""))
    back = f"{work.url('recording', segment.recording_id)}?{urlencode(query)}#s-{segment.pk}"
    if not is_htmx(request) and error is None:
        return redirect(back)
    around = passages.scenery(
        work,
        segment.recording,
        request.POST.get("query", ""),
        reader=request.user,
        left_out=frozenset(work.version.left_out.values_list("speaker_id", flat=True)),
    )
    beside = changed if changed and changed.pk != segment.pk else None
    context = progress(work, tally_now(work, around.scene, elsewhere)) | {
        "work": work,
        "passage": as_it_is(around, segment) | refusal(error, typed=typed),
        "beside": as_it_is(around, beside) | {"swap": True} if beside else None,
        "last": last(request, work, segment.recording),
        "back_url": back,
        "status": error.status if error else 200,
    }
    if is_htmx(request):
        context["swap"] = True
        template = "pages/studio/passage_answer.html"
        return never_kept(render(request, template, context, status=context["status"]))
    template = "pages/studio/passage_alone.html"
    return frame.page(request, work, "review", context, template=template)


def as_it_is(around: Scenery, segment: Segment) -> dict[str, Any]:
    """Return a passage as its template takes it, read anew."""
    fresh = next(one for one in around.scene.segments if one.pk == segment.pk)
    return passages.passage(around, fresh)


def refusal(error: CommonholdError | None, *, typed: QueryDict | None) -> dict[str, Any]:
    """Return what a passage tells of a refusal, with what was typed.

    What was typed about a text that is another one by now is told and not offered again: it would
    undo what was changed.
    """
    if isinstance(error, review.TextChanged):
        return {"error": tell(error), "too_late": typed.get("text") if typed else None}
    return {"error": tell(error) if error else "", "typed": typed}


def tally_now(work: Work, scene: Scene, elsewhere: Tally | None) -> Tally:
    """Count what there is to do in the version after a decision about one recording.

    `elsewhere` is what the reader's page knew of the others: a version of many hours need not be
    read for each of a thousand decisions. Finishing asks for all of it again.
    """
    if elsewhere is None:
        stage = voices.scenes(version=work.version, with_texts=False)
        return tallies.total(tallies.of_stage(stage).values())
    return tallies.total([elsewhere, *tallies.of_stage([scene]).values()])
