"""Bytes and their names: two models."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ingestion.models.dataset import Version


class Blob(models.Model):
    """Bytes, known by their SHA-256. Where they lie is the BlobStore's business."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="blob_digest_is_sha256"
            ),
            models.CheckConstraint(condition=Q(size__gte=0), name="blob_size_is_not_negative"),
        )

    def __str__(self) -> str:
        return self.sha256[:8]


class File(models.Model):
    """A path in a version. Source files are the contributor's own; release files are published."""

    class Role(models.TextChoices):
        """On which side of the scrub the file stands."""

        SOURCE = "source", "Original"
        RELEASE = "release", "Release"

    class Kind(models.TextChoices):
        """What the pipeline does with the file."""

        AUDIO = "audio", "Audio"
        TRANSCRIPT = "transcript", "Transcript"
        DOCUMENT = "document", "Text"

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="files")
    role = models.CharField(max_length=8, choices=Role.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    path = models.CharField(max_length=1024)
    path_key = models.CharField(max_length=1024)
    """The path folded so that twins collide (commonhold.paths.path_key)."""
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="files")
    media_type = models.CharField(max_length=80)
    duration_ms = models.BigIntegerField(null=True, blank=True)
    transcript = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="recording"
    )
    """For a recording: the transcript that lies beside it."""
    index_row = models.JSONField(null=True, blank=True)
    """For a release file: its line in files.jsonl."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["version", "role", "path_key"], name="file_path_is_unique_in_version"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["source", "release"]), name="file_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["audio", "transcript", "document"]), name="file_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(role="release") ^ Q(index_row__isnull=True),
                name="release_file_has_its_index_row",
            ),
        )

    def __str__(self) -> str:
        return self.path

    @property
    def stem(self) -> str:
        """The path without its last extension: what pairs a transcript with a recording."""
        head, dot, _ = self.path.rpartition(".")
        return head if dot else self.path
