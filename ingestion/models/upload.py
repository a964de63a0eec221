"""One resumable upload in parts."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion.models.dataset import Version
from ingestion.models.recording import Recording


class Upload(models.Model):
    """A file on its way in. Parts may come in any order and again; the whole is checked once."""

    class State(models.TextChoices):
        """How far the upload is."""

        OPEN = "open", _("Receiving")
        COMPLETE = "complete", _("Complete")
        REFUSED = "refused", _("Refused")
        CANCELED = "canceled", _("Canceled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="uploads")
    path = models.CharField(max_length=1024)
    size = models.BigIntegerField()
    part_size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    """What the client says the whole file's digest is, when it says so."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    error = models.JSONField(null=True, blank=True)
    """Why it was refused: {"code", "sentence", "parameters"}."""
    recording = models.ForeignKey(
        Recording, null=True, blank=True, on_delete=models.SET_NULL, related_name="uploads"
    )
    """What it became."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_is_not_empty"),
            models.CheckConstraint(
                condition=Q(part_size__gt=0), name="upload_part_size_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "complete", "refused", "canceled"]),
                name="upload_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="refused") | Q(error__isnull=False),
                name="refused_upload_says_why",
            ),
        )
        indexes = (
            models.Index(
                fields=["expires_at"], condition=Q(state="open"), name="upload_on_its_way"
            ),
        )

    def __str__(self) -> str:
        return f"{self.path} ({self.get_state_display()})"

    @property
    def part_count(self) -> int:
        """How many parts the file has."""
        return -(-self.size // self.part_size)

    def part_length(self, number: int) -> int:
        """Bytes of part `number` (from 1)."""
        if number < self.part_count:
            return self.part_size
        return self.size - self.part_size * (self.part_count - 1)


class UploadPart(models.Model):
    """A part that has arrived whole, with the digest that the server computed."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["upload", "number"], name="upload_part_is_unique"),
        )

    def __str__(self) -> str:
        return f"part {self.number}"
