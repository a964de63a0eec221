"""A step that was taken over gets nothing: each thing that it might try, tried.

The step is started by the pipeline as every other is (subprocesses.perform); only its program is
one of ours that attacks.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
from commonhold.errors import CommonholdError, Recorded
from django.conf import settings as configured

from ingestion.archive.storage import blob_store
from ingestion.models import Blob, PipelineRun, StepRun
from ingestion.pipeline import budgets, children, jobs, subprocesses
from tests import sealed, walks
from tests.ingestion.steps import hostile, sounds

pytestmark = pytest.mark.django_db

REFUSED = ("PermissionError",)
UNCOUNTED = ("hidden_memory", "hidden_file", "unlinked_file", "replaced_file")
ONE_SIGNAL = signal.SIGURG.value  # whose default is to do nothing, should it arrive


@pytest.fixture
def run(monkeypatch) -> PipelineRun:
    """A waiting run of one text, in whose place the hostile step works."""
    monkeypatch.setattr(children, "STEPS", (hostile.__file__,))
    monkeypatch.setattr(children, "POLL_SECONDS", 0.05)
    version = walks.draft(task="language-modeling")
    walks.upload(version, "notes.txt", b"The market opens at eight.")
    (made,) = jobs.start(version=version, by=walks.editor(version))
    held = jobs.claim(run_id=made.pk)
    assert held is not None
    return held


def attempt(run: PipelineRun, name: str, path: object = "", **parameters: object) -> str:
    """Let the step try this; return what it came to."""
    step = run.steps.get(name="text")
    step.name = "hostile"
    step.parameters = {"attempt": name, "path": str(path), **parameters}
    step.save(update_fields=["name", "parameters"])
    subprocesses.perform(step=step, run=run, heartbeat=partial(jobs.beat, run))
    step.refresh_from_db()
    return step.output["got"]


def crash(run: PipelineRun, name: str, path: object = "") -> str:
    """Let the step try this; return why nothing of it was kept."""
    with pytest.raises(subprocesses.StepCrashed) as caught:
        attempt(run, name, path)
    assert not StepRun.objects.filter(run=run, state=StepRun.State.DONE).exists()
    return caught.value.message


@pytest.mark.parametrize(
    "name",
    ["read", "write", "append", "empty", "truncate", "remove", "rename", "chmod", "touch",
     "link_out", "link_hard", "fifo"],
)  # fmt: skip
def test_a_step_never_opens_or_changes_a_file_that_is_not_its_own(run, secret, name):
    before = secret.stat()
    assert attempt(run, name, secret) in REFUSED
    after = secret.stat()
    assert secret.read_bytes() == b"kept"
    assert (after.st_mode, after.st_mtime_ns, after.st_nlink) == (
        before.st_mode, before.st_mtime_ns, before.st_nlink,
    )  # fmt: skip
    assert list(secret.parent.iterdir()) == [secret]


@pytest.mark.parametrize("name", ["manifest.pem", "log.pem", "secret_key"])
def test_a_step_never_reads_a_key(run, settings, name):
    key = Path(settings.KEY_DIR) / name
    key.write_text("private")
    assert attempt(run, "read", key) in REFUSED


UNGUARDED = """
import json, sys
from tests.ingestion.steps import hostile
tried = json.loads(sys.argv[1])
print(json.dumps({name: repr(getattr(hostile, name)(path)) for name, path in tried}))
"""


def test_the_attacks_succeed_where_nothing_guards(secret, tmp_path):
    """Otherwise a refusal might be a mistake in the attack."""
    with socket.create_server(("127.0.0.1", 0)) as site:
        tried = [
            ("read", str(secret)), ("append", str(secret)), ("empty", str(secret)),
            ("chmod", str(secret)), ("touch", str(secret)), ("listed", "/proc"),
            ("link_hard", str(secret)), ("link_out", str(secret)), ("fifo", str(secret)),
            ("connect_inet", f"127.0.0.1:{site.getsockname()[1]}"),
            ("shell", str(tmp_path / "ran")), ("signal_parent", "0"),
            ("slow_parent", ""), ("handle_on_parent", ""), ("outlive_parent", ""),
            ("namespaces", ""), ("remove", str(secret)), *((name, "1") for name in UNCOUNTED),
        ]  # fmt: skip
        between = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
        attacker = [sys.executable, "-c", UNGUARDED, json.dumps(tried)]
        done = subprocess.run(
            [sys.executable, "-c", between, *attacker],
            env=sounds.environment(), cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {name for name, _ in tried}
    assert (tmp_path / "ran").exists()
    assert not secret.exists()


def test_a_step_never_reads_another_recording(run):
    theirs = sealed.keep(b"somebody else's voice")
    with blob_store().local_path(theirs.pk) as path:
        assert attempt(run, "read", path) in REFUSED


@pytest.mark.parametrize("name", ["append", "empty", "truncate", "chmod", "remove"])
def test_a_step_never_changes_the_recording_that_it_reads(run, name):
    with blob_store().local_path(run.recording.blob_id) as path:
        assert attempt(run, name, path) in REFUSED
        assert path.read_bytes() == b"The market opens at eight."


@pytest.mark.parametrize("path", ["/", "/etc", "/proc", "/dev", "/home"])
def test_a_step_never_lists_what_there_is(run, path):
    assert attempt(run, "listed", path) in REFUSED


@pytest.mark.parametrize("name", ["BASE_DIR", "DATA_DIR", "BLOB_DIR", "WORK_DIR", "KEY_DIR"])
def test_a_step_never_lists_what_is_ours(run, settings, name):
    assert attempt(run, "listed", getattr(settings, name)) in REFUSED


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/passwd", "/proc/1/environ", "/dev/mem"])
def test_a_step_never_reads_what_the_machine_keeps(run, path):
    assert attempt(run, "read", path) in (*REFUSED, "FileNotFoundError")


@pytest.mark.parametrize("name", ["environ", "cmdline", "mem", "maps", "status"])
def test_a_step_never_looks_at_the_process_that_started_it(run, name):
    assert attempt(run, "read", f"/proc/{os.getpid()}/{name}") in REFUSED


@pytest.mark.parametrize("folder", ["DATA_DIR", "BLOB_DIR", "BASE_DIR", "/dev/shm", "/var/tmp"])  # noqa: S108
def test_a_step_never_writes_outside_its_folder(run, settings, folder):
    planted = Path(getattr(settings, folder, folder)) / f"planted-{os.getpid()}"
    assert attempt(run, "write", planted) in REFUSED
    assert not planted.exists()


def test_a_step_never_reaches_the_site(run):
    with socket.create_server(("127.0.0.1", 0)) as site:
        site.settimeout(0)
        assert attempt(run, "connect_inet", f"127.0.0.1:{site.getsockname()[1]}") in REFUSED
        with pytest.raises(BlockingIOError):
            site.accept()


def test_a_step_never_reaches_the_databases_socket(run, tmp_path):
    with socket.socket(socket.AF_UNIX) as database:
        database.bind(str(tmp_path / ".s.PGSQL.5432"))
        database.listen()
        assert attempt(run, "connect_unix", tmp_path / ".s.PGSQL.5432") in REFUSED


def test_a_step_never_asks_for_a_name(run):
    assert attempt(run, "look_up", "example.org") == "gaierror"


@pytest.mark.parametrize("name", ["shell", "execute"])
def test_a_step_never_starts_a_program(run, tmp_path, name):
    assert attempt(run, name, tmp_path / "ran") in REFUSED
    assert not (tmp_path / "ran").exists()


def test_a_step_never_leaves_a_process_behind(run, tmp_path):
    assert attempt(run, "fork", tmp_path / "later") in REFUSED
    # A child has its parent's command line, with the job: that of another test lies elsewhere.
    said = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert not [one for one in said if str(configured.WORK_DIR) in one]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("signal_parent", 0),
        ("signal_parent", ONE_SIGNAL),
        ("signal_thread", ONE_SIGNAL),
        ("owner_of_signals", ""),
        ("trace_parent", ""),
        ("read_memory", ""),
        ("limit_parent", ""),
        ("slow_parent", ""),
        ("handle_on_parent", ""),
    ],
)
def test_a_step_never_touches_the_process_that_started_it(run, name, path):
    assert attempt(run, name, path) in REFUSED


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("read", "{secret}"), ("write", "{secret}"), ("append", "{source}"), ("empty", "{source}"),
        ("truncate", "{source}"), ("chmod", "{source}"), ("link_hard", "{source}"),
        ("read", "/proc/{pid}/environ"), ("connect_inet", "127.0.0.1:9"),
        ("connect_unix", "{secret}"), ("fork", ""), ("shell", ""), ("signal_parent", "0"),
        ("signal_thread", "0"), ("owner_of_signals", ""), ("trace_parent", ""),
        ("limit_parent", ""), ("slow_parent", ""), ("namespaces", ""),
        *((name, "1") for name in UNCOUNTED),
    ],
)  # fmt: skip
def test_an_old_kernel_in_a_container_holds_as_well(run, secret, name, path):
    with blob_store().local_path(run.recording.blob_id) as source:
        target = path.format(secret=secret, source=source, pid=os.getpid())
        assert attempt(run, name, target, weaker=True) in REFUSED
        assert source.read_bytes() == b"The market opens at eight."
    assert secret.read_bytes() == b"kept"


@pytest.mark.parametrize("name", ["unguarded_kernel", "namespaces", "outlive_parent"])
def test_a_step_never_gets_out_by_a_rare_call(run, name):
    assert attempt(run, name) in REFUSED


def test_a_step_inherits_no_open_file(run):
    assert attempt(run, "descriptors") == "OSError"


def test_a_step_knows_no_secret_by_its_environment(run):
    known = attempt(run, "environment")
    assert "PATH" in known
    for name in ("SECRET_KEY", "DATABASE_URL", "CELERY_BROKER_URL", "DATA_DIR"):
        assert name not in known


def test_a_step_never_writes_one_huge_file(run, monkeypatch):
    monkeypatch.setattr(budgets, "FILE_MIB", 4)
    assert attempt(run, "big_file", 8) == "OSError"


def test_a_step_never_makes_files_without_end(run, monkeypatch):
    monkeypatch.setattr(children, "MOST_OUTPUTS", 100)
    assert "stopped with code -9" in crash(run, "many_files", 200)


def test_a_step_never_nests_folders_too_deep_to_be_cleared_up(run):
    assert attempt(run, "nest") in REFUSED
    assert list(Path(configured.WORK_DIR).iterdir()) == []


def test_a_step_never_fills_the_disk(run, settings):
    settings.STEP_DISK_MIB = 8
    assert "stopped with code -9" in crash(run, "fill_disk", 16)


def test_a_step_never_takes_all_memory(run, settings):
    settings.STEP_MEMORY_MIB = 512
    assert attempt(run, "memory", 600) == "MemoryError"


@pytest.mark.parametrize("name", UNCOUNTED)
def test_a_step_never_holds_memory_or_files_where_nobody_counts_them(run, name):
    assert attempt(run, name, 1) in REFUSED


def test_a_step_never_starts_threads_without_end(run, settings):
    settings.STEP_MEMORY_MIB = 2048
    assert attempt(run, "many_threads", 2000).startswith("'stopped at")


def test_a_step_never_opens_files_without_end(run):
    assert "Too many open files" in crash(run, "open_files", 300)


def test_a_step_never_computes_without_end(run, monkeypatch):
    monkeypatch.setattr(budgets, "BASE_SECONDS", 0)
    begun = time.monotonic()
    assert "stopped with code -" in crash(run, "spin")
    assert time.monotonic() - begun < 60


def test_a_step_never_hangs_without_end(run, monkeypatch):
    monkeypatch.setattr(budgets, "BASE_SECONDS", 0)
    assert "stopped with code -9" in crash(run, "hang")
    assert run.steps.get(name="hostile").state == StepRun.State.RUNNING  # until it is let go
    assert not [one for one in psutil.Process().children() if "hostile" in " ".join(one.cmdline())]


@pytest.mark.parametrize(
    "answer",
    [
        "{",
        "[]",
        "7",
        "{}",
        '{"output": {}, "files": []}',
        '{"output": [], "files": [], "tool": {"name": "a", "version": "1"}}',
        '{"output": {}, "files": {}, "tool": {"name": "a", "version": "1"}}',
        '{"output": {}, "files": [], "tool": {"name": "", "version": "1"}}',
        '{"output": {}, "files": [], "tool": {"name": "a", "version": "1"}, "more": 1}',
        '{"output": {"a": NaN}, "files": [], "tool": {"name": "a", "version": "1"}}',
        '{"output": {"a": "\\u0000"}, "files": [], "tool": {"name": "a", "version": "1"}}',
        '{"output": {"a": "\\ud800"}, "files": [], "tool": {"name": "a", "version": "1"}}',
        '{"output": {"a": 0.5}, "files": [], "tool": {"name": "a", "version": "1"}}',
        '{"output": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"error": {"code": "x", "sentence": {"text": "%(a)999999999s"}, "parameters": {"a": 1}}}',
        '{"error": {"code": "x", "sentence": {"text": "%(b)s"}, "parameters": {"a": "1"}}}',
        '{"error": {"code": 7, "sentence": "x", "parameters": {}}}',
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_never_believed(run, answer):
    blobs = Blob.objects.count()
    with pytest.raises(CommonholdError):
        attempt(run, "answer_with", answer)
    assert not StepRun.objects.filter(state=StepRun.State.DONE).exists()
    assert Blob.objects.count() == blobs


def test_what_a_step_prints_last_is_written_down_whatever_it_is(run):
    with pytest.raises(subprocesses.StepCrashed) as caught:
        attempt(run, "print_last", "x")
    jobs.give_up_or_release(run=run, error=caught.value)
    run.refresh_from_db()
    told = Recorded.of(run.error).message
    assert run.state == PipelineRun.State.PENDING
    assert told.isprintable()
    assert len(told) < 1000
