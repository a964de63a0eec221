"""What was done to a recording: a recipe, its runs, and each step of a run."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ingestion.models.recording import Blob, Recording


class Recipe(models.Model):
    """Versioned instructions: which steps, in which order, with which parameters."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    """Digest of the canonical form of name, steps and parameters."""
    name = models.CharField(max_length=40)
    steps = models.JSONField()
    """A list of {"name", "parameters"} in order."""
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:8]}"


class PipelineRunQuerySet(models.QuerySet["PipelineRun"]):
    """Reads of runs."""

    def unheard(self) -> Self:
        """Intakes that kept no voices: nobody looked for speech that their texts leave out."""
        return self.filter(pk__in=StepRun.objects.without_voices().values("run_id"))


class PipelineRun(models.Model):
    """One execution of a recipe over one recording. Never deleted: a newer one supersedes it."""

    class State(models.TextChoices):
        """Pending and running rows are the queue: a sweeper takes up what nobody holds."""

        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Stopped")

    class Phase(models.TextChoices):
        """Before review everything found is scrubbed; afterwards what the person decided."""

        INTAKE = "intake", _("Intake")
        FINAL = "final", _("After review")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="runs")
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="runs")
    phase = models.CharField(max_length=8, choices=Phase.choices)
    after = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="followers"
    )
    """For a final run: the intake whose results it goes on from."""
    inputs = models.JSONField(default=dict, blank=True)
    """For a final run: what the review decided, as it stood when the run was made."""
    inputs_sha256 = models.CharField(max_length=64, blank=True)
    """For a final run the digest of `inputs`, for an intake that of source, transcript and
    language: what was made of the same needs no second run."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True, blank=True)
    """Who holds the run: drawn anew by each claim, asked for by each update (a fencing token)."""
    error = models.JSONField(null=True, blank=True)
    """Why it stopped, or why the last attempt did: {"code", "sentence", "parameters"}."""
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    """While a worker holds the run it renews this; a run whose heart stopped is taken up again."""
    offered_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    """When a message about the run was last sent; null asks the sweeper to send one now."""
    superseded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = PipelineRunQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["recording", "phase"],
                condition=Q(superseded_at__isnull=True),
                name="one_current_run_per_phase",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "running", "done", "failed"]),
                name="run_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | Q(error__isnull=False), name="failed_run_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(heartbeat_at__isnull=False, claim__isnull=False),
                name="running_run_has_a_heart_and_a_holder",
            ),
            models.CheckConstraint(
                condition=Q(phase="intake", after__isnull=True)
                | Q(phase="final", after__isnull=False),
                name="final_run_follows_an_intake",
            ),
        )
        indexes = (
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["pending", "running"]),
                name="run_in_the_queue",
            ),
        )

    def __str__(self) -> str:
        return f"{self.recipe.name} of {self.recording}"


class Turn(models.Model):
    """When an organization last had its turn: workers take runs from one after the other."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    taken_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.organization}: {self.taken_at}"


class StepRunQuerySet(models.QuerySet["StepRun"]):
    """Reads of steps."""

    def without_voices(self) -> Self:
        """Voice detectors' steps that were done when they kept only windows."""
        heard = self.filter(name="vad", state=StepRun.State.DONE)
        return heard.exclude(output__has_key="voiced")


class StepRun(models.Model):
    """One W3C PROV activity: a tool, its parameters, what went in and what came out, by digest."""

    class State(models.TextChoices):
        """How far the step is."""

        PENDING = "pending", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Stopped")

    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    tool = models.CharField(max_length=80, blank=True)
    tool_version = models.CharField(max_length=80, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField(default=dict)
    input_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of everything the step read: source, transcript, earlier outputs, parameters."""
    output_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of the canonical output, which names its files by digest."""
    output = models.JSONField(null=True, blank=True)
    files = models.JSONField(default=dict)
    """Output files: relative name → {"sha256", "size"} of its blob."""
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = StepRunQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["run", "name"], name="one_step_of_a_name_per_run"),
            models.CheckConstraint(
                condition=~Q(state="done")
                | (
                    Q(output__isnull=False, ended_at__isnull=False)
                    & Q(
                        output_sha256__regex=r"^[0-9a-f]{64}$",
                        input_sha256__regex=r"^[0-9a-f]{64}$",
                    )
                    & ~Q(tool="")
                ),
                name="done_step_has_its_record",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class StepFile(models.Model):
    """That a step's output names these bytes: `StepRun.files` in rows. Written by a trigger."""

    step = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="kept")
    name = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="step_files")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["step", "name"], name="step_file_is_named_once"),
        )

    def __str__(self) -> str:
        return self.name
