"""The processes in which strangers' bytes are read: how one is started, watched and ended.

A child is given a folder, one job file and an environment of its own: no secret, no database, no
open file. It isolates itself before it reads anything (ingestion.pipeline.steps.isolation).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.conf import settings

from ingestion.pipeline.budgets import MOST_OUTPUTS, Budget
from ingestion.pipeline.steps import isolation
from ingestion.pipeline.steps.isolation import Guards, NotIsolatedError

POLL_SECONDS = 2
PROBE_SECONDS = 60
PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH")
STEPS, PROBE = ("-m", "ingestion.pipeline.steps"), ("-m", "ingestion.pipeline.steps.probe")
MIB = 1024 * 1024
LONGEST_LINE = 500
UNKNOWN = _("Nothing is processed, because isolating a step fails: %(last)s")


class ProbeFailed(CommonholdError):
    """Whether steps can be isolated could not be found out, so none is run."""

    code = "step-isolation-unknown"
    status = 503


def start(
    program: Sequence[str], *arguments: str, workdir: Path, stdout: BinaryIO | int, stderr: BinaryIO
) -> "subprocess.Popen[bytes]":
    """Start Python on a program of ours, which is told whose child it is by its last argument."""
    out = workdir / "out"
    out.mkdir(mode=0o700, exist_ok=True)
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "HOME": str(out),
        "TMPDIR": str(out),
    }
    return subprocess.Popen(
        [sys.executable, "-P", *program, *arguments, str(os.getpid())],
        env=environment,
        cwd=out,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def wait(
    child: "subprocess.Popen[bytes]",
    *,
    budget: Budget,
    folder: Path,
    heartbeat: Callable[[], None],
) -> int:
    """Wait for a child; kill it when it takes more than its budget. Returns its exit code."""
    deadline = time.monotonic() + budget.seconds
    try:
        while True:
            try:
                return child.wait(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                heartbeat()
                if time.monotonic() > deadline or is_overfull(folder, disk_mib=budget.disk_mib):
                    child.kill()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def is_overfull(folder: Path, *, disk_mib: int) -> bool:
    """Tell whether there are more files in a folder than anybody wants, or more in them."""
    number = taken = 0
    for parent, folders, files in os.walk(folder):
        number += len(folders) + len(files)
        if number > MOST_OUTPUTS:
            return True
        taken += sum(size_of(Path(parent) / name) for name in files)
    return taken > disk_mib * MIB


def size_of(path: Path) -> int:
    """Return how much room a file takes; nothing once it is gone."""
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0


@cache
def guards() -> Guards:
    """Find out, once, what this machine puts around a step, by isolating a real child.

    Raises ProbeFailed.
    """
    work = Path(settings.WORK_DIR)
    try:
        work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            return probed(Path(folder))
    except OSError as error:
        raise ProbeFailed(UNKNOWN, last=str(error)) from error


def probed(workdir: Path) -> Guards:
    """Run the probe as a step is run, and read what it found. Raises ProbeFailed, OSError."""
    answer, errors = workdir / "answer", workdir / "stderr"
    with answer.open("wb") as stdout, errors.open("wb") as stderr:
        child = start(PROBE, workdir=workdir, stdout=stdout, stderr=stderr)
        budget, out = Budget(PROBE_SECONDS, 0, 1, 1), workdir / "out"
        code = wait(child, budget=budget, folder=out, heartbeat=lambda: None)
    if code != 0:
        raise ProbeFailed(UNKNOWN, last=last_line(errors))
    return Guards(**json.loads(answer.read_bytes()))


def require_isolation() -> None:
    """Raise NotIsolatedError or ProbeFailed unless all that STEP_ISOLATION names stands."""
    isolation.require(guards(), required=settings.STEP_ISOLATION)


def report() -> str:
    """Say in one line what stands around steps here, and what to do when too little does."""
    try:
        require_isolation()
    except ProbeFailed as error:
        return error.message
    except NotIsolatedError as error:
        return f"{error.message} Here: {guards()}."
    return f"Steps are isolated: {guards()}."


def last_line(path: Path) -> str:
    """Return the last line that a child printed, or the end of it where it is long.

    A stranger may have written it: what is no letter to see (a NUL, an escape) is a blank.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_LINE))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return "".join(one if one.isprintable() else " " for one in lines[-1]) if lines else ""
