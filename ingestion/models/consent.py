"""Who consented to what (ISO/IEC TS 27560 fields in W3C DPV terms). Private to the contributor."""

import uuid
from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from accounts.models import User
from ingestion.models.dataset import Dataset
from ingestion.models.file import Blob, File


class Speaker(models.Model):
    """A person whose voice or words are in a dataset. Only the pseudonym is ever published."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="speakers")
    pseudonym = models.CharField(max_length=12)
    name = models.CharField(max_length=160)
    contact = models.CharField(max_length=254, blank=True)
    role = models.CharField(max_length=40, default="speaker")
    is_minor = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["dataset", "pseudonym"], name="pseudonym_is_unique"),
            models.CheckConstraint(
                condition=Q(pseudonym__regex=r"^p-[0-9]{4,}$"), name="pseudonym_says_nothing"
            ),
        )

    def __str__(self) -> str:
        return self.pseudonym


class ConsentRecordQuerySet(models.QuerySet["ConsentRecord"]):
    """Reads of consent."""

    def in_force(self, *, at: datetime | None = None) -> Self:
        """Records given, not expired and not withdrawn at the moment (now by default)."""
        moment = at or timezone.now()
        return self.filter(
            withdrawn_at__isnull=True,
            given_on__lte=moment.date(),
        ).filter(Q(expires_on__isnull=True) | Q(expires_on__gt=moment.date()))


class ConsentRecord(models.Model):
    """What one speaker agreed to. Its terms are never edited; withdrawal is the one change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="consent_records")
    speaker = models.ForeignKey(Speaker, on_delete=models.PROTECT, related_name="consent_records")
    notice_text = models.TextField()
    notice_sha256 = models.CharField(max_length=64)
    notice_language = models.CharField(max_length=35)
    notice_version = models.CharField(max_length=40, blank=True)
    purposes = ArrayField(models.CharField(max_length=40))
    excluded_purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    jurisdiction = models.CharField(max_length=20)
    given_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    """First day on which the consent no longer holds."""
    evidence = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence_name = models.CharField(max_length=255, blank=True)
    salt = models.BinaryField(max_length=32)
    """Drawn at random for this record; erasing it makes the published commitment meaningless."""
    commitment = models.CharField(max_length=64)
    """SHA-256(salt ‖ canonical record), lower-case hex: all that is published of the terms."""
    status_index = models.PositiveIntegerField(
        unique=True, db_default=Func(Value("ingestion_consent_status_index"), function="nextval")
    )
    """Place in the token status list."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConsentRecordQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(purposes__len__gt=0), name="consent_has_a_purpose"),
            models.CheckConstraint(
                condition=~Q(purposes__overlap=F("excluded_purposes")),
                name="consent_does_not_contradict_itself",
            ),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gt=F("given_on")),
                name="consent_expires_after_it_was_given",
            ),
            models.CheckConstraint(
                condition=Q(notice_sha256__regex=r"^[0-9a-f]{64}$"), name="notice_has_its_digest"
            ),
        )

    def __str__(self) -> str:
        return f"consent of {self.speaker.pseudonym}"


class ConsentScope(models.Model):
    """Where the speaker is heard: a file, or a stretch of it [start_ms, end_ms)."""

    record = models.ForeignKey(ConsentRecord, on_delete=models.CASCADE, related_name="scopes")
    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="consent_scopes")
    start_ms = models.BigIntegerField(null=True, blank=True)
    end_ms = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(start_ms__isnull=True, end_ms__isnull=True)
                | Q(start_ms__gte=0, end_ms__gt=F("start_ms")),
                name="consent_scope_is_a_stretch",
            ),
            models.UniqueConstraint(
                fields=["record", "file", "start_ms", "end_ms"],
                nulls_distinct=False,
                name="consent_scope_is_said_once",
            ),
        )

    def __str__(self) -> str:
        if self.start_ms is None:
            return str(self.file)
        return f"{self.file} {self.start_ms}-{self.end_ms} ms"


class ConsentEvent(models.Model):
    """What happened to a consent. Copies, no foreign keys: history outlives its subject."""

    class Type(models.TextChoices):
        """The states of dpv:ConsentStatus that an event can lead to."""

        GIVEN = "dpv:ConsentGiven", "Given"
        WITHDRAWN = "dpv:ConsentWithdrawn", "Withdrawn"

    record_id = models.UUIDField(db_index=True)
    type = models.CharField(max_length=30, choices=Type.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=254)
    commitment = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.type} {self.at:%Y-%m-%d}"
