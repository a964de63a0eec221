"""The transparency log: entries, the hashes above them, signed checkpoints (C2SP tlog-tiles)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class LogEntry(models.Model):
    """One leaf: the canonical hashedrekord body. Holds no personal data. Never edited (trigger)."""

    index = models.BigIntegerField(primary_key=True)
    body = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(index__gte=0), name="log_index_is_not_negative"),
        )

    def __str__(self) -> str:
        return f"log entry {self.index}"


class LogNode(models.Model):
    """Hash of a complete subtree of 2^level leaves, the `index`-th of its level (RFC 9162 §2.1)."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["level", "index"], name="log_node_is_unique"),
        )

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class Checkpoint(models.Model):
    """A signed statement of the log's size and root (C2SP tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    root_hash = models.BinaryField(max_length=32)
    note = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"checkpoint of {self.size}"
