"""Whose turn it is: organizations one after the other, those that have a worker already last."""

import re
from datetime import timedelta
from functools import partial

import pytest
from celery import Task
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingestion import tasks
from ingestion.models import Dataset, PipelineRun
from ingestion.pipeline import jobs, turns
from tests import at_once, walks

pytestmark = pytest.mark.django_db


def queue(count: int) -> list[PipelineRun]:
    """An organization of its own with so many waiting runs."""
    version = walks.draft(task="language-modeling")
    for number in range(count):
        walks.upload(version, f"notes{number}.txt", f"Row {number}.".encode())
    return jobs.start(version=version, by=walks.editor(version))


def owner(run: PipelineRun) -> int:
    return Dataset.objects.get(recordings=run.recording_id).organization_id


def end(run: PipelineRun) -> None:
    PipelineRun.objects.filter(pk=run.pk).update(
        state=PipelineRun.State.DONE, claim=None, heartbeat_at=None
    )


def taken() -> PipelineRun:
    run = jobs.claim_next()
    assert run is not None
    return run


def test_a_long_queue_never_holds_up_another_organizations_single_recording():
    many, (single,) = queue(12), queue(1)
    first, second = taken(), taken()
    assert {owner(first), owner(second)} == {owner(many[0]), owner(single)}


def test_with_one_worker_organizations_take_turns():
    queues = [queue(4), queue(2), queue(2)]
    order = []
    for _ in range(8):
        run = taken()
        order.append(owner(run))
        end(run)
    assert [len(set(order[start : start + 3])) for start in (0, 3)] == [3, 3]
    assert order[6:] == [owner(queues[0][0])] * 2
    assert jobs.claim_next() is None


def test_of_its_own_recordings_an_organizations_oldest_comes_first():
    runs = queue(3)
    for place, run in enumerate(reversed(runs)):
        PipelineRun.objects.filter(pk=run.pk).update(
            created_at=timezone.now() - timedelta(hours=3 - place)
        )
    assert [taken().pk for _ in runs] == [run.pk for run in reversed(runs)]


def test_who_has_a_worker_already_waits_for_those_who_have_none():
    busy, idle = queue(3), queue(3)
    long_one = taken()
    other = idle if owner(long_one) == owner(busy[0]) else busy
    for _ in range(3):
        run = taken()
        assert owner(run) == owner(other[0])
        end(run)


def test_a_dead_worker_gives_its_organization_no_less_of_a_turn():
    (run,), (other,) = queue(1), queue(1)
    held = taken()
    stopped = timezone.now() - turns.HEART_STOPPED - timedelta(seconds=1)
    PipelineRun.objects.filter(pk=held.pk).update(heartbeat_at=stopped)
    assert {taken().pk, taken().pk} == {run.pk, other.pk}


@pytest.mark.django_db(transaction=True)
def test_workers_that_ask_at_once_each_get_a_run_of_another_organization():
    runs = [one for _ in range(4) for one in queue(2)]
    got = at_once.all_of(*[partial(jobs.claim_next)] * 4)
    assert len({one.pk for one in got}) == 4
    assert {owner(one) for one in got} == {owner(one) for one in runs}


def test_a_run_that_nobody_ends_does_not_stand_before_the_others():
    first, second = queue(2)
    PipelineRun.objects.filter(pk=first.pk).update(
        attempts=jobs.MAX_CLAIMS, created_at=timezone.now() - timedelta(hours=1)
    )
    assert taken().pk == second.pk


@pytest.mark.django_db(transaction=True)
def test_a_run_that_somebody_looks_at_just_now_is_waited_for():
    (run,) = queue(1)
    with transaction.atomic():
        turns.waiting().select_for_update().get()
        asking = at_once.Call(jobs.claim_next).until_it_waits()
    assert asking.result().pk == run.pk


def test_new_organizations_are_written_down_in_one_order_by_all_who_ask():
    owners = sorted(owner(run) for _ in range(6) for run in queue(1))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")  # As where there are more of them.
    with CaptureQueriesContext(connection) as asked:
        taken()
    (written,) = [one["sql"] for one in asked if 'INSERT INTO "ingestion_turn"' in one["sql"]]
    assert [int(one) for one in re.findall(r"\d+", written) if int(one) in owners] == owners


# ---- messages ----------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The names of the tasks that are sent, and of those that are tried at once."""
    names: list[str] = []

    def send(task, *_arguments, **_options) -> None:
        names.append(task.name.rpartition(".")[2])

    monkeypatch.setattr(Task, "apply_async", send)
    return names


def test_a_backlog_takes_one_message_however_long_it_is(sent, django_capture_on_commit_callbacks):
    runs = queue(20)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue(runs)
        tasks.enqueue([])
    assert sent == ["run_pipeline_task"]
    PipelineRun.objects.update(offered_at=timezone.now() - turns.OFFER_AGAIN)
    for _ in range(2):
        tasks.sweep_task()
    assert sent == ["run_pipeline_task"] * 2


def test_whoever_takes_a_run_calls_the_next_worker_before_beginning(sent, monkeypatch):
    queue(3)
    called = []
    monkeypatch.setattr(jobs, "work_on", lambda _run: called.append(len(sent)))
    for _ in range(4):
        tasks.run_pipeline_task()
    assert called == [1, 2, 2]
    assert sent == ["run_pipeline_task"] * 2


def test_a_message_is_good_until_another_is_sent_in_its_place():
    assert tasks.run_pipeline_task.expires == turns.OFFER_AGAIN.total_seconds()
