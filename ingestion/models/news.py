"""What a layer tells those above it, and how far each of them has read."""

import uuid

from django.db import models
from django.utils import timezone


class NewsRow(models.Model):
    """One piece of news. Append-only (trigger); copies, no foreign keys.

    Ids are given in the order of the commits (ingestion.news.tell), so that a reader who remembers
    the last one it has read misses nothing.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=24)
    dataset_id = models.BigIntegerField()
    version_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"


class News(NewsRow):
    """What happened in ingestion that the layers above may have to act on."""

    class Kind(models.TextChoices):
        """What happened."""

        SEALED = "sealed"
        WITHDRAWN = "withdrawn"
        """A version was withdrawn by its publisher."""
        CONSENT_WITHDRAWN = "consent-withdrawn"
        CONSENT_NARROWED = "consent-narrowed"
        CONSENT_VOIDED = "consent-voided"
        CONSENT_ERASED = "consent-erased"
        CONSENT_EXPIRED = "consent-expired"
        EDITED = "edited"
        """Title, description or card of a dataset changed."""

    record_id: "models.UUIDField[uuid.UUID | None, uuid.UUID | None]" = models.UUIDField(
        null=True, blank=True
    )
    """Which consent, where it is about one."""


class Cursor(models.Model):
    """How far a reader has read a feed of news. The reader owns the row."""

    reader = models.CharField(max_length=40)
    feed = models.CharField(max_length=40)
    position = models.BigIntegerField(default=0)
    """Id of the last news that the reader has dealt with."""
    moved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["reader", "feed"], name="reader_has_one_cursor"),
        )

    def __str__(self) -> str:
        return f"{self.reader} has read {self.feed} up to {self.position}"
