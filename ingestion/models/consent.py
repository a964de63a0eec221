"""Who consented to what (ISO/IEC TS 27560 fields in W3C DPV terms). Private to the contributor."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Self

from commonhold import times
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from ingestion.models.dataset import Dataset, Version
from ingestion.models.file import ReleaseFile
from ingestion.models.recording import Blob, Recording

MAX_NOTICE = 100_000
"""Characters."""


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
        """Records given, not expired, withdrawn or voided at the moment (now by default)."""
        day = times.day_of(at or timezone.now())
        return self.filter(
            withdrawn_at__isnull=True,
            voided_at__isnull=True,
            given_on__lte=day,
        ).filter(Q(expires_on__isnull=True) | Q(expires_on__gt=day))


class ConsentRecord(models.Model):
    """What one speaker agreed to. Its terms are never edited (trigger); how it ended is added."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="consent_records")
    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="consent_records")
    notice_text = models.TextField()
    notice_sha256 = models.CharField(max_length=64)
    notice_language = models.CharField(max_length=35)
    notice_version = models.CharField(max_length=40, blank=True)
    purposes = ArrayField(models.CharField(max_length=40))
    excluded_purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    jurisdiction = models.CharField(max_length=20)
    given_on = models.DateField()
    expires_on = models.DateField(null=True, blank=True)
    """First day (UTC) on which the consent no longer holds."""
    evidence = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence_name = models.CharField(max_length=255, blank=True)
    salt = models.BinaryField(max_length=32)
    """Drawn at random for this record; erasing it makes the published commitment meaningless."""
    commitment = models.CharField(max_length=64)
    """SHA-256(salt ‖ canonical record), lower-case hex: all that is published of the terms."""
    status_index = models.PositiveIntegerField(unique=True)
    """Place in the status lists (notary.status)."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    """Purposes that the speaker took back one by one; only ever grows."""
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True)
    """Why it should never have been entered. Not a withdrawal: nobody changed their mind."""
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
                condition=Q(withdrawn_purposes__contained_by=F("purposes")),
                name="consent_gave_what_is_taken_back",
            ),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gt=F("given_on")),
                name="consent_expires_after_it_was_given",
            ),
            models.CheckConstraint(
                condition=Q(notice_sha256__regex=r"^[0-9a-f]{64}$"), name="notice_has_its_digest"
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("notice_text"), MAX_NOTICE),
                name="notice_text_is_short",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False) & ~Q(void_reason="")),
                name="voided_consent_says_why",
            ),
        )

    def __str__(self) -> str:
        return f"consent of {self.speaker.pseudonym}"

    @property
    def standing_purposes(self) -> list[str]:
        """What is still allowed of what was agreed to."""
        return [slug for slug in self.purposes if slug not in self.withdrawn_purposes]


class ConsentScope(models.Model):
    """Where the speaker is heard: a recording, or a stretch of it [start_ms, end_ms)."""

    record = models.ForeignKey(ConsentRecord, on_delete=models.CASCADE, related_name="scopes")
    recording = models.ForeignKey(
        Recording, on_delete=models.CASCADE, related_name="consent_scopes"
    )
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
                fields=["record", "recording", "start_ms", "end_ms"],
                nulls_distinct=False,
                name="consent_scope_is_said_once",
            ),
        )

    def __str__(self) -> str:
        if self.start_ms is None:
            return str(self.recording)
        return f"{self.recording} {self.start_ms}-{self.end_ms} ms"


class ConsentEvent(models.Model):
    """What happened to a consent. Copies, no foreign keys: history outlives its subject."""

    class Type(models.TextChoices):
        """The states of dpv:ConsentStatus that an event can lead to, and two of our own."""

        GIVEN = "dpv:ConsentGiven", _("Given")
        WITHDRAWN = "dpv:ConsentWithdrawn", _("Withdrawn")
        NARROWED = "ch:ConsentNarrowed", _("A purpose withdrawn")
        VOIDED = "ch:ConsentVoided", _("Entered by mistake")
        ERASED = "ch:ConsentErased", _("Erased")

    record_id = models.UUIDField(db_index=True)
    type = models.CharField(max_length=30, choices=Type.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=254)
    commitment = models.CharField(max_length=64)
    purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    """For a purpose withdrawn: which."""
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.type} {self.at:%Y-%m-%d}"


class ReleaseConsentQuerySet(models.QuerySet["ReleaseConsent"]):
    """Reads of what releases rest on."""

    def fallen(self, *, at: datetime | None = None) -> Self:
        """Those that no longer hold at the moment (now by default), whatever the purpose."""
        day = times.day_of(at or timezone.now())
        return self.filter(~Q(ended="") | Q(expires_on__lte=day))

    def lacking(self, purposes: Iterable[str], *, at: datetime | None = None) -> Self:
        """Those that do not allow every one of the purposes at the moment."""
        wanted = list(purposes)
        day = times.day_of(at or timezone.now())
        return self.filter(
            ~Q(ended="")
            | Q(expires_on__lte=day)
            | ~Q(purposes__contains=wanted)
            | Q(withdrawn_purposes__overlap=wanted)
        )


class ReleaseConsent(models.Model):
    """That a sealed version rests on a consent: written at the seal, with copies of its terms.

    How the consent ends is noted here in the same transaction, so that one indexed read tells what
    a version may still be used for. Its terms are never edited (trigger).
    """

    class End(models.TextChoices):
        """How a consent ended."""

        WITHDRAWN = "withdrawn", _("Withdrawn")
        VOIDED = "voided", _("Entered by mistake")
        ERASED = "erased", _("Erased")
        EXPIRED = "expired", _("Expired")

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="release_consents")
    number = models.PositiveIntegerField()
    """Its number in the manifest (`c`), from 0."""
    record = models.ForeignKey(
        ConsentRecord,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="release_consents",
    )
    """Null once the record was erased."""
    speaker = models.ForeignKey(
        Speaker, null=True, blank=True, on_delete=models.SET_NULL, related_name="release_consents"
    )
    pseudonym = models.CharField(max_length=12)
    status_index = models.PositiveIntegerField()
    purposes = ArrayField(models.CharField(max_length=40))
    excluded_purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    withdrawn_purposes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    ended = models.CharField(max_length=9, choices=End.choices, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ReleaseConsentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["version", "number"], name="release_consent_number_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(ended="") ^ Q(ended_at__isnull=False),
                name="ended_release_consent_says_when",
            ),
        )
        indexes = (
            models.Index(
                fields=["expires_on"],
                condition=Q(ended="", expires_on__isnull=False),
                name="release_consent_to_expire",
            ),
            GinIndex(fields=["purposes"], name="release_consent_purposes"),
        )

    def __str__(self) -> str:
        return f"consent {self.number} of {self.version}"


class ReleaseFileConsent(models.Model):
    """That a published file rests on a consent of its version."""

    file = models.ForeignKey(ReleaseFile, on_delete=models.CASCADE, related_name="consents")
    consent = models.ForeignKey(ReleaseConsent, on_delete=models.CASCADE, related_name="files")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["consent", "file"], name="file_rests_on_consent_once"),
        )

    def __str__(self) -> str:
        return f"{self.file} rests on {self.consent}"


class LeftOut(models.Model):
    """That a speaker is left out of a version: what they say, also in stretches that they share."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="left_out")
    speaker = models.ForeignKey(Speaker, on_delete=models.CASCADE, related_name="left_out")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["version", "speaker"], name="speaker_is_left_out_once"),
        )

    def __str__(self) -> str:
        return f"{self.speaker} left out of {self.version}"
