"""Who holds a run: one worker at a time; what goes wrong counts, is told, and is tried again."""

import contextlib
import os
import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest
from commonhold.errors import Recorded
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEntry
from ingestion import tasks
from ingestion.archive import recordings
from ingestion.archive.storage import blob_store
from ingestion.models import PipelineRun, Recording, Segment, StepRun, Version
from ingestion.pipeline import budgets, children, jobs, subprocesses, turns
from tests import at_once, sealed, walks

pytestmark = pytest.mark.django_db

State = PipelineRun.State
LOST = timedelta(seconds=1) + turns.HEART_STOPPED


@pytest.fixture
def version() -> Version:
    """A draft of one text: its steps take a second each, not ten."""
    made = walks.draft(task="language-modeling")
    walks.upload(made, "notes.txt", b"The market opens at eight.")
    return made


@pytest.fixture
def run(version) -> PipelineRun:
    """Its run, waiting."""
    (made,) = jobs.start(version=version, by=walks.editor(version))
    return made


def claim(run: PipelineRun) -> PipelineRun:
    held = jobs.claim(run_id=run.pk)
    assert held is not None
    return held


def die(run: PipelineRun) -> None:
    """Its worker has not been heard of for too long."""
    PipelineRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - LOST)


def perform(run: PipelineRun, name: str) -> None:
    step = run.steps.get(name=name)
    subprocesses.perform(step=step, run=run, heartbeat=partial(jobs.beat, run))


def facts(run: PipelineRun) -> tuple:
    fresh = PipelineRun.objects.get(pk=run.pk)
    steps = tuple(fresh.steps.order_by("position").values_list("name", "state", "output_sha256"))
    return fresh.state, fresh.claim, fresh.error, fresh.ended_at, steps


def steps_at_work() -> list[psutil.Process]:
    """The processes in which steps work just now."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess):
            found += [child] if "ingestion.pipeline.steps" in child.cmdline() else []
    return found


def lose_bytes(recording: Recording) -> None:
    blob_store().destroy(recording.blob_id)


def test_each_claim_draws_a_token_of_its_own(run):
    first = claim(run)
    die(run)
    second = claim(run)
    assert first.claim != second.claim
    assert (first.attempts, second.attempts) == (1, 2)
    assert second.started_at == first.started_at


def test_a_stale_worker_writes_nothing_over_the_new_one(run):
    stale = claim(run)
    die(run)
    fresh = claim(run)
    perform(fresh, "text")
    before = facts(run)
    step = run.steps.get(name="text")
    for attempt in (
        partial(jobs.beat, stale),
        partial(subprocesses.note, step, stale, state=StepRun.State.PENDING),
        partial(subprocesses.perform, step=step, run=stale, heartbeat=lambda: None),
        partial(jobs.finish, run=stale),
    ):
        with pytest.raises(jobs.ClaimLost):
            attempt()
        assert facts(run) == before
    jobs.fail(run=stale, error=jobs.RunFailed("It is lost."))
    jobs.give_up_or_release(run=stale, error=ZeroDivisionError())
    assert facts(run) == before
    assert not Segment.objects.exists()


def test_a_worker_that_was_overtaken_leaves_the_end_to_the_other(run):
    claim(run)
    die(run)
    done = jobs.execute(run_id=run.pk)
    assert done is not None
    assert done.state == State.DONE
    assert Segment.objects.count() == 1


def test_a_worker_notices_in_the_middle_of_a_step_that_it_was_overtaken(run, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    stale = claim(run)
    seen = []

    def overtaken() -> None:
        if working := steps_at_work():
            seen.extend(working)
            die(run)
            claim(run)
            jobs.beat(stale)

    with pytest.raises(jobs.ClaimLost):
        subprocesses.perform(step=run.steps.get(name="text"), run=stale, heartbeat=overtaken)
    assert seen
    assert not [child for child in seen if child.is_running()]


def test_a_run_that_something_newer_took_the_place_of_stops(version, run):
    held = claim(run)
    PipelineRun.objects.filter(pk=run.pk).update(superseded_at=timezone.now())
    with pytest.raises(jobs.ClaimLost):
        jobs.beat(held)
    with pytest.raises(jobs.ClaimLost):
        jobs.finish(run=held)
    assert jobs.claim(run_id=run.pk) is None
    assert not Segment.objects.exists()


def test_the_heartbeat_is_renewed_while_a_step_works(run, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    held = claim(run)
    almost = timezone.now() - turns.HEART_STOPPED + timedelta(seconds=10)
    PipelineRun.objects.filter(pk=run.pk).update(heartbeat_at=almost)
    perform(held, "text")
    held.refresh_from_db()
    assert held.heartbeat_at > timezone.now() - timedelta(seconds=10)


@pytest.mark.django_db(transaction=True)
def test_a_heart_beats_as_long_as_its_run_is_executed(run, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    working, seen = at_once.Call(partial(jobs.execute, run_id=run.pk)), set()
    while working.thread.is_alive():
        seen.add(PipelineRun.objects.get().heartbeat_at)
    assert working.result().state == State.DONE
    assert len(seen - {None}) > 3


def test_a_step_past_its_time_is_killed_and_may_be_tried_again(run, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(budgets, "BASE_SECONDS", -60)
    stopped = jobs.execute(run_id=run.pk)
    assert stopped is not None
    assert (stopped.state, stopped.attempts) == (State.PENDING, 1)
    assert "stopped with code -9" in Recorded.of(stopped.error).message


def test_a_step_is_given_nothing_of_ours_to_know(run, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    known: dict[str, str] = {}

    def look() -> None:
        for child in steps_at_work():
            with contextlib.suppress(psutil.Error):  # It ended meanwhile.
                known.update(child.environ())

    held = claim(run)
    subprocesses.perform(step=run.steps.get(name="text"), run=held, heartbeat=look)
    assert {"PATH", "PYTHONPATH"} <= set(known)
    assert not set(known) & {"SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "DATA_DIR"}
    assert os.environ["SECRET_KEY"] not in known.values()


def test_a_worker_processes_without_any_key(run, settings, tmp_path):
    settings.KEY_DIR = tmp_path / "nowhere"
    done = jobs.execute()
    assert done is not None
    assert (done.pk, done.state) == (run.pk, State.DONE)
    assert not settings.KEY_DIR.exists()


def test_whatever_goes_wrong_counts_as_an_attempt_and_is_told(version, run):
    lose_bytes(walks.named(version, "notes.txt"))
    told = []
    for _ in range(jobs.MAX_ATTEMPTS):
        stopped = jobs.execute(run_id=run.pk)
        assert stopped is not None
        told.append((stopped.state, stopped.attempts, Recorded.of(stopped.error).message))
    assert [(state, attempts) for state, attempts, _ in told] == [
        (State.PENDING, 1),
        (State.PENDING, 2),
        (State.FAILED, 3),
    ]
    assert {step.state for step in run.steps.all()} == {StepRun.State.PENDING}
    assert all("are damaged or gone" in message for _, _, message in told)
    assert "It was tried once." in told[0][2]
    assert "It was tried 3 times." in told[2][2]
    assert jobs.execute(run_id=run.pk) is None
    assert not turns.waiting().exists()


def test_a_run_that_nobody_ever_ends_is_not_taken_for_ever(run):
    for _ in range(jobs.MAX_CLAIMS):
        claim(run)
        die(run)
    assert jobs.claim(run_id=run.pk) is None
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "broke off 10 times" in Recorded.of(run.error).message
    assert not turns.waiting().exists()


def test_an_error_of_ours_is_told_by_its_name_and_not_by_its_words(run, monkeypatch):
    def refuse(**_options) -> None:
        raise PermissionError("/srv/commonhold/work is not ours")

    children.require_isolation()  # known from now on
    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    stopped = jobs.execute(run_id=run.pk)
    assert stopped is not None
    told = Recorded.of(stopped.error).message
    assert told == "The work broke off (PermissionError). It was tried once."


def test_a_run_that_was_let_go_is_offered_again_at_once(version, run):
    lose_bytes(walks.named(version, "notes.txt"))
    jobs.execute(run_id=run.pk)
    assert turns.offer() == [run]
    assert turns.offer() == []


def test_a_run_that_succeeds_at_last_says_nothing_of_its_failures(version, run):
    recording = walks.named(version, "notes.txt")
    with blob_store().open(recording.blob_id) as original:
        data = original.read()
    lose_bytes(recording)
    jobs.execute(run_id=run.pk)
    sealed.keep(data)
    done = jobs.execute(run_id=run.pk)
    assert done is not None
    assert (done.state, done.error, done.claim, done.attempts) == (State.DONE, None, None, 2)
    version.refresh_from_db()
    assert version.state == Version.State.REVIEW


def test_a_stopped_run_says_which_step_stopped(run):
    StepRun.objects.filter(run=run, name="text").update(name="no-such-step")
    for _ in range(jobs.MAX_ATTEMPTS):
        jobs.execute(run_id=run.pk)
    step = StepRun.objects.get(run=run, name="no-such-step")
    assert step.state == StepRun.State.FAILED
    assert "no-such-step" in step.error
    assert step.ended_at is not None
    assert not StepRun.objects.filter(state=StepRun.State.RUNNING).exists()


def test_trying_again_begins_with_a_clean_slate_and_keeps_what_is_done(version, run):
    held = claim(run)
    perform(held, "text")
    done = run.steps.get(name="text").ended_at
    jobs.fail(run=held, error=jobs.RunFailed("It is lost."))
    again = jobs.retry(run=run, by=walks.editor(version))
    assert (again.state, again.attempts, again.error, again.ended_at) == (
        State.PENDING,
        0,
        None,
        None,
    )
    entry = AuditEntry.objects.get(verb="run.retried")
    assert entry.actor == walks.editor(version).email
    finished = jobs.execute(run_id=run.pk)
    assert finished is not None
    assert finished.state == State.DONE
    assert run.steps.get(name="text").ended_at == done


@pytest.mark.parametrize("state", ["pending", "running", "done"])
def test_only_what_stopped_is_tried_again(version, run, state):
    if state == "running":
        claim(run)
    if state == "done":
        jobs.execute(run_id=run.pk)
    with pytest.raises(jobs.RunNotFailed, match=r"notes\.txt"):
        jobs.retry(run=run, by=walks.editor(version))


def test_a_run_that_something_newer_took_the_place_of_is_not_tried_again(version, run):
    jobs.fail(run=claim(run), error=jobs.RunFailed("It is lost."))
    PipelineRun.objects.filter(pk=run.pk).update(superseded_at=timezone.now())
    with pytest.raises(jobs.RunNotFailed):
        jobs.retry(run=run, by=walks.editor(version))


def test_a_recording_that_changed_while_it_was_worked_on_is_worked_on_anew(version, run):
    claim(run)
    place = version.files.get()
    decision_by = walks.editor(version)
    recordings.remove(file=place, by=decision_by)
    version.refresh_from_db()
    assert version.state == Version.State.DRAFT
    walks.upload(version, "notes.txt", b"The market opens at eight.")
    spoken = walks.named(version, "notes.txt")
    recordings.say_language(recording=spoken, language="sw", by=decision_by)
    (fresh,) = jobs.start(version=version, by=decision_by)
    assert fresh != run
    run.refresh_from_db()
    assert run.superseded_at is not None


def test_a_recording_that_comes_back_as_it_was_goes_on_with_its_run(version, run):
    recordings.remove(file=version.files.get(), by=walks.editor(version))
    walks.upload(version, "notes.txt", b"The market opens at eight.")
    version.refresh_from_db()
    assert jobs.start(version=version, by=walks.editor(version)) == [run]


def test_a_run_that_nobody_knows_is_no_run():
    assert jobs.execute(run_id=uuid.uuid4()) is None


def test_the_same_text_gives_the_same_outputs_whoever_worked_on_it():
    digests = []
    for _ in range(2):
        made = walks.draft(task="language-modeling")
        walks.upload(made, "notes.txt", b"The market opens at eight.")
        walks.process(made)
        steps = StepRun.objects.filter(run__recording__dataset=made.dataset)
        digests.append(list(steps.order_by("position").values_list("name", "output_sha256")))
    assert digests[0] == digests[1]


@pytest.mark.django_db(transaction=True)
def test_a_heart_beats_where_others_see_it_while_files_are_laid_out_and_kept(run, tmp_path):
    held, names, seen = claim(run), [f"{number}.flac" for number in range(120)], []

    def beat() -> None:
        seen.append(connection.in_atomic_block)

    (tmp_path / "out").mkdir()
    for name in names:
        (tmp_path / "out" / name).write_text(name)
    tool = {"name": "a", "version": "1"}
    step, detect = run.steps.get(name="text"), run.steps.get(name="detect")
    subprocesses.note(step, held, input_sha256="0" * 64)
    result = {"output": {}, "files": names, "tool": tool}
    subprocesses.keep(step=step, run=held, result=result, workdir=tmp_path, heartbeat=beat)
    assert seen == [False] * len(names)
    step.refresh_from_db()
    assert set(step.files) == set(names)
    with contextlib.ExitStack() as stack:
        subprocesses.lay_out(
            step=detect, run=held, earlier={"text": step}, budget=budgets.Budget(1, 1, 1, 1),
            workdir=tmp_path, stack=stack, heartbeat=beat,
        )  # fmt: skip
    assert len(seen) > 2 * len(names)


def test_a_step_at_work_is_no_leftover_however_long_it_takes(run, settings, monkeypatch):
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    seen = []

    def after_two_days() -> None:
        (folder,) = Path(settings.WORK_DIR).iterdir()
        tasks.tidy_task()
        seen.append(folder.exists())
        os.utime(folder, (0, 0))

    held = claim(run)
    step = run.steps.get(name="text")
    subprocesses.perform(step=step, run=held, heartbeat=after_two_days)
    assert len(seen) > 1
    assert all(seen)


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_who_take_the_same_run_one_gets_it(run):
    taken = at_once.all_of(*[partial(jobs.claim, run_id=run.pk)] * 4)
    assert [one for one in taken if one is not None] == [run]
    assert PipelineRun.objects.get().attempts == 1
