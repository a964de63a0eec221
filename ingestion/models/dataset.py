"""A dataset, its versions, and what the seal of a version keeps."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from notary.models import Statement

MAX_DESCRIPTION, MAX_CARD = 5_000, 50_000
"""Characters."""


class Task(models.TextChoices):
    """What a model trained on the dataset learns to do."""

    SPEECH_RECOGNITION = "speech-recognition", _("Speech recognition")
    SPEECH_SYNTHESIS = "speech-synthesis", _("Speech synthesis")
    LANGUAGE_MODELING = "language-modeling", _("Language modeling")


class Dataset(models.Model):
    """A named collection that an organization publishes, version after version.

    Title, description and card are what the catalogue says now; what was sealed of them stands in
    each release.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="datasets"
    )
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=160)
    look = models.CharField(max_length=800, editable=False, db_index=True)
    """What the title looks like (accounts.names.look_of): titles may look alike, and it is said."""
    description = models.TextField(blank=True)
    card = models.TextField(blank=True)
    """More about it, in Markdown: it goes into the README of what is sealed next."""
    language = models.CharField(max_length=35)
    """BCP 47 tag of the language spoken; a recording may say otherwise of itself."""
    task = models.CharField(max_length=24, choices=Task.choices)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "slug"], name="dataset_slug_is_unique_in_organization"
            ),
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"), name="dataset_slug_is_plain"
            ),
            models.CheckConstraint(
                condition=Q(language__regex=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"),
                name="dataset_language_is_bcp47",
            ),
            models.CheckConstraint(condition=Q(task__in=Task.values), name="dataset_task_is_known"),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("description"), MAX_DESCRIPTION)
                & LessThanOrEqual(Length("card"), MAX_CARD),
                name="dataset_texts_are_short",
            ),
        )
        indexes = (
            GinIndex(SearchVector("title", "description", config="simple"), name="dataset_search"),
        )

    def __str__(self) -> str:
        return f"{self.organization.slug}/{self.slug}"


class VersionQuerySet(models.QuerySet["Version"]):
    """Reads of versions."""

    def sealed(self) -> Self:
        """Versions that are published: sealed, and not withdrawn by their publisher."""
        return self.filter(state=Version.State.SEALED)

    def open(self) -> Self:
        """Versions that are being worked on."""
        return self.filter(state__in=Version.OPEN)

    def newest_sealed(self) -> "Version | None":
        """The sealed version with the highest number, or None."""
        return self.sealed().order_by("-number").first()

    def newest(self) -> "Version | None":
        """The version with the highest number, in whatever state, or None."""
        return self.order_by("-number").first()


class Version(models.Model):
    """One state of a dataset. Once sealed, a trigger refuses every change but of what follows."""

    class State(models.TextChoices):
        """Where the version stands on the thread."""

        DRAFT = "draft", _("Draft")
        PROCESSING = "processing", _("Processing")
        REVIEW = "review", _("In review")
        SEALED = "sealed", _("Sealed")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Consent(models.TextChoices):
        """Whether everybody's consent behind a sealed version still holds."""

        GIVEN = "given", _("Given")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    OPEN = (State.DRAFT, State.PROCESSING, State.REVIEW)

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    begun_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors"
    )
    """The sealed version whose recordings, results and decisions this one began with."""
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    review_finished_at = models.DateTimeField(null=True, blank=True)
    review_finished_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    seal_error = models.JSONField(null=True, blank=True)
    """Why the last attempt to seal was refused: {"code", "sentence", "parameters"}."""

    sealed_at = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=160, blank=True)
    """Title, language and task as they were sealed; the dataset's own may go on changing."""
    language = models.CharField(max_length=35, blank=True)
    task = models.CharField(max_length=24, choices=Task.choices, blank=True)
    merkle_root = models.CharField(max_length=64, blank=True)
    quality = models.JSONField(default=dict, blank=True)
    """Totals of the quality figures of the recordings (integers; units in the key names)."""
    consent_state = models.CharField(max_length=9, choices=Consent.choices, blank=True)
    """Kept by whoever ends a consent; each download asks ReleaseConsent itself."""
    relied_on_at = models.DateTimeField(null=True, blank=True)
    """When somebody first came to rely on the release: what it rests on can't be voided since."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    seal = models.OneToOneField(
        "ingestion.Seal", null=True, blank=True, on_delete=models.PROTECT, related_name="version"
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["dataset", "number"], name="version_number_is_unique"),
            models.UniqueConstraint(
                fields=["dataset"],
                condition=Q(state__in=["draft", "processing", "review"]),
                name="one_open_version_per_dataset",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "processing", "review", "sealed", "withdrawn"]),
                name="version_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "processing", "review"], seal__isnull=True)
                | (
                    Q(
                        state__in=["sealed", "withdrawn"],
                        seal__isnull=False,
                        sealed_at__isnull=False,
                        merkle_root__regex=r"^[0-9a-f]{64}$",
                        consent_state__in=["given", "withdrawn", "expired"],
                    )
                    & ~Q(title="")
                    & ~Q(language="")
                ),
                name="sealed_version_has_its_seal",
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn") ^ Q(withdrawn_at__isnull=True),
                name="withdrawn_version_says_when",
            ),
            models.CheckConstraint(
                condition=Q(review_finished_at__isnull=True, review_finished_by__isnull=True)
                | Q(review_finished_at__isnull=False, review_finished_by__isnull=False),
                name="review_has_who_and_when",
            ),
        )
        indexes = (
            models.Index(
                fields=["state"],
                condition=Q(state__in=["processing", "review"]),
                name="version_in_work",
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset}@{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether the version can still change."""
        return self.state in self.OPEN

    @property
    def is_in_hand(self) -> bool:
        """Whether people still decide about the version: it is open, its review not finished."""
        return self.is_open and self.review_finished_at is None

    @property
    def is_sealed(self) -> bool:
        """Whether the version is published."""
        return self.state == self.State.SEALED


class Seal(models.Model):
    """What a seal made that is too heavy for lists: read one at a time. Never edited (trigger)."""

    release = models.JSONField()
    """The `release` object of the manifest, as signed."""
    release_sha256 = models.CharField(max_length=64)
    """SHA-256 of the canonical form (RFC 8785) of `release`, lower-case hex."""
    subjects = models.JSONField()
    """Name → SHA-256 of the files that each statement about the release lists (≤ 1000)."""
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="+")
    """The signed release attestation."""
    index = models.ForeignKey("ingestion.Blob", on_delete=models.PROTECT, related_name="+")
    """files.jsonl, as it was sealed."""
    croissant = models.ForeignKey("ingestion.Blob", on_delete=models.PROTECT, related_name="+")
    """croissant.json, as it was sealed."""

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(release_sha256__regex=r"^[0-9a-f]{64}$"), name="seal_has_its_digest"
            ),
        )

    def __str__(self) -> str:
        return f"seal {self.release_sha256[:8]}"
