"""The process that runs one step: its verdicts, its limits, and what it knows nothing of."""

import json
import os
import select
import signal
import stat
import subprocess
import sys

import pytest
from commonhold.errors import Recorded
from commonhold.sentences import Sentence

from tests.ingestion.steps import sounds

DONE, USAGE, REFUSED, NOT_ISOLATED = 0, 2, 3, 4
PARENT = """
import os, subprocess, sys, time
step = [sys.executable, "-m", "ingestion.pipeline.steps", sys.argv[1], str(os.getpid())]
child = subprocess.Popen(step)
time.sleep(60)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "0123abcd"
    path.write_bytes(sounds.sample())
    return path


@pytest.fixture
def decode(tmp_path, source):
    """A job that decodes a sound recording."""
    return {
        "step": "decode",
        "source": str(source),
        "name": "interview.wav",
        "workdir": str(tmp_path / "out"),
    }


def test_a_step_leaves_its_result_and_its_files_for_nobody_else_to_read(decode, tmp_path):
    code, result, stderr = sounds.child(decode)
    assert code == DONE, stderr
    assert result["files"] == ["analysis.flac"]
    assert result["output"]["duration_ms"] == 1500
    assert result["tool"]["name"] == "ffmpeg"
    for name in ("result.json", "analysis.flac"):
        assert stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) & 0o077 == 0


def test_a_refusal_is_exit_3_with_a_code_and_the_contributors_file_name(decode, source):
    source.write_bytes(sounds.sample()[:1000])
    code, result, _ = sounds.child(decode)
    assert code == REFUSED
    assert set(result) == {"error"}
    assert result["error"]["code"] == "truncated"
    assert "«interview.wav»" in result["error"]["message"]


def test_a_crash_is_neither_done_nor_refused_and_leaves_no_result(decode, source):
    source.unlink()
    code, result, stderr = sounds.child(decode)
    assert code not in {DONE, USAGE, REFUSED}
    assert result is None
    assert "FileNotFoundError" in stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"step": "publish"}, "There is no step 'publish'"),
        ({"step": "vad"}, "The vad step needs the output of the decode step."),
    ],
)
def test_a_wrong_job_is_the_callers_mistake_not_the_files(decode, change, complaint):
    code, result, stderr = sounds.child(decode | change)
    assert code == USAGE
    assert "output" not in (result or {})
    assert complaint in stderr


def test_a_refusal_leaves_the_child_as_a_sentence_with_its_parameters(decode):
    _, result, _ = sounds.child(decode | {"name": "interview.mp3"})
    told = Recorded.of(result["error"])
    assert told.details["path"] == "interview.mp3"
    assert isinstance(told.details["found"], Sentence)
    assert told.message == result["error"]["message"]


def test_a_job_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "job.json").write_text("{")
    done = sounds.run_step(tmp_path / "job.json")
    assert done.returncode == USAGE
    assert "job.json can't be read" in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["job.json"], ["job.json", "me"], ["job.json", "1", "2"]]
)
def test_a_step_must_be_told_who_asks(arguments):
    done = sounds.run_python("-m", "ingestion.pipeline.steps", *arguments)
    assert done.returncode == USAGE
    assert done.stderr.startswith("usage:")


def test_a_step_knows_no_django_no_database_and_no_network_library(decode, tmp_path):
    path = tmp_path / "job.json"
    path.write_text(json.dumps(decode))
    (tmp_path / "out").mkdir()
    program = """
import importlib, sys
from ingestion.pipeline.steps.__main__ import STEPS, main
assert main(sys.argv[1:]) == 0
for step in STEPS:
    importlib.import_module(f"ingestion.pipeline.steps.{step}")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = sounds.run_python("-c", program, str(path), str(os.getpid()))
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert {"av", "numpy", "pocketsphinx"} <= loaded
    assert not loaded & {
        "django", "rest_framework", "celery", "psycopg", "boto3", "httpx", "requests",
        "accounts", "licensing", "marketplace", "whisper", "torch",
    }  # fmt: skip


def test_a_step_dies_with_the_process_that_started_it(tmp_path):
    # The job file is a pipe: opening it waits until the child reads, so the child surely lives.
    job = tmp_path / "job.json"
    os.mkfifo(job)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(job)], env=sounds.environment())
    with job.open("wb", buffering=0) as pipe:
        watch = select.poll()
        watch.register(pipe, 0)  # POLLERR: nobody reads any more
        assert watch.poll(200) == []
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=10)
        assert watch.poll(10_000), "the step outlived its parent"


def test_a_step_whose_parent_is_gone_before_it_asks_does_not_begin(decode, tmp_path):
    (tmp_path / "job.json").write_text(json.dumps(decode))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    done = sounds.run_step(tmp_path / "job.json", parent=ended.pid)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()


def test_a_step_that_needs_more_memory_than_it_may_have_crashes(decode):
    code, result, _ = sounds.child(decode | {"memory_mib": 48})
    assert code not in {DONE, USAGE, REFUSED}
    assert result is None


def test_the_memory_limit_holds_to_the_megabyte():
    program = """
import resource
from ingestion.pipeline.steps import isolation
isolation.limit(memory_mib=512)
assert resource.getrlimit(resource.RLIMIT_AS) == (512 * 2**20, 512 * 2**20)
assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
kept = bytearray(300 * 2**20)
try:
    bytearray(300 * 2**20)
except MemoryError:
    print("held")
"""
    done = sounds.run_python("-c", program)
    assert done.stdout == "held\n", done.stderr


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("landlock.version = lambda: 0", "no Landlock"),
        ("seccomp.LIBRARY = 'libnothing.so'", "Install libseccomp2"),
    ],
)
def test_a_step_never_begins_without_its_guards(decode, tmp_path, missing, says):
    (tmp_path / "job.json").write_text(json.dumps(decode))
    program = f"""
import os, sys
from ingestion.pipeline.steps import __main__ as runner, landlock, seccomp
{missing}
sys.exit(runner.main([sys.argv[1], str(os.getppid())]))
"""
    done = sounds.run_python("-c", program, str(tmp_path / "job.json"))
    assert done.returncode == NOT_ISOLATED, done.stderr
    assert says in done.stderr
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_step_begins_without_a_guard_that_nobody_asks_for(decode, tmp_path):
    code, result, stderr = sounds.child(decode | {"isolation": []})
    assert code == DONE, stderr
    assert result["files"] == ["analysis.flac"]
