"""What lasts: bytes, and the recordings that are made of them."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion.models.dataset import Dataset


class Blob(models.Model):
    """Bytes, known by their SHA-256. Where they lie is the BlobStore's business."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    let_go_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    """When a row last ceased to name it (trigger), or when it came. What no row names a day later
    is swept (ingestion.archive.sweeping); null since the sweeper found it named."""
    last_checked = models.DateTimeField(default=timezone.now)
    """When the bytes were last read whole and had this digest, or did not."""
    damaged_at = models.DateTimeField(null=True, blank=True)
    """Since when the bytes that lie there are not these, or none lie there."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_digest_is_sha256"
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="blob_size_is_not_negative"),
        )
        indexes = (
            models.Index(
                fields=["let_go_at"], condition=Q(let_go_at__isnull=False), name="blob_let_go"
            ),
            models.Index(fields=["last_checked"], name="blob_by_last_check"),
            models.Index(
                fields=["damaged_at"], condition=Q(damaged_at__isnull=False), name="blob_damaged"
            ),
        )

    def __str__(self) -> str:
        return self.sha256[:8]


class RecordingQuerySet(models.QuerySet["Recording"]):
    """Reads of recordings."""

    def to_process(self) -> Self:
        """What goes through the pipeline: all but the transcripts that lie beside a recording."""
        return self.exclude(kind=Recording.Kind.TRANSCRIPT)

    def in_order(self) -> Self:
        """In the order of their numbers; those that have none yet come last, by name."""
        return self.order_by(models.F("number").asc(nulls_last=True), "name_key", "pk")


class Recording(models.Model):
    """A recording or text that was added to a dataset. It lasts: versions only give it a place."""

    class Kind(models.TextChoices):
        """What the pipeline does with it."""

        AUDIO = "audio", _("Audio")
        TRANSCRIPT = "transcript", _("Transcript")
        DOCUMENT = "document", _("Text")

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="recordings")
    number = models.PositiveIntegerField(null=True, blank=True)
    """Its name in what is published (r0007), given once, when it is first processed."""
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=1024)
    """The contributor's own name, a path. For their eyes only: it may say who speaks."""
    name_key = models.CharField(max_length=1024)
    """The name folded so that twins collide (commonhold.paths.path_key)."""
    blob = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="recordings"
    )
    """Null once the original was erased."""
    media_type = models.CharField(max_length=80)
    language = models.CharField(max_length=35, blank=True)
    """BCP 47 tag, where it differs from the dataset's."""
    duration_ms = models.BigIntegerField(null=True, blank=True)
    transcript = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="beside"
    )
    """For a recording: the transcript that lies beside it."""
    intake = models.ForeignKey(
        "ingestion.PipelineRun", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    """The run whose segments and findings count, once one is done."""
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = RecordingQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["dataset", "number"], name="recording_number_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["audio", "transcript", "document"]),
                name="recording_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(blob__isnull=True) ^ Q(erased_at__isnull=True),
                name="recording_has_bytes_until_erased",
            ),
        )
        indexes = (models.Index(fields=["dataset", "name_key"], name="recording_by_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def stem(self) -> str:
        """The name without its last extension: what pairs a transcript with a recording."""
        head, dot, _ = self.name.rpartition(".")
        return head if dot else self.name

    @property
    def spoken(self) -> str:
        """BCP 47 tag of the language spoken in it."""
        return self.language or self.dataset.language
