"""A dataset and its versions."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization, User


class Task(models.TextChoices):
    """What a model trained on the dataset learns to do."""

    SPEECH_RECOGNITION = "speech-recognition", "Speech recognition"
    SPEECH_SYNTHESIS = "speech-synthesis", "Speech synthesis"
    LANGUAGE_MODELING = "language-modeling", "Language modeling"


class Dataset(models.Model):
    """A named collection that an organization publishes, version after version."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="datasets"
    )
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=160)
    description = models.TextField(blank=True)
    language = models.CharField(max_length=35)
    """BCP 47 tag of the language spoken."""
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
        )
        indexes = (
            GinIndex(SearchVector("title", "description", config="simple"), name="dataset_search"),
        )

    def __str__(self) -> str:
        return f"{self.organization.slug}/{self.slug}"


class Version(models.Model):
    """One state of a dataset. Once sealed, a trigger refuses every change but withdrawal."""

    class State(models.TextChoices):
        """Where the version stands on the thread."""

        DRAFT = "draft", "Draft"
        PROCESSING = "processing", "Processing"
        REVIEW = "review", "In review"
        SEALED = "sealed", "Sealed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    review_finished_at = models.DateTimeField(null=True, blank=True)
    review_finished_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    seal_error = models.TextField(blank=True)
    """Why the last attempt to seal was refused, in words for the contributor."""

    sealed_at = models.DateTimeField(null=True, blank=True)
    release = models.JSONField(null=True, blank=True)
    """The `release` object of the manifest, as signed."""
    release_sha256 = models.CharField(max_length=64, blank=True)
    """SHA-256 of the canonical form (RFC 8785) of `release`, lower-case hex."""
    merkle_root = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True, blank=True)
    """The signed release attestation (DSSE envelope)."""
    log_entry = models.OneToOneField(
        "ingestion.LogEntry", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    quality = models.JSONField(default=dict, blank=True)
    """Totals of the quality figures of the recordings (integers; units in the key names)."""

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
                condition=Q(state__in=["draft", "processing", "review"])
                | Q(
                    sealed_at__isnull=False,
                    release__isnull=False,
                    manifest__isnull=False,
                    log_entry__isnull=False,
                    release_sha256__regex=r"^[0-9a-f]{64}$",
                    merkle_root__regex=r"^[0-9a-f]{64}$",
                ),
                name="sealed_version_has_its_seal",
            ),
            models.CheckConstraint(
                condition=Q(review_finished_at__isnull=True, review_finished_by__isnull=True)
                | Q(review_finished_at__isnull=False, review_finished_by__isnull=False),
                name="review_has_who_and_when",
            ),
        )

    def __str__(self) -> str:
        return f"{self.dataset}@{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether the version can still change."""
        return self.state in {self.State.DRAFT, self.State.PROCESSING, self.State.REVIEW}

    @property
    def is_sealed(self) -> bool:
        """Whether the version is published."""
        return self.state == self.State.SEALED
