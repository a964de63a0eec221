"""Running recipes: starting a version's runs, executing one, and taking up what a dead worker left.

The rows are the queue. Whoever executes a run claims it and renews its heartbeat; a run whose heart
stopped for HEART_STOPPED is anybody's. A step that is done is never done again: its record and its
output stand, so a worker that is killed costs the running step and nothing else.
"""

from datetime import timedelta
from uuid import UUID

from commonhold.errors import CommonholdError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from ingestion import recipes, subprocesses
from ingestion.datasets import VersionClosed
from ingestion.findings import write_down
from ingestion.models import File, PipelineRun, StepRun, Upload, Version
from ingestion.uploads import pair_transcripts

HEART_STOPPED = timedelta(seconds=30)
OFFER_AGAIN = timedelta(minutes=10)
"""After this a message about a waiting run counts as lost. Sooner would flood a long queue."""
MAX_ATTEMPTS = 3
MAX_OFFERS = 1000


class NothingToProcess(CommonholdError):
    """The version has no file that a pipeline could work on."""

    code = "nothing-to-process"
    status = 409


class UploadsUnfinished(CommonholdError):
    """Files are still on their way."""

    code = "uploads-unfinished"
    status = 409


class RunNotFailed(CommonholdError):
    """Only a run that stopped can be tried again."""

    code = "run-not-failed"
    status = 409


@transaction.atomic
def start(*, version: Version, by: User) -> list[PipelineRun]:  # noqa: ARG001 - the actor
    """Close the draft to new files and make a run for every recording and text.

    Raises VersionClosed, UploadsUnfinished, NothingToProcess.
    """
    version = Version.objects.select_for_update().get(pk=version.pk)
    if version.state != Version.State.DRAFT:
        message = f"Version {version.number} is {version.get_state_display().lower()} already."
        raise VersionClosed(message)
    unfinished = version.uploads.filter(
        state=Upload.State.OPEN, expires_at__gt=timezone.now()
    ).values_list("path", flat=True)
    if unfinished:
        message = (
            f"«{unfinished[0]}» has not arrived whole. Finish or cancel {len(unfinished)} "
            "uploads first."
        )
        raise UploadsUnfinished(message, paths=list(unfinished[:100]))
    pair_transcripts(version=version)
    files = list(sources(version=version))
    if not files:
        message = "There is no recording or text in this version yet. Upload one first."
        raise NothingToProcess(message)
    version.state = Version.State.PROCESSING
    version.save(update_fields=["state"])
    return [make_run(file=file, phase=PipelineRun.Phase.INTAKE) for file in files]


def sources(*, version: Version) -> QuerySet[File]:
    """Return what is run through the pipeline: originals but for transcripts beside a recording."""
    return (
        version.files.filter(role=File.Role.SOURCE)
        .exclude(kind=File.Kind.TRANSCRIPT)
        .order_by("path_key")
    )


def make_run(*, file: File, phase: str) -> PipelineRun:
    """Make a waiting run of a file, its steps laid out, or return the one there is."""
    recipe = recipes.choose(file=file, phase=phase)
    run, created = PipelineRun.objects.get_or_create(
        file=file, phase=phase, defaults={"recipe": recipe}
    )
    if created:
        StepRun.objects.bulk_create(
            StepRun(run=run, position=position, name=step["name"], parameters=step["parameters"])
            for position, step in enumerate(recipe.steps)
        )
    return run


def waiting() -> QuerySet[PipelineRun]:
    """Return the runs that nobody holds: new ones, and those whose worker died."""
    stopped = timezone.now() - HEART_STOPPED
    return PipelineRun.objects.filter(
        Q(state=PipelineRun.State.PENDING)
        | Q(state=PipelineRun.State.RUNNING, heartbeat_at__lt=stopped)
    ).order_by("created_at")


@transaction.atomic
def offer() -> list[PipelineRun]:
    """Return the runs that a message should be sent about now, and note that it was."""
    lost = timezone.now() - OFFER_AGAIN
    dead = Q(state=PipelineRun.State.RUNNING) & (
        Q(offered_at__isnull=True) | Q(offered_at__lt=timezone.now() - HEART_STOPPED)
    )
    unheard = Q(offered_at__isnull=True) | Q(offered_at__lt=lost)
    runs = list(waiting().filter(dead | unheard).select_for_update(skip_locked=True)[:MAX_OFFERS])
    PipelineRun.objects.filter(pk__in=[run.pk for run in runs]).update(offered_at=timezone.now())
    return runs


@transaction.atomic
def claim(*, run_id: UUID) -> PipelineRun | None:
    """Take a run that nobody holds; None if somebody does or it is over."""
    run = (
        waiting()
        .filter(pk=run_id)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("file__version__dataset", "file__blob", "file__transcript__blob")
        .first()
    )
    if run is None:
        return None
    run.attempts += 1
    run.state = PipelineRun.State.RUNNING
    run.heartbeat_at = timezone.now()
    run.started_at = run.started_at or run.heartbeat_at
    run.save(update_fields=["attempts", "state", "heartbeat_at", "started_at"])
    return run


def beat(run: PipelineRun) -> None:
    """Renew the claim on a run."""
    PipelineRun.objects.filter(pk=run.pk, state=PipelineRun.State.RUNNING).update(
        heartbeat_at=timezone.now()
    )


def execute(*, run_id: UUID) -> PipelineRun | None:
    """Run the steps of a waiting run that are not done. Returns None if somebody else has it.

    A refusal of the file ends the run as failed, with the step's words. A crash of a step leaves
    the run waiting, to be tried MAX_ATTEMPTS times in all.
    """
    run = claim(run_id=run_id)
    if run is None:
        return None
    try:
        for step in run.steps.exclude(state=StepRun.State.DONE):
            subprocesses.perform(step=step, heartbeat=lambda: beat(run))
    except subprocesses.StepRefused as refusal:
        fail(run=run, message=refusal.message)
    except subprocesses.StepCrashed as crash:
        if run.attempts >= MAX_ATTEMPTS:
            fail(run=run, message=f"{crash.message} It was tried {run.attempts} times.")
        else:
            release(run=run)
    else:
        finish(run=run)
    run.refresh_from_db()
    return run


@transaction.atomic
def finish(*, run: PipelineRun) -> None:
    """End a run whose steps are all done; the last one of an intake opens the review."""
    version = Version.objects.select_for_update().get(pk=run.file.version_id)
    if run.phase == PipelineRun.Phase.INTAKE:
        write_down(run=run)
    PipelineRun.objects.filter(pk=run.pk).update(
        state=PipelineRun.State.DONE, ended_at=timezone.now(), heartbeat_at=None, error=""
    )
    open_review(version=version)


def open_review(*, version: Version) -> None:
    """Move a processing version to review once every run of the intake is done."""
    runs = PipelineRun.objects.filter(file__version=version, phase=PipelineRun.Phase.INTAKE)
    done = runs.exists() and not runs.exclude(state=PipelineRun.State.DONE).exists()
    if version.state == Version.State.PROCESSING and done:
        version.state = Version.State.REVIEW
        version.save(update_fields=["state"])


def fail(*, run: PipelineRun, message: str) -> None:
    """End a run that can't go on, with words for the contributor."""
    now = timezone.now()
    PipelineRun.objects.filter(pk=run.pk).update(
        state=PipelineRun.State.FAILED, error=message, ended_at=now, heartbeat_at=None
    )


def release(*, run: PipelineRun) -> None:
    """Let go of a run, for the sweeper to offer again."""
    PipelineRun.objects.filter(pk=run.pk).update(
        state=PipelineRun.State.PENDING, heartbeat_at=None, offered_at=None
    )


@transaction.atomic
def retry(*, run: PipelineRun, by: User) -> PipelineRun:  # noqa: ARG001 - the actor
    """Put a stopped run back in the queue. Steps that are done stay done. Raises RunNotFailed."""
    run = PipelineRun.objects.select_for_update().get(pk=run.pk)
    if run.state != PipelineRun.State.FAILED:
        message = (
            f"The run of «{run.file}» is {run.get_state_display().lower()}; only a "
            "stopped one can be tried again."
        )
        raise RunNotFailed(message)
    run.steps.filter(state=StepRun.State.FAILED).update(
        state=StepRun.State.PENDING, error="", started_at=None, ended_at=None
    )
    run.state, run.error, run.attempts, run.ended_at = PipelineRun.State.PENDING, "", 0, None
    run.save(update_fields=["state", "error", "attempts", "ended_at"])
    return run


def all_final_done(*, version: Version) -> bool:
    """Whether what the reviewer decided has been applied to every file."""
    finals = PipelineRun.objects.filter(file__version=version, phase=PipelineRun.Phase.FINAL)
    return finals.exists() and not finals.exclude(state=PipelineRun.State.DONE).exists()
