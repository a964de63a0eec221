"""A recording's place in a version, and the files that a sealed version publishes."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion.models.dataset import Version
from ingestion.models.recording import Blob, Recording


class FileQuerySet(models.QuerySet["File"]):
    """Reads of the places of a version."""

    def to_process(self) -> Self:
        """Places of what goes through the pipeline."""
        return self.exclude(recording__kind=Recording.Kind.TRANSCRIPT)

    def in_order(self) -> Self:
        """In the order of the recordings' numbers; those that have none yet come last, by name."""
        return self.order_by(models.F("recording__number").asc(nulls_last=True), "key", "pk")


class File(models.Model):
    """A recording's place in a version, with the runs that the version takes its results from."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="files")
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="files")
    key = models.CharField(max_length=1024)
    """The recording's folded name: two twins have no place in one version."""
    final = models.ForeignKey(
        "ingestion.PipelineRun", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    """The run that applied the review's decisions; null where nothing of it is published."""
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    objects = FileQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["version", "key"], name="file_key_is_unique_in_version"
            ),
            models.UniqueConstraint(
                fields=["version", "recording"], name="recording_has_one_place_in_version"
            ),
        )

    def __str__(self) -> str:
        return self.recording.name


class ReleaseFile(models.Model):
    """A published file of a sealed version. Never edited (trigger)."""

    class Kind(models.TextChoices):
        """What it is."""

        CLIP = "clip", _("Clip")
        TEXT = "text", _("Text")
        DESCRIPTION = "description", _("Description")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="release_files")
    position = models.PositiveIntegerField()
    """Its line in files.jsonl, from 0."""
    kind = models.CharField(max_length=11, choices=Kind.choices)
    path = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="release_files")
    media_type = models.CharField(max_length=80)
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.PROTECT, related_name="release_files"
    )
    """What it was made from; null for descriptions of the whole."""
    index_row = models.JSONField()
    """Its line in files.jsonl."""
    told = models.JSONField(null=True, blank=True)
    """For a clip: its row of metadata.jsonl."""
    words = models.JSONField(null=True, blank=True)
    """For a clip: {"text", "start_ms", "end_ms"} of each published word, in ms of the clip."""
    peaks = models.JSONField(null=True, blank=True)
    """For a clip: its outline, 0 to 100."""

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["version", "position"], name="release_order_is_stored"),
            models.UniqueConstraint(fields=["version", "path"], name="release_path_is_unique"),
            models.CheckConstraint(
                condition=Q(kind="description", recording__isnull=True)
                | Q(kind__in=["clip", "text"], recording__isnull=False),
                name="release_file_has_its_recording",
            ),
        )

    def __str__(self) -> str:
        return self.path


class Redaction(models.Model):
    """What was done about personal data in a published file. Never edited (trigger)."""

    file = models.ForeignKey(ReleaseFile, on_delete=models.CASCADE, related_name="redactions")
    kind = models.CharField(max_length=20)
    method = models.CharField(max_length=10)
    """`tone` or `silence` over sound; `label` where there is only text."""
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)
    """The bar that was drawn, half-open milliseconds in the clip; null in a text."""
    replacement = models.CharField(max_length=24)
    """What stands in the text instead, e.g. [PHONE]; nothing, where a bar reaches in from beside
    it or covers speech without text."""

    def __str__(self) -> str:
        return f"{self.replacement} {self.start_ms}-{self.end_ms} ms"
