"""What was said, what was found in it, what a person heard, and what they decided."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion.models.consent import Speaker
from ingestion.models.dataset import Version
from ingestion.models.pipeline import PipelineRun
from ingestion.models.recording import Recording


class SegmentQuerySet(models.QuerySet["Segment"]):
    """Reads of segments."""

    def current(self) -> Self:
        """Segments of the runs whose results count."""
        return self.filter(run=F("recording__intake"))

    def of(self, version: Version) -> Self:
        """Current segments of what has a place in a version, in the order of its recordings."""
        return (
            self.current()
            .filter(recording__files__version=version)
            .select_related("recording", "speaker")
            .order_by(
                F("recording__number").asc(nulls_last=True), "recording__name_key", "position"
            )
        )

    def standing(self) -> Self:
        """Segments that nobody left out."""
        return self.filter(excluded=False)

    def unread(self) -> Self:
        """Segments that a person has to read, and nobody has."""
        return self.filter(needs_review=True, reviewed_at__isnull=True)


class Segment(models.Model):
    """A stretch of speech with times, speaker, text and words; of a text: a row of it."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="segments")
    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="segments")
    position = models.PositiveIntegerField()
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)
    speaker = models.ForeignKey(
        Speaker, null=True, blank=True, on_delete=models.SET_NULL, related_name="segments"
    )
    label = models.CharField(max_length=160, blank=True)
    """How the transcript calls who speaks. For the contributor's eyes only, as names are."""
    text = models.TextField()
    words = models.JSONField(default=list)
    """In order: {"text", "start_char", "end_char", "start_ms", "end_ms", "timed", "confidence"}."""
    needs_review = models.BooleanField(default=False)
    """A detector could not judge it (draft-grade text, words without times): a person must."""
    review_reason = models.CharField(max_length=200, blank=True)
    """Why, as codes of ingestion.pipeline.steps.detect with spaces between them."""
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    excluded = models.BooleanField(default=False)
    """Left out of releases by a person."""
    unwritten = models.BooleanField(default=False)
    """Somebody speaks here and the text leaves it out. Nothing of it is heard in a release until a
    person wrote it down (then it is a segment like any other), or said that nothing is said."""

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["run", "position"], name="segment_position_is_unique"),
            models.CheckConstraint(
                condition=Q(start_ms__isnull=True, end_ms__isnull=True)
                | Q(start_ms__gte=0, end_ms__gt=F("start_ms")),
                name="segment_is_a_stretch",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="segment_review_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(unwritten=False)
                | Q(unwritten=True, text="", needs_review=True, start_ms__isnull=False),
                name="unwritten_segment_is_a_stretch_without_text",
            ),
        )
        indexes = (
            models.Index(fields=["recording"], condition=~Q(label=""), name="segment_labeled"),
        )

    def __str__(self) -> str:
        return f"{self.recording} #{self.position}"

    @property
    def names_stranger(self) -> bool:
        """Whether the transcript names somebody here who is no speaker of the dataset."""
        return bool(self.label) and self.speaker_id is None

    @property
    def is_silenced(self) -> bool:
        """Whether it is speech without text that nobody said may be heard: under a bar, then."""
        return self.unwritten and (self.excluded or self.reviewed_at is None)

    @property
    def is_barred(self) -> bool:
        """Whether nothing is heard where it lies, in whichever clip that is.

        Besides what is silenced that is what was left out with words that have no times: it may
        lie in the clip of another, whose edge or middle reaches as far as words may be said.
        """
        if self.start_ms is None or not self.words:
            return self.is_silenced
        return self.excluded and all(word["start_ms"] is None for word in self.words)

    @property
    def is_unplaced(self) -> bool:
        """Whether it is text of a recording of which nobody knows when it is said."""
        return self.start_ms is None and self.recording.kind == Recording.Kind.AUDIO


class FindingQuerySet(models.QuerySet["Finding"]):
    """Reads of findings."""

    def of(self, version: Version) -> Self:
        """Current findings of what has a place in a version, in the order of hearing."""
        return (
            self.filter(
                segment__run=F("segment__recording__intake"),
                segment__recording__files__version=version,
            )
            .select_related("segment__recording", "segment__speaker")
            .order_by(
                F("segment__recording__number").asc(nulls_last=True),
                "segment__recording__name_key",
                "segment__position",
                "start_char",
                "pk",
            )
        )

    def open(self) -> Self:
        """Findings that nobody has decided, in segments that nobody left out."""
        return self.filter(state=Finding.State.OPEN, segment__excluded=False)


class Finding(models.Model):
    """Personal data that a detector or a person found in a segment's text."""

    class State(models.TextChoices):
        """Open findings stop the seal."""

        OPEN = "open", _("To be heard")
        CONFIRMED = "confirmed", _("Redact")
        REJECTED = "rejected", _("Keep")

    PERSON = "person"
    """The `detector` of what a person marked."""
    TAKEN_OUT = "taken-out"
    """The `detector` of a sound that is there still: a person took its words out of the text."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=20)
    start_char = models.PositiveIntegerField()
    end_char = models.PositiveIntegerField()
    """Half-open range of characters in the segment's text."""
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)
    detector = models.CharField(max_length=80)
    """Which rule found it, or "person"."""
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)
    """Permille; null when a person found it."""
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ("segment__recording_id", "segment__position", "start_char")
        constraints = (
            models.CheckConstraint(
                condition=Q(end_char__gt=F("start_char")), name="finding_is_a_range"
            ),
            models.UniqueConstraint(
                fields=["segment", "kind", "start_char", "end_char"], name="finding_is_said_once"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True, decided_by__isnull=True)
                | Q(
                    state__in=["confirmed", "rejected"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="finding_decision_has_who_and_when",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} in {self.segment}"

    @property
    def text(self) -> str:
        """The words found."""
        return self.segment.text[self.start_char : self.end_char]

    @property
    def before(self) -> str:
        """The words of the segment before the finding."""
        return self.segment.text[: self.start_char]

    @property
    def after(self) -> str:
        """The words of the segment after the finding."""
        return self.segment.text[self.end_char :]


class Decision(models.Model):
    """What a person did in a review, with what it was before: undoing it makes another row.

    Append-only (trigger).
    """

    class Act(models.TextChoices):
        """What was done."""

        DECIDE = "decide", _("Decided about a finding")
        MARK = "mark", _("Marked words")
        CORRECT = "correct", _("Corrected a text")
        READ = "read", _("Read a stretch")
        LEAVE_OUT = "leave-out", _("Left a stretch out")
        BRING_BACK = "bring-back", _("Brought a stretch back")
        LEAVE_OUT_UNCOVERED = "leave-out-uncovered", _("Left out what has no consent")
        LEAVE_OUT_SPEAKER = "leave-out-speaker", _("Left a speaker out")
        BRING_BACK_SPEAKER = "bring-back-speaker", _("Brought a speaker back")
        WRITE = "write", _("Wrote down what is said")
        KEEP_UNWRITTEN = "keep-unwritten", _("Said that nothing more is said")
        LEAVE_OUT_UNWRITTEN = "leave-out-unwritten", _("Left out what nobody wrote down")
        PLACE = "place", _("Said when it is said")
        REMOVE = "remove", _("Removed a recording")
        UNDO = "undo", _("Undone")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="decisions")
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.CASCADE, related_name="decisions"
    )
    act = models.CharField(max_length=20, choices=Act.choices)
    before = models.JSONField()
    """What it changed, as it was (ingestion.review.undoing)."""
    after = models.JSONField()
    """The same as the act left it: undone only while it still is so."""
    undoes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="undone"
    )
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(act="undo") ^ Q(undoes__isnull=True), name="undo_says_what_it_undoes"
            ),
        )
        indexes = (models.Index(fields=["version", "-id"], name="decision_newest"),)

    def __str__(self) -> str:
        return f"{self.act} in {self.version}"


class Hearing(models.Model):
    """What one person has played of a recording: the evidence behind the word “heard”."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="hearings")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    ranges = models.JSONField(default=list)
    """Half-open [start_ms, end_ms] of the original, sorted, apart from one another."""
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["recording", "user"], name="hearing_is_one_per_person"),
        )

    def __str__(self) -> str:
        return f"{self.user} heard {self.recording}"
