"""One step in a child process: its inputs laid out as files, its outputs kept as blobs.

The child is given no database and no address of one. If it is killed, or kills itself over its
memory limit, nothing is kept; if this process dies, the child dies with it
(ingestion.pipeline.steps.isolation).
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
from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import Filled, _
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ingestion.archive.storage import blob_store
from ingestion.models import Blob, PipelineRun, Recording, StepRun

REFUSED = 3
POLL_SECONDS = 2
BASE_TIMEOUT_SECONDS = 30 * 60
SECONDS_PER_AUDIO_SECOND = 5
PASSED_ON = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
STALE = ("redact", "strip", "quality")
"""What an intake made of these is no input of a final run: it makes them anew."""


class StepRefused(CommonholdError):
    """The file can't go through this step: trying again gives the same answer."""

    code = "step-refused"
    status = 422


class StepCrashed(CommonholdError):
    """The step died without a verdict; it may work another time."""

    code = "step-crashed"
    status = 500


class ClaimLost(CommonholdError):
    """Somebody else holds the run by now: whatever this process did of it is thrown away."""

    code = "claim-lost"
    status = 409


def perform(*, step: StepRun, run: PipelineRun, heartbeat: Callable[[], None]) -> None:
    """Run a step of a run that the caller holds, and record it.

    Raises StepRefused (the step is failed), StepCrashed, ClaimLost.
    """
    work = Path(settings.WORK_DIR)
    work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work)))
        job, input_sha256 = lay_out(step=step, run=run, workdir=workdir, stack=stack)
        note(
            step,
            run,
            state=StepRun.State.RUNNING,
            input_sha256=input_sha256,
            started_at=timezone.now(),
            error="",
        )
        result = run_child(step=step, run=run, job=job, workdir=workdir, heartbeat=heartbeat)
        keep(step=step, run=run, result=result, workdir=workdir)


def note(step: StepRun, run: PipelineRun, **facts: object) -> None:
    """Write facts on a step while the run is held. Raises ClaimLost."""
    mine = StepRun.objects.filter(
        pk=step.pk,
        run__claim=run.claim,
        run__state=PipelineRun.State.RUNNING,
        run__superseded_at__isnull=True,
    )
    if not mine.update(**facts):
        raise ClaimLost(_("Another worker has taken this run over."))


def lay_out(
    *, step: StepRun, run: PipelineRun, workdir: Path, stack: ExitStack
) -> tuple[Path, str]:
    """Write the job file; return it with the digest of all that the step will read."""
    recording, store = run.recording, blob_store()
    earlier = earlier_steps(step=step, run=run)
    parameters = {**step.parameters, **inputs_of(step=step, run=run, earlier=earlier)}
    transcript = recording.transcript

    def local(sha256: str | None) -> str:
        return str(stack.enter_context(store.local_path(sha256 or "")))

    job: dict[str, Any] = {
        "step": step.name,
        "source": local(recording.blob_id),
        "name": recording.name,
        "transcript": local(transcript.blob_id) if transcript else None,
        "transcript_name": transcript.name if transcript else "",
        "media_type": recording.media_type,
        "language": recording.spoken,
        "workdir": str(workdir / "out"),
        "inputs": {name: done.output for name, done in earlier.items()},
        "input_files": {
            name: {relative: local(kept["sha256"]) for relative, kept in done.files.items()}
            for name, done in earlier.items()
        },
        "parameters": parameters,
        "memory_mib": settings.STEP_MEMORY_MIB,
    }
    path = workdir / "job.json"
    path.write_text(json.dumps(job))
    digest = canonical.digest(
        {
            "source": recording.blob_id,
            "transcript": transcript.blob_id if transcript else None,
            "language": job["language"],
            "inputs": {name: done.output_sha256 for name, done in earlier.items()},
            "parameters": parameters,
        }
    )
    return path, digest


def earlier_steps(*, step: StepRun, run: PipelineRun) -> dict[str, StepRun]:
    """Return what was done before, the newest of each name: the intake's steps, then this run's."""
    found: dict[str, StepRun] = {}
    if run.after is not None:
        intake = run.after.steps.filter(state=StepRun.State.DONE).exclude(name__in=STALE)
        found = {one.name: one for one in intake}
    found |= {one.name: one for one in run.steps.filter(state=StepRun.State.DONE)}
    return {name: one for name, one in found.items() if name != step.name}


def inputs_of(*, step: StepRun, run: PipelineRun, earlier: dict[str, StepRun]) -> dict[str, Any]:
    """Return what a step is told beside its recipe: what to redact, which words to count.

    Before review everything that was found is redacted; afterwards what a person confirmed.
    """
    if run.phase == PipelineRun.Phase.FINAL:
        wanted = {"redact": ("segments", "decisions", "excluded"), "quality": ("segments",)}
        return {name: run.inputs[name] for name in wanted.get(step.name, ())}
    if step.name != "redact":
        return {}
    text, detected = earlier["text"].output or {}, earlier["detect"].output or {}
    keys = ("segment", "kind", "start_char", "end_char")
    return {
        "segments": text["segments"],
        "decisions": [{key: row[key] for key in keys} for row in detected["findings"]],
        "excluded": [],
    }


def run_child(
    *,
    step: StepRun,
    run: PipelineRun,
    job: Path,
    workdir: Path,
    heartbeat: Callable[[], None],
) -> dict[str, Any]:
    """Start the child, keep the claim alive while it works, and read its result."""
    duration_ms = run.recording.duration_ms or 0
    deadline = (
        time.monotonic() + BASE_TIMEOUT_SECONDS + duration_ms / 1000 * SECONDS_PER_AUDIO_SECOND
    )
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": str(settings.BASE_DIR), "OMP_NUM_THREADS": "1"}
    errors = workdir / "stderr"
    with errors.open("wb") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-m", "ingestion.pipeline.steps", str(job), str(os.getpid())],
            env=environment,
            cwd=workdir,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        code = wait(child=child, deadline=deadline, heartbeat=heartbeat)
    result_path = workdir / "out" / "result.json"
    result: dict[str, Any] = json.loads(result_path.read_bytes()) if result_path.exists() else {}
    if code not in {0, REFUSED} or not result:
        sentence = _("The step %(step)s stopped with code %(exit_code)s. %(last)s")
        last = last_words(result, errors)
        raise StepCrashed(sentence, step=step.name, exit_code=code, last=last)
    if code == REFUSED:
        refused = Recorded.of(result["error"])
        note(step, run, state=StepRun.State.FAILED, error=refused.message, ended_at=timezone.now())
        raise StepRefused(refused.sentence, **refused.details)
    return result


def last_words(result: dict[str, Any], errors: Path) -> str:
    """Return why a step stopped: what it wrote down, or else the last line that it printed."""
    if "error" in result:
        why = Recorded.of(result["error"])
        return Filled(why.sentence, why.details)
    return "".join(errors.read_text(errors="replace").strip().splitlines()[-1:])


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


def keep(*, step: StepRun, run: PipelineRun, result: dict[str, Any], workdir: Path) -> None:
    """Store the output files and finish the step's record, if the run is still held."""
    store = blob_store()
    files: dict[str, dict[str, Any]] = {}
    for name in result["files"]:
        sha256, size = store.put(workdir / "out" / name)
        files[name] = {"sha256": sha256, "size": size}
    blobs = [Blob(sha256=one["sha256"], size=one["size"]) for one in files.values()]
    with transaction.atomic():
        Blob.objects.bulk_create(blobs, ignore_conflicts=True)
        note(
            step,
            run,
            state=StepRun.State.DONE,
            output=result["output"],
            files=files,
            output_sha256=canonical.digest({"output": result["output"], "files": files}),
            tool=result["tool"]["name"],
            tool_version=result["tool"]["version"],
            model_sha256=result["tool"].get("model_sha256") or "",
            ended_at=timezone.now(),
        )
        if step.name == "decode":
            duration_ms = result["output"]["duration_ms"]
            Recording.objects.filter(pk=run.recording_id).update(duration_ms=duration_ms)
            run.recording.duration_ms = duration_ms
