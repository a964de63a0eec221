"""A stretch of speech as a reviewer reads it: its words with bars, and what is found in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion import review
from ingestion.consent.labels import Labeled
from ingestion.models import Finding, Recording, Segment, Speaker, StepRun
from ingestion.pipeline.steps import detect
from ingestion.pipeline.steps.bars import UNWRITTEN
from ingestion.review import voices
from ingestion.review.voices import Piece, Scene
from marketplace.pages.studio import ears, tallies
from marketplace.pages.studio.access import Work
from marketplace.pages.studio.ears import Ears
from marketplace.templatetags import wording

AROUND = 60
"""Characters of a passage shown before and after a finding in its line."""
LEAD_MS = 1000
"""How much is played before and after a finding."""
KIND_NAMES = {
    "phone": _("Phone number"),
    "email": _("Email address"),
    "address": _("Address"),
    "id-number": _("Identity number"),
    "card": _("Card number"),
    "iban": _("Bank account"),
    "url": _("Web address"),
    "ip": _("Network address"),
    "handle": _("Account name"),
    "name": _("Name of a person"),
    "other": _("Something else private"),
}
REASONS = {
    detect.DRAFT: _("Draft transcript: a wrong word can hide a number or a name."),
    detect.UNTIMED: _("Words without times: the text may not be what is said here."),
    detect.UNKNOWN_SPEECH: _(
        "Numbers and addresses said aloud are not looked for in this language."
    ),
}
STATES = {
    Finding.State.OPEN: ("active", _("To be decided")),
    Finding.State.CONFIRMED: ("done", _("Will be redacted")),
    Finding.State.REJECTED: ("waiting", _("Stays in")),
}


@dataclass(frozen=True)
class Scenery:
    """What the passages of one page have in common."""

    work: Work
    scene: Scene
    ears: Ears
    speakers: dict[int, Speaker]
    """Everybody who may be heard in it, by their primary keys."""
    query: str
    """The page that a form leads back to."""

    def people(self, speakers: Iterable[Speaker]) -> list[dict[str, str]]:
        """Return speakers with where they are left out, and where they are brought back."""
        back = f"recording:{self.scene.recording.pk}"
        return people(self.work, speakers, back=back)


def scenery(
    work: Work, recording: Recording, query: str, *, reader: User, left_out: frozenset[int]
) -> Scenery:
    """Read a recording as it stands without some speakers, for its passages, as one person sees it.

    The speakers are named by their primary keys.
    """
    scene = voices.read(recordings=[recording], left_out=left_out)[0]
    voices.with_findings([scene])
    known = [one.speaker for one in scene.segments if one.speaker]
    known += [scope.record.speaker for scope in scene.scopes]
    return Scenery(
        work=work,
        scene=scene,
        ears=ears.read(recording, reader=reader),
        speakers={one.pk: one for one in known},
        query=query,
    )


def passage(around: Scenery, segment: Segment) -> dict[str, Any]:
    """Return a stretch as its template takes it."""
    findings = sorted(segment.findings.all(), key=lambda finding: finding.start_char)
    published = around.scene.pieces(segment)
    unread = segment.needs_review and segment.reviewed_at is None
    language = around.scene.recording.spoken
    return {
        "segment": segment,
        "query": around.query,
        "pieces": list(pieces(segment, findings)),
        "findings": [finding_row(around, finding) for finding in findings],
        "mark": around.ears.mark(ears.of_segment(segment), *ears.told_of(segment, published)),
        "unread": unread and bool(published),
        "never_read": unread,
        "reasons": [REASONS[code] for code in segment.review_reason.split() if code in REASONS],
        "uncovered": not all(piece.is_covered for piece in published),
        "needs_you": needs_a_person(around, segment),
        "is_left_out": not published and not around.scene.is_unsettled(segment),
        "without": around.people(absent(around, segment)),
        "within": around.people(present(around, segment)) if published else [],
        "parts": [part_of(piece) for piece in published if piece.part],
        "speaker": speaker_of(segment, published),
        "stranger": stranger(around.work, segment) if published else None,
        "hear": hearing(segment.start_ms, segment.end_ms, lead=0),
        "review_url": around.work.url("review_segment", segment.pk),
        "add_url": around.work.url("add_finding", segment.pk),
        "kinds": [(kind, KIND_NAMES.get(kind, kind)) for kind in review.KINDS],
        "language": language,
        "direction": wording.direction(language),
        **unsettled(around, segment),
    }


def unsettled(around: Scenery, segment: Segment) -> dict[str, Any]:
    """Return what the template takes of speech without text, or of text without a place."""
    if segment.unwritten:
        return {
            "unwritten": True,
            "is_left_out": False,
            "before": words_beside(around, segment, is_before=True),
            "beyond": words_beside(around, segment, is_before=False),
        }
    if not segment.is_unplaced:
        return {}
    found = review.between(around.scene.segments, segment)
    start, end = (wording.timecode(at, fraction=True) for at in found) if found else ("", "")
    hear = hearing(*found, lead=0) if found else None
    return {"unplaced": True, "start": start, "end": end, "hear": hear}


def words_beside(around: Scenery, stretch: Segment, *, is_before: bool) -> str:
    """Return the words of the text that are said right before or after a stretch without text."""
    found: list[tuple[int, Segment, int]] = []
    for segment in around.scene.segments:
        for word in segment.words:
            if not word["timed"]:
                continue
            if is_before and word["end_ms"] <= (stretch.start_ms or 0) + LEAD_MS // 4:
                found.append((word["end_ms"], segment, word["end_char"]))
            if not is_before and word["start_ms"] >= (stretch.end_ms or 0) - LEAD_MS // 4:
                found.append((-word["start_ms"], segment, word["start_char"]))
    if not found:
        return ""
    _, segment, char = max(found, key=itemgetter(0))
    return segment.text[max(0, char - AROUND) : char] if is_before else segment.text[char:][:AROUND]


def needs_a_person(around: Scenery, segment: Segment) -> bool:
    """Whether something about a stretch is left to do."""
    if around.scene.is_unsettled(segment):
        return True
    published = around.scene.pieces(segment)
    return bool(published) and tallies.of_segment(published).left > 0


def absent(around: Scenery, segment: Segment) -> list[Speaker]:
    """Return who is heard in a segment and left out of the version."""
    return [one for one in voices_in(around, segment) if one.pk in around.scene.left_out]


def present(around: Scenery, segment: Segment) -> list[Speaker]:
    """Return who is heard in a segment and stays in the version."""
    return [one for one in voices_in(around, segment) if one.pk not in around.scene.left_out]


def voices_in(around: Scenery, segment: Segment) -> list[Speaker]:
    """Return who is heard in a segment that nobody left out, by pseudonym."""
    if segment.excluded:
        return []
    found = (around.speakers.get(pk) for pk in around.scene.voices(segment))
    return sorted((one for one in found if one), key=lambda one: one.pseudonym)


def people(work: Work, speakers: Iterable[Speaker], *, back: str) -> list[dict[str, str]]:
    """Return speakers with where they are left out, and where they are brought back."""
    leave = work.url("leave_out_speakers")
    return [
        {
            "pseudonym": one.pseudonym,
            "leave_url": f"{leave}?{urlencode({'speaker': one.pk, 'from': back})}",
            "bring_url": work.url("bring_back", one.pk),
            "from": back,
        }
        for one in speakers
    ]


def absent_people(around: Scenery) -> list[dict[str, str]]:
    """Return who is heard in the recording and left out of the version."""
    absent = [one for pk, one in around.speakers.items() if pk in around.scene.left_out]
    return around.people(sorted(absent, key=lambda one: one.pseudonym))


def part_of(piece: Piece) -> dict[str, Any]:
    """Return a part of a stretch that is published without the rest."""
    start, end = (wording.timecode(at or 0, fraction=True) for at in (piece.start_ms, piece.end_ms))
    return {"time": f"{start}\N{EN DASH}{end}", "text": piece.text}


def speaker_of(segment: Segment, published: list[Piece]) -> str:
    """Return who speaks: named, or the only one whose consent lies there."""
    known = [segment.speaker, *(piece.speaker for piece in published)]
    return next((one.pseudonym for one in known if one), "")


def stranger(work: Work, segment: Segment) -> dict[str, str] | None:
    """Return whom the transcript names and nobody knows, with where their consent is recorded."""
    if not segment.names_stranger:
        return None
    url = f"{work.url('new_consent')}?label={Labeled(segment.label).token}"
    return {"label": segment.label, "url": url}


def pieces(segment: Segment, findings: list[Finding]) -> Iterable[dict[str, Any]]:
    """Cut a text into words, numbered as the service counts them, and what stands between them."""
    position = 0
    for number, word in enumerate(segment.words):
        start, end = word["start_char"], word["end_char"]
        if start > position:
            yield {"text": segment.text[position:start], "mark": mark(findings, position, start)}
        yield {
            "text": segment.text[start:end],
            "number": number,
            "mark": mark(findings, start, end),
            "start_ms": word["start_ms"],
            "end_ms": word["end_ms"],
        }
        position = end
    if position < len(segment.text):
        yield {"text": segment.text[position:], "mark": ""}


def mark(findings: list[Finding], start: int, end: int) -> str:
    """Say how characters [start, end) are marked: the strictest finding over them wins."""
    over = {one.state for one in findings if one.start_char < end and one.end_char > start}
    for state in (Finding.State.CONFIRMED, Finding.State.OPEN, Finding.State.REJECTED):
        if state in over:
            return str(state)
    return ""


def finding_row(around: Scenery, finding: Finding) -> dict[str, Any]:
    """Return a finding as the list below a passage shows it."""
    knot, word = STATES[Finding.State(finding.state)]
    before, after = finding.before, finding.after
    return {
        "finding": finding,
        "kind": KIND_NAMES.get(finding.kind, finding.kind),
        "before": f"…{before[-AROUND:]}" if len(before) > AROUND else before,
        "after": f"{after[:AROUND]}…" if len(after) > AROUND else after,
        "knot": knot,
        "word": word,
        "by_person": finding.detector == Finding.PERSON,
        "taken_out": finding.detector == Finding.TAKEN_OUT,
        "sure": None
        if finding.confidence is None
        else wording.percent(finding.confidence // 10 * 100),
        "hear": hearing(finding.start_ms, finding.end_ms, lead=LEAD_MS),
        "mark": ears.of_finding(around.ears, finding),
        "decide_url": around.work.url("decide", finding.pk),
    }


def hearing(start_ms: int | None, end_ms: int | None, *, lead: int) -> dict[str, int] | None:
    """Return which stretch of the original to play, `lead` milliseconds wider on both sides."""
    if start_ms is None or end_ms is None:
        return None
    return {"from": max(0, start_ms - lead), "to": end_ms + lead, "at": start_ms}


def waveform(recording: Recording) -> list[int]:
    """Return the peaks that the decode step drew, or none."""
    steps = StepRun.objects.filter(run=recording.intake_id, name="decode", state=StepRun.State.DONE)
    return steps.values_list("output__waveform", flat=True).first() or []


def bars(scene: Scene) -> list[tuple[int, int, str]]:
    """Return where a recording will be covered: what is found, or not written, and may not stay."""
    found = [
        (finding.start_ms, finding.end_ms, finding.kind)
        for segment in scene.segments
        if not segment.excluded
        for finding in segment.findings.all()
        if finding.state != Finding.State.REJECTED
        and finding.start_ms is not None
        and finding.end_ms is not None
    ]
    silenced = [one for one in scene.segments if one.is_barred]
    return found + [(one.start_ms or 0, one.end_ms or 0, UNWRITTEN) for one in silenced]
