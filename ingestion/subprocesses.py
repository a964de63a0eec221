"""One step in a child process: its inputs laid out as files, its outputs kept as blobs.

The child knows no database and no network. If it is killed, or kills itself over its memory limit,
nothing is kept; if this process dies, the child dies with it (ingestion.steps.isolation).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from commonhold import canonical
from commonhold.errors import CommonholdError
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ingestion.findings import review_parameters
from ingestion.models import Blob, PipelineRun, StepRun
from ingestion.storage import blob_store

REFUSED = 3
POLL_SECONDS = 2
BASE_TIMEOUT_SECONDS = 30 * 60
SECONDS_PER_AUDIO_SECOND = 5
PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


class StepRefused(CommonholdError):
    """The file can't go through this step: trying again gives the same answer."""

    code = "step-refused"
    status = 422


class StepCrashed(CommonholdError):
    """The step died without a verdict; it may work another time."""

    code = "step-crashed"
    status = 500


def perform(*, step: StepRun, heartbeat: Callable[[], None]) -> None:
    """Run a step and record it. Raises StepRefused (the step is failed) or StepCrashed."""
    work = Path(settings.WORK_DIR)
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        job, input_sha256 = lay_out(step=step, workdir=workdir, stack=stack)
        StepRun.objects.filter(pk=step.pk).update(
            state=StepRun.State.RUNNING,
            input_sha256=input_sha256,
            started_at=timezone.now(),
            error="",
        )
        result = run_child(step=step, job=job, workdir=workdir, heartbeat=heartbeat)
        keep(step=step, result=result, workdir=workdir)


def lay_out(*, step: StepRun, workdir: Path, stack: ExitStack) -> tuple[Path, str]:
    """Write the job file; return it with the digest of all that the step will read."""
    file = step.run.file
    store = blob_store()
    earlier = earlier_steps(step=step)
    parameters = {**step.parameters, **review_parameters(step=step, earlier=earlier)}
    transcript = file.transcript
    job: dict[str, Any] = {
        "step": step.name,
        "source": str(stack.enter_context(store.local_path(file.blob_id))),
        "name": file.path,
        "transcript": str(stack.enter_context(store.local_path(transcript.blob_id)))
        if transcript
        else None,
        "transcript_name": transcript.path if transcript else "",
        "media_type": file.media_type,
        "language": file.version.dataset.language,
        "workdir": str(workdir / "out"),
        "inputs": {name: done.output for name, done in earlier.items()},
        "input_files": {
            name: {
                relative: str(stack.enter_context(store.local_path(kept["sha256"])))
                for relative, kept in done.files.items()
            }
            for name, done in earlier.items()
        },
        "parameters": parameters,
        "memory_mib": settings.STEP_MEMORY_MIB,
    }
    path = workdir / "job.json"
    path.write_text(json.dumps(job))
    digest = canonical.digest(
        {
            "source": file.blob_id,
            "transcript": transcript.blob_id if transcript else None,
            "language": job["language"],
            "inputs": {name: done.output_sha256 for name, done in earlier.items()},
            "parameters": parameters,
        }
    )
    return path, digest


def earlier_steps(*, step: StepRun) -> dict[str, StepRun]:
    """Return what was done to the file before, the newest of each name: intake, then this run."""
    done = StepRun.objects.filter(run__file=step.run.file, state=StepRun.State.DONE)
    found = {one.name: one for one in done.filter(run__phase=PipelineRun.Phase.INTAKE)}
    if step.run.phase == PipelineRun.Phase.FINAL:
        for stale in ("redact", "strip", "quality"):
            found.pop(stale, None)
        found |= {one.name: one for one in done.filter(run=step.run)}
    return {name: one for name, one in found.items() if name != step.name}


def run_child(
    *, step: StepRun, job: Path, workdir: Path, heartbeat: Callable[[], None]
) -> dict[str, Any]:
    """Start the child, keep the claim alive while it works, and read its result."""
    duration_ms = step.run.file.duration_ms or 0
    deadline = (
        time.monotonic() + BASE_TIMEOUT_SECONDS + duration_ms / 1000 * SECONDS_PER_AUDIO_SECOND
    )
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": str(settings.BASE_DIR), "OMP_NUM_THREADS": "1"}
    errors = workdir / "stderr"
    with errors.open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", "ingestion.steps", str(job)],
            env=environment,
            cwd=workdir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        code = wait(child=child, deadline=deadline, heartbeat=heartbeat)
    result_path = workdir / "out" / "result.json"
    if code not in {0, REFUSED} or not result_path.exists():
        last = errors.read_text(errors="replace").strip().splitlines()[-1:]
        message = f"The step {step.name} stopped with code {code}. {''.join(last)}".strip()
        raise StepCrashed(message, exit_code=code)
    result: dict[str, Any] = json.loads(result_path.read_bytes())
    if code == REFUSED:
        message = result["error"]["message"]
        StepRun.objects.filter(pk=step.pk).update(
            state=StepRun.State.FAILED, error=message, ended_at=timezone.now()
        )
        raise StepRefused(message, reason=result["error"]["code"])
    return result


def wait(
    *, child: "subprocess.Popen[bytes]", deadline: float, heartbeat: Callable[[], None]
) -> int:
    """Wait for the child, renewing the claim; kill it at the deadline. Returns its exit code."""
    try:
        while True:
            try:
                return child.wait(timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                heartbeat()
                if time.monotonic() > deadline:
                    child.kill()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def keep(*, step: StepRun, result: dict[str, Any], workdir: Path) -> None:
    """Store the output files and finish the step's record."""
    store = blob_store()
    files: dict[str, dict[str, Any]] = {}
    for name in result["files"]:
        sha256, size = store.put(workdir / "out" / name)
        files[name] = {"sha256": sha256, "size": size}
    blobs = [Blob(sha256=one["sha256"], size=one["size"]) for one in files.values()]
    step.state = StepRun.State.DONE
    step.output, step.files = result["output"], files
    step.output_sha256 = canonical.digest({"output": result["output"], "files": files})
    step.tool, step.tool_version = result["tool"]["name"], result["tool"]["version"]
    step.model_sha256 = result["tool"].get("model_sha256") or ""
    step.ended_at = timezone.now()
    with transaction.atomic():
        Blob.objects.bulk_create(blobs, ignore_conflicts=True)
        step.save(
            update_fields=[
                "state", "output", "files", "output_sha256",
                "tool", "tool_version", "model_sha256", "ended_at",
            ]
        )  # fmt: skip
        if step.name == "decode":
            step.run.file.duration_ms = result["output"]["duration_ms"]
            step.run.file.save(update_fields=["duration_ms"])
