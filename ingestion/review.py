"""The person's part: hearing each finding, reading what no detector could judge, and finishing."""

from collections.abc import Iterable
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from ingestion import consent, corrections
from ingestion.models import ConsentRecord, ConsentScope, Finding, PipelineRun, Segment, Version
from ingestion.pipeline import make_run, sources

KINDS = (
    "phone",
    "email",
    "address",
    "id-number",
    "card",
    "iban",
    "url",
    "ip",
    "handle",
    "name",
    "other",
)


class NotInReview(CommonholdError):
    """Decisions can be made only while the version is in review."""

    code = "not-in-review"
    status = 409


class ReviewUnfinished(CommonholdError):
    """Something has not been heard, read or covered by consent yet."""

    code = "review-unfinished"
    status = 409


class DecisionInvalid(CommonholdError):
    """A decision that makes no sense for its finding or segment."""

    code = "decision-invalid"
    status = 422


@dataclass(frozen=True)
class Progress:
    """What is left to do."""

    open_findings: int
    unreviewed_segments: int
    uncovered_segments: int

    @property
    def is_complete(self) -> bool:
        """Whether the review can be finished."""
        return not (self.open_findings or self.unreviewed_segments or self.uncovered_segments)


def segments(*, version: Version) -> QuerySet[Segment]:
    """Return the version's segments in the order of its files."""
    return (
        Segment.objects.filter(file__version=version)
        .select_related("file", "speaker")
        .order_by("file__path_key", "position")
    )


def findings(*, version: Version) -> QuerySet[Finding]:
    """Return the version's findings in the order in which they are heard."""
    return (
        Finding.objects.filter(segment__file__version=version)
        .select_related("segment__file", "segment__speaker")
        .order_by("segment__file__path_key", "segment__position", "start_char", "pk")
    )


def uncovered(*, version: Version) -> list[Segment]:
    """Return the segments that would be published but lie outside every consent in force."""
    return without_consent(found=segments(version=version))


def without_consent(*, found: Iterable[Segment]) -> list[Segment]:
    """Return those segments that are not left out and lie outside every consent in force."""
    standing = [segment for segment in found if not segment.excluded]
    scopes: dict[int, list[ConsentScope]] = {}
    in_force = ConsentRecord.objects.in_force()
    files = {segment.file_id for segment in standing}
    for scope in ConsentScope.objects.filter(file__in=files, record__in=in_force).select_related(
        "record__speaker"
    ):
        scopes.setdefault(scope.file_id, []).append(scope)
    return [
        segment
        for segment in standing
        if not consent.cover(
            scopes=scopes.get(segment.file_id, []),
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
        ).is_complete
    ]


def progress(*, version: Version) -> Progress:
    """Count what is left to do before the version can be sealed."""
    standing = segments(version=version).filter(excluded=False)
    return Progress(
        open_findings=findings(version=version)
        .filter(state=Finding.State.OPEN, segment__excluded=False)
        .count(),
        unreviewed_segments=standing.filter(needs_review=True, reviewed_at__isnull=True).count(),
        uncovered_segments=len(uncovered(version=version)),
    )


def lock(version_id: int) -> Version:
    """Lock a version for a decision, or raise NotInReview."""
    version = Version.objects.select_for_update().get(pk=version_id)
    if version.state != Version.State.REVIEW or version.review_finished_at is not None:
        message = (
            f"Version {version.number} is not in review, so nothing can be decided about it now."
        )
        raise NotInReview(message)
    return version


@transaction.atomic
def decide(*, finding: Finding, redact: bool, by: User) -> Finding:
    """Confirm a finding (it will be redacted) or reject it (it stays). Can be decided again."""
    lock(finding.segment.file.version_id)
    finding.state = Finding.State.CONFIRMED if redact else Finding.State.REJECTED
    finding.decided_at, finding.decided_by = timezone.now(), by
    finding.save(update_fields=["state", "decided_at", "decided_by"])
    return finding


@transaction.atomic
def add_finding(
    *, segment: Segment, first_word: int, last_word: int, kind: str, by: User
) -> Finding:
    """Mark the words `first_word`…`last_word` (from 0, both included) for redaction.

    Raises NotInReview, DecisionInvalid.
    """
    lock(segment.file.version_id)
    if kind not in KINDS:
        message = f"Choose what it is: {', '.join(KINDS)}."
        raise DecisionInvalid(message, field="kind")
    if not 0 <= first_word <= last_word < len(segment.words):
        message = f"This stretch has the words 0 to {len(segment.words) - 1}."
        raise DecisionInvalid(message, field="first_word")
    words = segment.words[first_word : last_word + 1]
    timed = all(word["timed"] for word in words)
    finding, _ = Finding.objects.update_or_create(
        segment=segment,
        kind=kind,
        start_char=words[0]["start_char"],
        end_char=words[-1]["end_char"],
        defaults={
            "start_ms": words[0]["start_ms"] if timed else segment.start_ms,
            "end_ms": words[-1]["end_ms"] if timed else segment.end_ms,
            "detector": "person",
            "confidence": None,
            "state": Finding.State.CONFIRMED,
            "decided_at": timezone.now(),
            "decided_by": by,
        },
    )
    return finding


@transaction.atomic
def review_segment(
    *, segment: Segment, by: User, text: str | None = None, excluded: bool | None = None
) -> Segment:
    """Say that a person has heard and read the segment, correcting its text or leaving it out.

    A corrected text keeps the times of the words that stayed; its findings are looked for anew.
    """
    lock(segment.file.version_id)
    segment = Segment.objects.select_for_update().get(pk=segment.pk)
    if text is not None and text.strip() != segment.text:
        correct(segment=segment, text=text.strip())
    if excluded is not None:
        segment.excluded = excluded
    segment.reviewed_at, segment.reviewed_by = timezone.now(), by
    segment.save()
    return segment


def correct(*, segment: Segment, text: str) -> None:
    """Replace a segment's text, and look for personal data in the new one."""
    if not text:
        message = "A stretch with no words is left out instead: mark it «leave out»."
        raise DecisionInvalid(message, field="text")
    found = corrections.apply(segment=segment, text=text)
    segment.findings.all().delete()
    Finding.objects.bulk_create(found)


@transaction.atomic
def leave_out_uncovered(*, version: Version, by: User) -> int:
    """Leave everything that no consent covers out of the release; return how many segments."""
    lock(version.pk)
    left_out = [segment.pk for segment in uncovered(version=version)]
    Segment.objects.filter(pk__in=left_out).update(
        excluded=True, reviewed_at=timezone.now(), reviewed_by=by
    )
    return len(left_out)


@transaction.atomic
def finish(*, version: Version, by: User) -> list[PipelineRun]:
    """Close the review and make the runs that apply its decisions; the seal follows them.

    Raises NotInReview, ReviewUnfinished (which names the first thing left to do).
    """
    version = lock(version.pk)
    left = progress(version=version)
    if not left.is_complete:
        raise ReviewUnfinished(what_is_left(version=version, left=left), **vars(left))
    if not segments(version=version).filter(excluded=False).exists():
        message = "Everything is left out, so there is nothing to publish."
        raise ReviewUnfinished(message)
    version.review_finished_at, version.review_finished_by = timezone.now(), by
    version.seal_error = ""
    version.save(update_fields=["review_finished_at", "review_finished_by", "seal_error"])
    PipelineRun.objects.filter(file__version=version, phase=PipelineRun.Phase.FINAL).delete()
    return [make_run(file=file, phase=PipelineRun.Phase.FINAL) for file in sources(version=version)]


def what_is_left(*, version: Version, left: Progress) -> str:
    """Say the first thing that keeps the review open, naming file and place."""
    if left.open_findings:
        first = findings(version=version).filter(state=Finding.State.OPEN, segment__excluded=False)[
            0
        ]
        return (
            f"{left.open_findings} findings have not been heard; the first is in "
            f"«{first.segment.file}» ({first.kind})."
        )
    if left.unreviewed_segments:
        segment = segments(version=version).filter(
            excluded=False, needs_review=True, reviewed_at__isnull=True
        )[0]
        return (
            f"{left.unreviewed_segments} stretches have not been read by a person; the "
            f"first is in «{segment.file}»{at(segment)}."
        )
    segment = uncovered(version=version)[0]
    voice = f" (speaker {segment.speaker.pseudonym})" if segment.speaker else ""
    return (
        f"{left.uncovered_segments} stretches have no consent that covers them; the "
        f"first is in «{segment.file}»{at(segment)}{voice}. "
        "Record the consent, or leave them out."
    )


def at(segment: Segment) -> str:
    """Say where a segment starts."""
    return f" at {consent.clock(segment.start_ms)}" if segment.start_ms is not None else ""
