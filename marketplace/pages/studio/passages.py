"""A stretch of speech as a reviewer reads it: its words with bars, and what is found in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from ingestion import consent, review
from ingestion.models import ConsentRecord, ConsentScope, File, Finding, Segment, StepRun, Version
from marketplace.pages.studio.access import Work
from marketplace.templatetags import wording

AROUND = 60
"""Characters of a passage shown before and after a finding in its line."""
LEAD_MS = 1000
"""How much is played before and after a finding."""
KIND_NAMES = {
    "phone": "Phone number",
    "email": "Email address",
    "address": "Address",
    "id-number": "Identity number",
    "card": "Card number",
    "iban": "Bank account",
    "url": "Web address",
    "ip": "Network address",
    "handle": "Account name",
    "name": "Name of a person",
    "other": "Something else private",
}
STATES = {
    Finding.State.OPEN: ("active", "To be heard"),
    Finding.State.CONFIRMED: ("done", "Will be redacted"),
    Finding.State.REJECTED: ("waiting", "Stays in"),
}


@dataclass(frozen=True)
class Counts:
    """What there is to do in a version or a file, and what is left of it."""

    findings: int
    open_findings: int
    to_read: int
    unread: int
    uncovered: int

    @property
    def total(self) -> int:
        """Everything that a person must decide or has decided."""
        return self.findings + self.to_read + self.uncovered

    @property
    def left(self) -> int:
        """What is left to decide."""
        return self.open_findings + self.unread + self.uncovered

    @property
    def done(self) -> int:
        """What has been decided."""
        return self.total - self.left


def counts(version: Version) -> dict[int, Counts]:
    """Count what is to be done in each file of a version, by its id."""
    standing = Segment.objects.filter(file__version=version, excluded=False).order_by()
    read = Q(needs_review=True)
    segments = standing.values("file").annotate(
        to_read=Count("pk", filter=read),
        unread=Count("pk", filter=read & Q(reviewed_at__isnull=True)),
    )
    findings = (
        Finding.objects.filter(segment__in=standing)
        .order_by()
        .values("segment__file")
        .annotate(all=Count("pk"), open=Count("pk", filter=Q(state=Finding.State.OPEN)))
    )
    found = {row["segment__file"]: (row["all"], row["open"]) for row in findings}
    uncovered: dict[int, int] = {}
    for segment in review.uncovered(version=version):
        uncovered[segment.file_id] = uncovered.get(segment.file_id, 0) + 1
    return {
        row["file"]: Counts(
            findings=found.get(row["file"], (0, 0))[0],
            open_findings=found.get(row["file"], (0, 0))[1],
            to_read=row["to_read"],
            unread=row["unread"],
            uncovered=uncovered.get(row["file"], 0),
        )
        for row in segments
    }


def total(all_counts: Iterable[Counts]) -> Counts:
    """Add up the counts of several files."""
    rows = [
        (one.findings, one.open_findings, one.to_read, one.unread, one.uncovered)
        for one in all_counts
    ]
    return (
        Counts(*(sum(column) for column in zip(*rows, strict=True)))
        if rows
        else Counts(0, 0, 0, 0, 0)
    )


def passage(
    work: Work, segment: Segment, scopes: list[ConsentScope], query: str = ""
) -> dict[str, Any]:
    """Return a stretch as its template takes it. `query` is the page that a form leads back to."""
    findings = sorted(segment.findings.all(), key=lambda finding: finding.start_char)
    covering = consent.cover(scopes=scopes, start_ms=segment.start_ms, end_ms=segment.end_ms)
    unread = segment.needs_review and segment.reviewed_at is None
    return {
        "segment": segment,
        "query": query,
        "pieces": list(pieces(segment, findings)),
        "findings": [finding_row(work, finding) for finding in findings],
        "unread": unread and not segment.excluded,
        "never_read": unread,
        "uncovered": not covering.is_complete and not segment.excluded,
        "needs_you": not segment.excluded
        and (
            unread
            or not covering.is_complete
            or any(one.state == Finding.State.OPEN for one in findings)
        ),
        "hear": hearing(segment.start_ms, segment.end_ms, lead=0),
        "review_url": work.url("review_segment", segment.pk),
        "add_url": work.url("add_finding", segment.pk),
        "kinds": [(kind, KIND_NAMES.get(kind, kind)) for kind in review.KINDS],
        "language": work.dataset.language,
        "direction": wording.direction(work.dataset.language),
    }


def in_force(file: File) -> list[ConsentScope]:
    """Return the scopes of the consents in force on a file."""
    records = ConsentRecord.objects.in_force()
    scopes = ConsentScope.objects.filter(file=file, record__in=records)
    return list(scopes.select_related("record__speaker"))


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


def finding_row(work: Work, finding: Finding) -> dict[str, Any]:
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
        "by_person": finding.detector == "person",
        "percent": None if finding.confidence is None else finding.confidence // 10,
        "hear": hearing(finding.start_ms, finding.end_ms, lead=LEAD_MS),
        "decide_url": work.url("decide", finding.pk),
    }


def hearing(start_ms: int | None, end_ms: int | None, *, lead: int) -> dict[str, int] | None:
    """Return which stretch of the original to play, `lead` milliseconds wider on both sides."""
    if start_ms is None or end_ms is None:
        return None
    return {"from": max(0, start_ms - lead), "to": end_ms + lead, "at": start_ms}


def waveform(file: File) -> list[int]:
    """Return the peaks that the decode step drew, or none."""
    steps = StepRun.objects.filter(run__file=file, name="decode", state=StepRun.State.DONE)
    return steps.values_list("output__waveform", flat=True).first() or []


def bars(file: File) -> list[tuple[int, int, str]]:
    """Return where the recording will be covered: what is found and was not said to stay."""
    findings = Finding.objects.filter(
        segment__file=file, segment__excluded=False, start_ms__isnull=False, end_ms__isnull=False
    ).exclude(state=Finding.State.REJECTED)
    return [
        (start, end, kind)
        for start, end, kind in findings.values_list("start_ms", "end_ms", "kind")
        if start is not None and end is not None
    ]
