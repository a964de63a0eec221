"""What was said, what was found in it, and what a person decided about it."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from ingestion.models.consent import Speaker
from ingestion.models.file import File


class Segment(models.Model):
    """A stretch of speech with times, speaker, text and words; of a text file: a row of it."""

    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="segments")
    position = models.PositiveIntegerField()
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)
    speaker = models.ForeignKey(
        Speaker, null=True, blank=True, on_delete=models.SET_NULL, related_name="segments"
    )
    text = models.TextField()
    words = models.JSONField(default=list)
    """In order: {"text", "start_char", "end_char", "start_ms", "end_ms", "timed", "confidence"}."""
    needs_review = models.BooleanField(default=False)
    """A detector could not judge it (draft-grade text, words without times): a person must."""
    review_reason = models.CharField(max_length=200, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    excluded = models.BooleanField(default=False)
    """Left out of the release by a person."""

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["file", "position"], name="segment_position_is_unique"),
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
        )

    def __str__(self) -> str:
        return f"{self.file} #{self.position}"


class Finding(models.Model):
    """Personal data that a detector or a person found in a segment's text."""

    class State(models.TextChoices):
        """Open findings stop the seal."""

        OPEN = "open", "To be heard"
        CONFIRMED = "confirmed", "Redact"
        REJECTED = "rejected", "Keep"

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

    class Meta:
        ordering = ("segment__file_id", "segment__position", "start_char")
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


class Redaction(models.Model):
    """What was done about a finding, once the version is sealed."""

    finding = models.OneToOneField(Finding, on_delete=models.CASCADE, related_name="redaction")
    method = models.CharField(max_length=10)
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)
    """The stretch of the recording that was replaced, pad included; null in a text file."""
    replacement = models.CharField(max_length=24)
    """What stands in the text instead, e.g. [PHONE]."""

    def __str__(self) -> str:
        return f"{self.replacement} {self.start_ms}-{self.end_ms} ms"
