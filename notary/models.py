"""The installation's identity, its keys, what they signed, the log, and status lists."""

from datetime import timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

DIGEST = r"^[0-9a-f]{64}$"


class Instance(models.Model):
    """What this installation is, whatever its address: one row, made at first use."""

    id = models.UUIDField(primary_key=True, editable=False)
    log_origin = models.CharField(max_length=253)
    """The log's name: part of every checkpoint, so it never changes."""
    only = models.BooleanField(default=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(only=True), name="there_is_one_instance"),
        )

    def __str__(self) -> str:
        return str(self.id)


class Purpose(models.TextChoices):
    """What a key signs."""

    MANIFEST = "manifest", "Statements"
    STATUS = "status", "Status lists"
    LOG = "log", "The log's checkpoints"
    ROOT = "root", "The trusted root, which lists all keys"


class SigningKey(models.Model):
    """The public half of a key, kept for ever, and the time in which its signatures count."""

    keyid = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the SPKI DER, hex."""
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    algorithm = models.CharField(max_length=7)
    public_pem = models.TextField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    """Null while in use."""
    made_by = models.CharField(max_length=254)
    """Who had it made, as text: people are known elsewhere."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["purpose"],
                condition=Q(valid_until__isnull=True),
                name="one_key_in_use_per_purpose",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values), name="key_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["manifest", "status"], algorithm="ES256")
                | Q(purpose__in=["log", "root"], algorithm="Ed25519"),
                name="key_algorithm_fits_its_purpose",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="key_ends_after_it_begins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose}-{self.keyid[:16]}"


class TrustedRoot(models.Model):
    """A version of trusted_root.json, as served. Never edited (trigger)."""

    version = models.PositiveIntegerField(primary_key=True)
    document = models.BinaryField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"trusted root {self.version}"


class LogEntryQuerySet(models.QuerySet["LogEntry"]):
    """Reads of the log."""

    def pending(self) -> Self:
        """Entries that have no place in the log yet, oldest first."""
        return self.filter(index__isnull=True).order_by("pk")

    def integrated(self) -> Self:
        """Entries of the log, in its order."""
        return self.filter(index__isnull=False).order_by("index")


class LogEntry(models.Model):
    """One leaf: the canonical hashedrekord body. Holds no personal data.

    It is written without an index, in the transaction of whatever it is about, and gets one when
    it is integrated. Nothing else about it ever changes (trigger).
    """

    index = models.BigIntegerField(null=True, blank=True, unique=True)
    body = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now)

    objects = LogEntryQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(index__gte=0), name="log_index_is_not_negative"),
        )
        indexes = (
            models.Index(fields=["id"], condition=Q(index__isnull=True), name="log_entry_pending"),
        )

    def __str__(self) -> str:
        return "pending log entry" if self.index is None else f"log entry {self.index}"


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

    size = models.BigIntegerField()
    root_hash = models.BinaryField(max_length=32)
    note = models.TextField()
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="checkpoints")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["key", "size"], name="key_signs_a_size_once"),
        )
        indexes = (models.Index(fields=["-size", "-id"], name="checkpoint_newest_first"),)

    def __str__(self) -> str:
        return f"checkpoint of {self.size}"


class Statement(models.Model):
    """Something that was signed and handed to the log. Never edited (trigger)."""

    payload_sha256 = models.CharField(max_length=64)
    envelope = models.JSONField()
    """DSSE, with one signature."""
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, related_name="statements")
    entry = models.OneToOneField(LogEntry, on_delete=models.PROTECT, related_name="statement")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(payload_sha256__regex=DIGEST), name="statement_has_its_digest"
            ),
        )

    def __str__(self) -> str:
        return f"statement {self.payload_sha256[:16]}"


class StatusListQuerySet(models.QuerySet["StatusList"]):
    """Reads of status lists."""

    def due(self) -> Self:
        """Lists with changes that are not published, and new ones, which nobody has seen yet."""
        changed = StatusChange.objects.filter(applied_in__isnull=True).values("status_list")
        return self.filter(Q(sequence=0) | Q(pk__in=changed)).order_by("pk")


class StatusList(models.Model):
    """2^17 places of two bits, as last published. A place never becomes valid again (trigger)."""

    name = models.CharField(max_length=30)
    number = models.PositiveIntegerField()
    uri = models.CharField(max_length=500, unique=True)
    """The address when the list was made: it stays when the site moves, for others name it."""
    statuses = models.BinaryField()
    narrowed = models.JSONField(default=dict, blank=True)
    """By position: what the places of value 3 no longer allow."""
    sequence = models.PositiveIntegerField(default=0)
    """How many states were published; 0 while nobody has seen it."""
    changed_at = models.DateTimeField(default=timezone.now)
    token = models.TextField(blank=True)
    """The signed list, as served."""
    signed_at = models.DateTimeField(null=True, blank=True)

    objects = StatusListQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "number"], name="status_list_is_unique"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[a-z][a-z-]*$"), name="status_list_name_is_plain"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}/{self.number}"

    def token_is_younger_than(self, age: timedelta) -> bool:
        """Tell whether the signed list can be served as it is."""
        return self.signed_at is not None and timezone.now() - self.signed_at < age


class StatusChange(models.Model):
    """A change of one place, written in the transaction of its cause and published afterwards.

    Never edited (trigger), but for the state of the list that it went into.
    """

    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="changes")
    position = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField()
    purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    at = models.DateTimeField()
    applied_in = models.PositiveIntegerField(null=True, blank=True)
    """The list's sequence number after the change; null until it is published."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(position__lt=1 << 17), name="status_change_is_inside_its_list"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[1, 2, 3]), name="nothing_becomes_valid_again"
            ),
            models.CheckConstraint(
                condition=Q(status=3, purposes__len__gt=0) | (~Q(status=3) & Q(purposes=[])),
                name="narrowing_names_its_purposes",
            ),
        )
        indexes = (
            models.Index(
                fields=["status_list", "id"],
                condition=Q(applied_in__isnull=True),
                name="status_change_pending",
            ),
        )

    def __str__(self) -> str:
        return f"{self.position} becomes {self.status}"


class StatusState(models.Model):
    """A published state of a list: the statement that says what it is. Never edited (trigger)."""

    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="states")
    sequence = models.PositiveIntegerField()
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["status_list", "sequence"], name="status_state_is_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.status_list} state {self.sequence}"
