"""The person's part: deciding about findings, marking words, correcting texts, leaving out."""

from collections.abc import Sequence

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from ingestion.archive import versions
from ingestion.models import Decision, Finding, Recording, Segment, Version
from ingestion.pipeline import transcripts
from ingestion.review import corrections
from ingestion.review.progress import uncovered
from ingestion.review.undoing import noted

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
Act = Decision.Act
MAX_TEXT = 10_000
"""Characters of a stretch of speech: minutes of it."""


class NotInReview(CommonholdError):
    """Decisions can be made only while the version is in review, or carried over into a draft."""

    code = "not-in-review"
    status = 409


class DecisionInvalid(CommonholdError):
    """A decision that makes no sense for its finding or segment."""

    code = "decision-invalid"
    status = 422


class TextChanged(DecisionInvalid):
    """A decision about a text that is another one by now."""

    code = "text-changed"
    status = 409


def lock(version_id: int) -> Version:
    """Lock a version for a decision, or raise NotInReview."""
    try:
        version = versions.lock_open(version_id)
    except versions.VersionClosed as error:
        raise not_in_review(Version.objects.get(pk=version_id)) from error
    if version.state == Version.State.PROCESSING:
        raise not_in_review(version)
    return version


def not_in_review(version: Version) -> NotInReview:
    """Make the refusal of a decision at the wrong time."""
    sentence = _("Version %(number)s is not in review, so nothing can be decided about it now.")
    return NotInReview(sentence, number=version.number)


def lock_for(recording: Recording) -> Version:
    """Lock the open version that has a place for a recording, or raise NotInReview."""
    places = recording.files.select_related("version").order_by("-version__number")
    newest = places.first()
    if newest is None:
        raise NotInReview(_("The recording has no place in a version that is in review."))
    return lock(newest.version_id)


@transaction.atomic
def decide(*, finding: Finding, redact: bool, by: User) -> Finding:
    """Confirm a finding (it will be redacted) or reject it (it stays). Can be decided again.

    Raises NotInReview, and DecisionInvalid for a finding that a correction took away.
    """
    segment = finding.segment
    version = lock_for(segment.recording)
    if not Finding.objects.filter(pk=finding.pk).exists():
        sentence = _("The text was changed since, so look through it again: this is not in it now.")
        raise DecisionInvalid(sentence, field="finding")
    with noted(version=version, act=Act.DECIDE, segments=[segment], by=by):
        finding.state = Finding.State.CONFIRMED if redact else Finding.State.REJECTED
        finding.decided_at, finding.decided_by = timezone.now(), by
        finding.save(update_fields=["state", "decided_at", "decided_by"])
    return finding


@transaction.atomic
def add_finding(
    *,
    segment: Segment,
    first_word: int,
    last_word: int,
    kind: str,
    by: User,
    text_was: str | None = None,
) -> Finding:
    """Mark the words `first_word`…`last_word` (from 0, both included) for redaction.

    `text_was` is the text in which they were counted. Raises NotInReview, TextChanged,
    DecisionInvalid.
    """
    version = lock_for(segment.recording)
    segment = Segment.objects.select_for_update(of=("self",)).get(pk=segment.pk)
    require_unchanged(segment, text_was=text_was)
    if kind not in KINDS:
        sentence = _("Choose what it is: %(kinds)s.")
        raise DecisionInvalid(sentence, field="kind", kinds=", ".join(KINDS))
    if not 0 <= first_word <= last_word < len(segment.words):
        sentence = _("This stretch has the words 0 to %(last)s.")
        raise DecisionInvalid(sentence, field="first_word", last=len(segment.words) - 1)
    words = segment.words[first_word : last_word + 1]
    timed = all(word["timed"] for word in words)
    with noted(version=version, act=Act.MARK, segments=[segment], by=by):
        finding, _made = Finding.objects.update_or_create(
            segment=segment,
            kind=kind,
            start_char=words[0]["start_char"],
            end_char=words[-1]["end_char"],
            defaults={
                "start_ms": words[0]["start_ms"] if timed else segment.start_ms,
                "end_ms": words[-1]["end_ms"] if timed else segment.end_ms,
                "detector": Finding.PERSON,
                "confidence": None,
                "state": Finding.State.CONFIRMED,
                "decided_at": timezone.now(),
                "decided_by": by,
            },
        )
    return finding


@transaction.atomic
def review_segment(
    *,
    segment: Segment,
    by: User,
    text: str | None = None,
    excluded: bool | None = None,
    text_was: str | None = None,
) -> Segment:
    """Say that a person has read the segment, correcting its text or leaving it out.

    A corrected text keeps the times of the words that stayed, and what a person marked in it; the
    rest is looked for anew, here and in the stretches beside it. Speech without text and text
    without a place can only be left out here: see `review.stretches`. `text_was` is the text that
    was read. Raises NotInReview, TextChanged, DecisionInvalid.
    """
    version = lock_for(segment.recording)
    segment = (
        Segment.objects.select_for_update(of=("self",))
        .select_related("recording__dataset")
        .get(pk=segment.pk)
    )
    require_unchanged(segment, text_was=text_was)
    require_settled(segment, excluded=excluded)
    corrected = None if text is None or text.strip() == segment.text else text.strip()
    touched = [segment]
    act = act_of(segment, corrected=corrected, excluded=excluded)
    if corrected is not None:
        touched += neighbors(segment)
    with noted(version=version, act=act, segments=touched, by=by):
        if corrected is not None:
            correct(segment=segment, text=corrected)
        if excluded is not None:
            segment.excluded = excluded
        segment.reviewed_at, segment.reviewed_by = timezone.now(), by
        segment.save(update_fields=["excluded", "reviewed_at", "reviewed_by"])
    return segment


def require_unchanged(segment: Segment, *, text_was: str | None) -> None:
    """Raise TextChanged if somebody decides about another text than a segment has."""
    if text_was is not None and text_was.split() != segment.text.split():
        sentence = _("The text was changed since. Read it as it is now, then decide about it.")
        raise TextChanged(sentence, field="text")


def require_settled(segment: Segment, *, excluded: bool | None) -> None:
    """Raise DecisionInvalid where reading says too little: nobody knows what, or when, is said."""
    if excluded:
        return
    if segment.unwritten:
        sentence = _("Write down what is said there, leave it out, or say that nothing is said.")
        raise DecisionInvalid(sentence, field="text")
    if segment.is_unplaced:
        raise DecisionInvalid(_("Say when it is said, or leave it out."), field="start_ms")


def act_of(segment: Segment, *, corrected: str | None, excluded: bool | None) -> Decision.Act:
    """Return what a person does to a segment."""
    if corrected is not None:
        return Act.CORRECT
    if excluded is None or excluded == segment.excluded:
        return Act.READ
    return Act.LEAVE_OUT if excluded else Act.BRING_BACK


def neighbors(segment: Segment, *, but: Segment | None = None) -> list[Segment]:
    """Return the segments in which a correction may find something: a number goes on in them."""
    near = range(segment.position - corrections.NEAR, segment.position + corrections.NEAR + 1)
    found = Segment.objects.filter(run=segment.run_id, position__in=list(near))
    others = found.exclude(pk__in=[segment.pk, but.pk] if but else [segment.pk])
    return list(others.select_related("recording"))


def correct(*, segment: Segment, text: str) -> None:
    """Replace a segment's text."""
    if not transcripts.words_of(text):
        sentence = _("A stretch with no words is left out instead: mark it «leave out».")
        raise DecisionInvalid(sentence, field="text")
    if len(text) > MAX_TEXT:
        sentence = _("A stretch of speech has at most %(most)s characters.")
        raise DecisionInvalid(sentence, field="text", most=MAX_TEXT)
    corrections.apply(segment=segment, text=text)


@transaction.atomic
def leave_out_uncovered(*, version: Version, by: User) -> int:
    """Leave everything that no consent covers out of the release; return how many segments."""
    version = lock(version.pk)
    bare = uncovered(version=version)
    leave_out(bare, version=version, act=Act.LEAVE_OUT_UNCOVERED, by=by)
    return len(bare)


def leave_out(segments: Sequence[Segment], *, version: Version, act: Act, by: User) -> None:
    """Leave segments out in one act, which can be undone; nothing is noted of none."""
    if segments:
        with noted(version=version, act=act, segments=segments, by=by, whole=False):
            Segment.objects.filter(pk__in=[one.pk for one in segments]).update(
                excluded=True, reviewed_at=timezone.now(), reviewed_by=by
            )
