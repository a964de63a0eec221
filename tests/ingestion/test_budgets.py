"""What a step may take comes from bytes and settings; and where nothing guards, nothing begins."""

import re

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from ingestion import tasks
from ingestion.models import PipelineRun, Recording
from ingestion.pipeline import budgets, children, jobs, subprocesses
from ingestion.pipeline.steps.isolation import Guards, NotIsolatedError
from marketplace.host.environment import guards as read_guards
from tests import walks

pytestmark = pytest.mark.django_db

HOURS = 3600
STEPS = st.sampled_from(["decode", "vad", "text", "detect", "redact", "strip", "quality"])


@pytest.fixture
def run() -> PipelineRun:
    """A waiting run of one recording."""
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    (made,) = jobs.start(version=version, by=walks.editor(version))
    return made


def budget(run: PipelineRun, step: str, *, decoded_ms: int | None = None) -> budgets.Budget:
    step_run = run.steps.get(name=step)
    earlier = {}
    if decoded_ms is not None:
        earlier["decode"] = run.steps.get(name="decode")
        earlier["decode"].output = {"duration_ms": decoded_ms}
    return subprocesses.budget_of(step=step_run, run=run, earlier=earlier)


def test_a_header_that_declares_months_of_sound_buys_no_time(run):
    honest = budget(run, "decode")
    Recording.objects.filter(pk=run.recording_id).update(duration_ms=2_505_600_000)
    run.refresh_from_db()
    assert run.recording.duration_ms == 2_505_600_000
    assert budget(run, "decode") == honest


def test_a_step_that_hangs_over_a_small_file_ends_within_minutes():
    assert budgets.of(step="decode", size=100_000, decoded_ms=None).seconds < 6 * 60
    assert budgets.of(step="text", size=100_000, decoded_ms=30_000).seconds < 8 * 60


@given(step=STEPS, size=st.integers(0, 20 * 2**30), decoded=st.none() | st.integers(0, 2**53))
def test_no_step_ever_has_longer_than_the_longest_recording_needs(step, size, decoded):
    seconds = budgets.of(step=step, size=size, decoded_ms=decoded).seconds
    most = 12 * HOURS * budgets.SECONDS_PER_AUDIO_SECOND.get(step, budgets.OTHERWISE)
    assert budgets.BASE_SECONDS <= seconds <= budgets.BASE_SECONDS + most + 1


@given(step=STEPS, ms=st.integers(0, 12 * HOURS * 1000))
def test_more_sound_never_has_less_time(step, ms):
    less = budgets.of(step=step, size=1, decoded_ms=ms).seconds
    assert less <= budgets.of(step=step, size=1, decoded_ms=ms + 60_000).seconds
    assert less >= budgets.of(step=step, size=1, decoded_ms=ms).seconds


def test_the_longest_recording_is_the_operators_to_choose(settings):
    settings.STEP_MAX_HOURS = 1
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    (made,) = jobs.start(version=version, by=walks.editor(version))
    assert made.steps.get(name="decode").parameters == {"max_hours": 1}
    assert budgets.of(step="decode", size=2**40, decoded_ms=None).seconds < 1 * HOURS


# ---- where guards are missing ----------------------------------------------------------------


def guarded(landlock: int, *, namespaces: bool = False, seccomp: bool = False) -> Guards:
    return Guards(namespaces, landlock, seccomp)


@pytest.fixture
def bare(monkeypatch):
    """A kernel that has nothing to isolate a step with."""
    monkeypatch.setattr(children, "guards", lambda: guarded(0))


def test_nothing_is_processed_where_steps_can_not_be_isolated(run, bare, caplog):
    with pytest.raises(NotIsolatedError, match="STEP_ISOLATION"):
        jobs.execute()
    tasks.run_pipeline_task()
    tasks.run_pipeline_task()
    run.refresh_from_db()
    assert (run.state, run.attempts, run.error) == (PipelineRun.State.PENDING, 0, None)
    assert len(re.findall("Nothing is processed", caplog.text)) == 1
    caches["told"].clear()  # The window is over.
    tasks.run_pipeline_task()
    assert len(re.findall("Nothing is processed", caplog.text)) == 2


@pytest.mark.parametrize(
    ("found", "required", "says"),
    [
        (
            guarded(0, namespaces=True, seccomp=True),
            ["landlock", "seccomp"],
            "no Landlock. Use Linux 5.13",
        ),
        (guarded(2, namespaces=True), ["landlock", "seccomp"], "Install libseccomp2"),
        (guarded(7, seccomp=True), ["namespaces"], "user namespaces are forbidden"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(monkeypatch, settings, found, required, says):
    settings.STEP_ISOLATION = required
    monkeypatch.setattr(children, "guards", lambda: found)
    assert says in children.report()
    assert f"Here: {found}." in children.report()


def test_only_a_named_setting_starts_without_a_guard(bare, settings):
    settings.STEP_ISOLATION = []
    children.require_isolation()


def test_this_machine_isolates_steps_and_says_so():
    children.guards.cache_clear()
    assert re.fullmatch(
        r"Steps are isolated: namespaces (yes|no), Landlock \d+, seccomp yes\.", children.report()
    )


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("landlock,seccomp", ["landlock", "seccomp"]),
        ("none", []),
        (" namespaces , landlock", ["landlock", "namespaces"]),
    ],
)
def test_the_operator_names_the_guards_that_must_stand(named, found):
    assert read_guards(named) == found


@pytest.mark.parametrize("named", ["", "landlock,", "moat", "off"])
def test_a_guard_that_is_none_does_not_start(named):
    with pytest.raises(ImproperlyConfigured, match="STEP_ISOLATION names"):
        read_guards(named)


def test_a_probe_that_can_not_be_made_is_no_permission(monkeypatch, settings, tmp_path):
    children.guards.cache_clear()
    (tmp_path / "file").touch()
    settings.WORK_DIR = str(tmp_path / "file")
    with pytest.raises(children.ProbeFailed, match="File exists"):
        children.require_isolation()


def test_a_probe_that_fails_is_no_permission(monkeypatch):
    children.guards.cache_clear()
    monkeypatch.setattr(children, "PROBE", ("-c", "raise SystemExit('no such kernel')"))
    with pytest.raises(children.ProbeFailed, match="no such kernel"):
        children.require_isolation()
    assert "no such kernel" in children.report()
