"""Settling what keeps something out of a recording: speech without text, and text without a place.

A stretch of speech that the text leaves out is written down, kept because nothing more is said
there, or left out; a line of text that could not be placed is given its times, or left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ingestion.models import Decision, Segment, Version
from ingestion.pipeline.steps.unwritten import EDGE_MS, LEAST_MS
from ingestion.pipeline.transcripts import words_of
from ingestion.review.decisions import (
    DecisionInvalid,
    correct,
    leave_out,
    lock,
    lock_for,
    neighbors,
)
from ingestion.review.undoing import noted
from ingestion.review.voices import scenes

Act = Decision.Act


@dataclass(frozen=True)
class Host:
    """A segment in the middle of which somebody says more than its text has."""

    segment: Segment
    at_char: int
    """Where in its text that belongs."""


@transaction.atomic
def write_down(*, segment: Segment, text: str, by: User) -> Segment:
    """Say what is said in a stretch that the text left out; it is scrubbed like any other text.

    In the middle of a segment the words go into its text, elsewhere they are a segment of their
    own. Returns the segment that has the words. Raises NotInReview, DecisionInvalid.
    """
    version = lock_for(segment.recording)
    segment = locked(segment)
    require_unwritten(segment)
    said = " ".join(text.split())
    if not words_of(said):
        sentence = _("Write down what is said there, or say that nothing is said.")
        raise DecisionInvalid(sentence, field="text")
    host = host_of(segment)
    holder = host.segment if host else segment
    touched = [segment, *([holder] if host else []), *neighbors(holder, but=segment)]
    with noted(version=version, act=Act.WRITE, segments=touched, by=by):
        if host is None:
            segment.unwritten = False
        mark_read(segment, by=by)
        before = holder.text[: host.at_char] if host else ""
        after = holder.text[host.at_char :] if host else ""
        correct(segment=holder, text=f"{before} {said}{after}".strip())
    return holder


@transaction.atomic
def keep_unwritten(*, segment: Segment, by: User) -> Segment:
    """Say that nothing is said in a stretch, or no more than the text has: its sound stays in.

    Raises NotInReview, DecisionInvalid.
    """
    version = lock_for(segment.recording)
    segment = locked(segment)
    require_unwritten(segment)
    with noted(version=version, act=Act.KEEP_UNWRITTEN, segments=[segment], by=by):
        mark_read(segment, by=by)
    return segment


@transaction.atomic
def leave_out_unwritten(*, version: Version, by: User) -> int:
    """Leave out all speech without text that nobody has settled; return how many stretches."""
    version = lock(version.pk)
    stage = scenes(version=version, with_texts=False)
    found = [one for scene in stage for one in scene.segments if one.unwritten]
    waiting = [one for one in found if one.reviewed_at is None and not one.excluded]
    leave_out(waiting, version=version, act=Act.LEAVE_OUT_UNWRITTEN, by=by)
    return len(waiting)


@transaction.atomic
def place(*, segment: Segment, start_ms: int, end_ms: int, by: User) -> Segment:
    """Say when a line of text is said that could not be placed in its recording.

    Speech without text that lies in it is settled by that: it is what the line says. Raises
    NotInReview, DecisionInvalid.
    """
    version = lock_for(segment.recording)
    segment = locked(segment)
    whole = segment.recording.duration_ms or 0
    if not segment.is_unplaced:
        raise DecisionInvalid(_("This stretch has its times already."), field="start_ms")
    if not 0 <= start_ms < end_ms <= whole:
        sentence = _("Its start comes before its end, and both lie in the recording of %(ms)s ms.")
        raise DecisionInvalid(sentence, field="start_ms", ms=whole)
    answered = stretches_in(segment, start_ms, end_ms)
    with noted(version=version, act=Act.PLACE, segments=[segment, *answered], by=by):
        for one in answered:
            answer(one, start_ms, end_ms, by=by)
        segment.start_ms, segment.end_ms = start_ms, end_ms
        segment.excluded = False
        segment.reviewed_at, segment.reviewed_by = timezone.now(), by
        segment.save(update_fields=["start_ms", "end_ms", "excluded", "reviewed_at", "reviewed_by"])
    return segment


def locked(segment: Segment) -> Segment:
    """Return the segment as it is now, held."""
    rows = Segment.objects.select_for_update(of=("self",)).select_related("recording__dataset")
    return rows.get(pk=segment.pk)


def require_unwritten(segment: Segment) -> None:
    """Raise DecisionInvalid for a segment that has its text."""
    if not segment.unwritten:
        sentence = _("This stretch has a text by now: correct it, or leave the stretch out.")
        raise DecisionInvalid(sentence, field="text")


def mark_read(segment: Segment, *, by: User) -> None:
    """Note who has settled a stretch."""
    segment.excluded = False
    segment.reviewed_at, segment.reviewed_by = timezone.now(), by
    segment.save(update_fields=["unwritten", "excluded", "reviewed_at", "reviewed_by"])


def host_of(stretch: Segment) -> Host | None:
    """Return the segment in the middle of which a stretch lies, between two of its timed words."""
    if stretch.start_ms is None or stretch.end_ms is None:
        return None
    around = Segment.objects.select_for_update(of=("self",)).filter(
        run=stretch.run_id,
        unwritten=False,
        excluded=False,
        start_ms__lt=stretch.start_ms,
        end_ms__gt=stretch.end_ms,
    )
    for segment in around.select_related("recording__dataset").order_by("position"):
        words = [word for word in segment.words if word["timed"]]
        before = [word for word in words if word["end_ms"] <= stretch.start_ms + EDGE_MS]
        after = [word for word in words if word["start_ms"] >= stretch.end_ms - EDGE_MS]
        if before and after and before[-1]["end_char"] < after[0]["start_char"]:
            return Host(segment, before[-1]["end_char"])
    return None


def stretches_in(segment: Segment, start_ms: int, end_ms: int) -> list[Segment]:
    """Return the speech without text that lies over a part of a stretch, and nobody settled."""
    found = Segment.objects.unread().standing().select_for_update(of=("self",))
    over = found.filter(start_ms__lt=end_ms, end_ms__gt=start_ms)
    return list(over.filter(run=segment.run_id, unwritten=True).select_related("recording"))


def answer(stretch: Segment, start_ms: int, end_ms: int, *, by: User) -> None:
    """Settle what lies in [start, end) of a stretch without text; what is more than that waits.

    A stretch that goes on at both ends waits as it is: nobody said what is in them.
    """
    first, last = stretch.start_ms or 0, stretch.end_ms or 0
    early, late = start_ms - first >= LEAST_MS, last - end_ms >= LEAST_MS
    if early and late:
        return
    if early or late:
        stretch.start_ms, stretch.end_ms = (first, start_ms) if early else (end_ms, last)
        stretch.save(update_fields=["start_ms", "end_ms"])
        return
    mark_read(stretch, by=by)


def between(segments: Sequence[Segment], segment: Segment) -> tuple[int, int] | None:
    """Return where a line without times may be said: the speech without text nearest to it.

    `segments` are all of its recording, in order.
    """
    places = [one for one in segments if one.is_silenced]
    here = [one.pk for one in segments].index(segment.pk)
    order = {one.pk: number for number, one in enumerate(segments)}
    nearest = min(places, key=lambda one: abs(order[one.pk] - here), default=None)
    if nearest is None or nearest.start_ms is None or nearest.end_ms is None:
        return None
    return nearest.start_ms, nearest.end_ms
