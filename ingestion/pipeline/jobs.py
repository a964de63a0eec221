"""Running recipes: starting a version's runs, executing one, and taking up what a dead worker left.

The rows are the queue. Whoever executes a run claims it with a token of its own, renews its
heartbeat, and changes nothing once somebody else holds the run; a run whose heart stopped for
turns.HEART_STOPPED is anybody's. A step that is done is never done again: its record and its output
stand, so a worker that is killed costs the running step and nothing else.
"""

import logging
import uuid
from collections.abc import Iterable
from uuid import UUID

from commonhold import canonical
from commonhold.errors import CommonholdError
from commonhold.sentences import _, n_
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from ingestion.archive import languages, quotas, recordings, versions
from ingestion.archive.versions import VersionClosed
from ingestion.models import File, PipelineRun, Recording, StepRun, Upload, Version
from ingestion.pipeline import children, recipes, results, subprocesses, turns
from ingestion.pipeline.subprocesses import ClaimLost

MAX_ATTEMPTS, MAX_CLAIMS = 3, 10
"""How often a run may go wrong, and how often it is taken with those whose worker died."""
State, Phase = PipelineRun.State, PipelineRun.Phase
log = logging.getLogger(__name__)


class NothingToProcess(CommonholdError):
    """The version has nothing that a pipeline could work on."""

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


class RunFailed(CommonholdError):
    """A run that was tried often enough."""

    code = "run-failed"
    status = 500


@transaction.atomic
def start(*, version: Version, by: User) -> list[PipelineRun]:
    """Close the draft to new files and make a run for what was not processed yet.

    What was carried over keeps its results; where there is nothing new the version goes to review
    at once. Raises VersionClosed, UploadsUnfinished, NothingToProcess, QuotaExceeded.
    """
    version = versions.lock_open(version.pk)
    if version.state != Version.State.DRAFT:
        sentence = _("Version %(number)s is %(state)s already.")
        raise VersionClosed(sentence, number=version.number, state=versions.said(version))
    require_uploads_finished(version)
    recordings.pair_transcripts(version=version)
    if not version.files.to_process().exists():
        sentence = _("There is no recording or text in this version yet. Upload one first.")
        raise NothingToProcess(sentence)
    recordings.number(version=version)
    fresh = Recording.objects.filter(files__version=version, intake__isnull=True).to_process()
    new = [one for one in fresh.in_order() if not take_up(recording=one)]
    organization = version.dataset.organization
    quotas.require(organization=organization, kind=quotas.Kind.RUNS, more=len(new))
    runs = [make_intake(recording=one) for one in new]
    version.state = Version.State.PROCESSING
    version.save(update_fields=["state"])
    audit.note(
        by=by,
        verb="pipeline.started",
        about=(version, version.dataset),
        version=str(version),
        runs=len(runs),
    )
    versions.settle(version=version)
    return runs


def require_uploads_finished(version: Version) -> None:
    """Raise UploadsUnfinished while files are on their way."""
    unfinished = list(
        version.uploads.filter(state=Upload.State.OPEN, expires_at__gt=timezone.now()).values_list(
            "path", flat=True
        )
    )
    if unfinished:
        sentence = n_(
            "«%(first)s» has not arrived whole. Finish or cancel its upload first.",
            "«%(first)s» has not arrived whole. Finish or cancel %(count)s uploads first.",
            len(unfinished),
        )
        raise UploadsUnfinished(
            sentence, first=unfinished[0], count=len(unfinished), paths=unfinished[:100]
        )


def take_up(*, recording: Recording) -> bool:
    """Let the newest results count again that were made of what the recording is now.

    So a transcript or a language that was taken back leaves no work lost. False if there are none.
    """
    intakes = recording.runs.filter(phase=Phase.INTAKE)
    made = intakes.filter(state=State.DONE, inputs_sha256=made_of(recording))
    made = made.exclude(pk__in=intakes.unheard())
    newest = made.order_by("-created_at").first()
    if newest is None:
        return False
    others = intakes.filter(superseded_at__isnull=True).exclude(pk=newest.pk)
    others.update(superseded_at=timezone.now())
    intakes.filter(pk=newest.pk).update(superseded_at=None)
    recording.intake = newest
    recording.save(update_fields=["intake"])
    return True


def made_of(recording: Recording) -> str:
    """Return the digest of all that an intake reads of a recording."""
    transcript = recording.transcript
    return canonical.digest(
        {
            "source": recording.blob_id,
            "transcript": transcript.blob_id if transcript else None,
            "language": languages.primary_of(recording.spoken),
        }
    )


def make_intake(*, recording: Recording) -> PipelineRun:
    """Return the waiting or running intake of a recording as it is, or make a new one instead."""
    sha256 = made_of(recording)
    current = recording.runs.filter(
        phase=Phase.INTAKE,
        superseded_at__isnull=True,
        state__in=[State.PENDING, State.RUNNING],
        inputs_sha256=sha256,
    ).first()
    if current is not None:
        return current
    recipe = recipes.choose(recording=recording, phase=Phase.INTAKE)
    return lay_out(
        PipelineRun(recording=recording, recipe=recipe, phase=Phase.INTAKE, inputs_sha256=sha256)
    )


def make_final(*, recording: Recording, inputs: dict[str, object], sha256: str) -> PipelineRun:
    """Make the run that applies the decisions in `inputs` to a recording."""
    recipe = recipes.choose(recording=recording, phase=Phase.FINAL)
    return lay_out(
        PipelineRun(
            recording=recording,
            recipe=recipe,
            phase=Phase.FINAL,
            after=recording.intake,
            inputs=inputs,
            inputs_sha256=sha256,
        )
    )


def lay_out(run: PipelineRun) -> PipelineRun:
    """Save a run with its steps; it takes the place of the one before, which stays on record."""
    earlier = run.recording.runs.filter(phase=run.phase, superseded_at__isnull=True)
    earlier.update(superseded_at=timezone.now())
    run.save(force_insert=True)
    StepRun.objects.bulk_create(
        StepRun(run=run, position=position, name=step["name"], parameters=step["parameters"])
        for position, step in enumerate(run.recipe.steps)
    )
    return run


@transaction.atomic
def claim(*, run_id: UUID) -> PipelineRun | None:
    """Take a run that nobody holds; None if somebody does or it is over.

    What was taken MAX_CLAIMS times and came to no end is failed: it may be what ends its workers.
    """
    whole = ("recording__dataset", "recording__blob", "recording__transcript__blob")
    waiting = turns.waiting().select_for_update(of=("self",)).select_related(*whole)
    run = waiting.filter(pk=run_id).first()
    if run is None:
        return None
    run.attempts += 1
    run.state, run.claim = State.RUNNING, uuid.uuid4()
    run.heartbeat_at = timezone.now()
    run.started_at = run.started_at or run.heartbeat_at
    run.save(update_fields=["attempts", "state", "claim", "heartbeat_at", "started_at"])
    if run.attempts > MAX_CLAIMS:
        sentence = _("The work broke off %(attempts)s times, and nobody was left to say why.")
        fail(run=run, error=RunFailed(sentence, attempts=MAX_CLAIMS))
        return None
    hear_anew(run)
    return run


def hear_anew(run: PipelineRun) -> None:
    """Let a run that began before voices were kept listen once more: the next steps need them."""
    old = run.steps.without_voices().first()
    if old is not None:
        run.steps.filter(position__gte=old.position).update(state=StepRun.State.PENDING)


def held(run: PipelineRun) -> QuerySet[PipelineRun]:
    """Return the run's row, if its claim is still the one it was taken with, and it is wanted."""
    return PipelineRun.objects.filter(
        pk=run.pk, claim=run.claim, state=State.RUNNING, superseded_at__isnull=True
    )


def beat(run: PipelineRun) -> None:
    """Renew the claim on a run. Raises ClaimLost once somebody else holds it."""
    if not held(run).update(heartbeat_at=timezone.now()):
        raise ClaimLost(_("Another worker has taken this run over."))


@transaction.atomic
def claim_next() -> PipelineRun | None:
    """Take the run whose turn it is; None only if none waits: nobody else may be called for it."""
    while (run_id := turns.upcoming()) is not None:
        if run := claim(run_id=run_id):
            return run
    return None


def take(*, run_id: UUID | None = None) -> PipelineRun | None:
    """Take a waiting run, or that whose turn it is; None if there is none, or somebody has it.

    Where steps can't be isolated nothing is taken, and runs go on waiting. Raises NotIsolatedError,
    ProbeFailed.
    """
    children.require_isolation()
    return claim_next() if run_id is None else claim(run_id=run_id)


def execute(*, run_id: UUID | None = None) -> PipelineRun | None:
    """Do both: `take`, and `work_on` what was taken."""
    run = take(run_id=run_id)
    return None if run is None else work_on(run)


def work_on(run: PipelineRun) -> PipelineRun | None:
    """Run the steps of a taken run that are not done; None if somebody else took it meanwhile.

    A refusal of the file ends the run as failed, with the step's words. Anything else that goes
    wrong counts as an attempt and is written on the run; it is tried MAX_ATTEMPTS times in all.
    """
    try:
        for step in run.steps.exclude(state=StepRun.State.DONE):
            subprocesses.perform(step=step, run=run, heartbeat=lambda: beat(run))
        finish(run=run)
    except ClaimLost:
        return None
    except subprocesses.StepRefused as refusal:
        fail(run=run, error=refusal)
    except Exception as error:  # noqa: BLE001 - whatever it is, the contributor reads it
        give_up_or_release(run=run, error=error)
    run.refresh_from_db()
    return run


@transaction.atomic
def finish(*, run: PipelineRun) -> None:
    """End a run whose steps are all done; the last one of an intake opens the review."""
    places = File.objects.filter(recording=run.recording_id, version__state__in=Version.OPEN)
    open_versions = Version.objects.filter(pk__in=places.values("version_id"))
    version = open_versions.select_for_update().first()
    # Locked in the order that every other transition takes: version first, then run.
    mine = held(run).select_for_update().first()
    if mine is None:
        raise ClaimLost(_("Another worker has taken this run over."))
    if run.phase == Phase.INTAKE:
        results.write_down(run=run)
    held(run).update(
        state=State.DONE, ended_at=timezone.now(), heartbeat_at=None, claim=None, error=None
    )
    if version is not None:
        versions.settle(version=version)


def give_up_or_release(*, run: PipelineRun, error: Exception) -> None:
    """Note what went wrong, and let somebody try again unless it was tried often enough."""
    if not isinstance(error, subprocesses.StepCrashed):
        log.error("The run %s of recording %s stopped", run.pk, run.recording_id, exc_info=error)
    told = in_words(error, attempts=run.attempts)
    if run.attempts >= MAX_ATTEMPTS:
        fail(run=run, error=told)
    else:
        release(run=run, error=told)


def in_words(error: Exception, *, attempts: int) -> RunFailed:
    """Return what the contributor is told of an error; what is ours alone is named by its type."""
    if isinstance(error, CommonholdError):
        sentence = n_(
            "%(what)s It was tried once.",
            "%(what)s It was tried %(attempts)s times.",
            attempts,
        )
        what = error.said
        return RunFailed(sentence, what=what, attempts=attempts)
    sentence = n_(
        "The work broke off (%(what)s). It was tried once.",
        "The work broke off (%(what)s). It was tried %(attempts)s times.",
        attempts,
    )
    return RunFailed(sentence, what=type(error).__name__, attempts=attempts)


@transaction.atomic
def release(*, run: PipelineRun, error: CommonholdError) -> None:
    """Let somebody else take a held run up at once; `error` says what the last attempt met."""
    freed = held(run).update(
        state=State.PENDING,
        claim=None,
        heartbeat_at=None,
        offered_at=None,
        error=error.as_record(),
    )
    if freed:
        run.steps.filter(state=StepRun.State.RUNNING).update(state=StepRun.State.PENDING)


@transaction.atomic
def fail(*, run: PipelineRun, error: CommonholdError) -> None:
    """End a held run that can't go on, with words for the contributor."""
    ended = held(run).update(
        state=State.FAILED,
        error=error.as_record(),
        ended_at=timezone.now(),
        heartbeat_at=None,
        claim=None,
    )
    if ended:
        run.steps.filter(state=StepRun.State.RUNNING).update(
            state=StepRun.State.FAILED, error=error.message, ended_at=timezone.now()
        )


@transaction.atomic
def retry(*, run: PipelineRun, by: User) -> PipelineRun:
    """Put a stopped run back in the queue. Steps that are done stay done. Raises RunNotFailed."""
    run = (
        PipelineRun.objects.select_for_update(of=("self",))
        .select_related("recording__dataset")
        .get(pk=run.pk)
    )
    if run.state != State.FAILED or run.superseded_at is not None:
        sentence = _("The run of «%(path)s» is not stopped, so it can't be tried again.")
        raise RunNotFailed(sentence, path=run.recording.name, state=run.state)
    run.steps.filter(state=StepRun.State.FAILED).update(
        state=StepRun.State.PENDING, error="", started_at=None, ended_at=None
    )
    run.state, run.error, run.attempts, run.ended_at = State.PENDING, None, 0, None
    run.save(update_fields=["state", "error", "attempts", "ended_at"])
    recording = run.recording
    audit.note(
        by=by,
        verb="run.retried",
        about=(run, recording, recording.dataset),
        recording=recording.pk,
        phase=run.phase,
    )
    return run


def of(version: Version, *, phase: str) -> QuerySet[PipelineRun]:
    """Return the current runs of a phase of what has a place in a version."""
    runs = PipelineRun.objects.filter(phase=phase, recording__files__version=version)
    if phase == Phase.FINAL:
        finals = version.files.exclude(final__isnull=True).values("final_id")
        return PipelineRun.objects.filter(pk__in=finals)
    return runs.filter(superseded_at__isnull=True)


def are_done(runs: Iterable[PipelineRun]) -> bool:
    """Whether there are runs, and all of them are done."""
    states = {run.state for run in runs}
    return states == {State.DONE}
