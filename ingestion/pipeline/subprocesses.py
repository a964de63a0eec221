"""One step in a child process: its inputs laid out as files, its outputs kept as blobs.

If the child is killed, or kills itself over its limits, nothing is kept; if this process dies, the
child dies with it (ingestion.pipeline.children).
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from commonhold import canonical
from commonhold.errors import CommonholdError, Recorded
from commonhold.sentences import Filled, _
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from ingestion.archive import blobs
from ingestion.archive.storage import blob_store
from ingestion.models import PipelineRun, Recording, StepRun
from ingestion.pipeline import answers, budgets, children
from ingestion.pipeline.budgets import Budget

REFUSED = 3
STALE = ("redact", "strip", "quality")
"""What an intake made of these is no input of a final run: it makes them anew."""
KEPT_AT_ONCE = 50
"""Files whose bytes are placed in one transaction: inside it nobody sees the heart beat."""


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
        beat = steadily(heartbeat, workdir=workdir)
        earlier = earlier_steps(step=step, run=run)
        budget = budget_of(step=step, run=run, earlier=earlier)
        job, input_sha256 = lay_out(
            step=step,
            run=run,
            earlier=earlier,
            budget=budget,
            workdir=workdir,
            stack=stack,
            heartbeat=beat,
        )
        note(
            step,
            run,
            state=StepRun.State.RUNNING,
            input_sha256=input_sha256,
            started_at=timezone.now(),
            error="",
        )
        result = run_child(
            step=step, run=run, job=job, workdir=workdir, budget=budget, heartbeat=beat
        )
        keep(step=step, run=run, result=result, workdir=workdir, heartbeat=beat)


def steadily(heartbeat: Callable[[], None], *, workdir: Path) -> Callable[[], None]:
    """Return what may be called for each of thousands of files: it beats every few seconds.

    The step's folder is dated each time, because whoever tidies up takes an old one for left over.
    """
    last = 0.0

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= children.POLL_SECONDS:
            heartbeat()
            os.utime(workdir)
            last = time.monotonic()

    return beat


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
    *,
    step: StepRun,
    run: PipelineRun,
    earlier: dict[str, StepRun],
    budget: Budget,
    workdir: Path,
    stack: ExitStack,
    heartbeat: Callable[[], None],
) -> tuple[Path, str]:
    """Write the job file; return it with the digest of all that the step will read."""
    recording = run.recording
    parameters = {**step.parameters, **inputs_of(step=step, run=run, earlier=earlier)}
    transcript = recording.transcript

    def local(sha256: str | None) -> str:
        heartbeat()
        return str(stack.enter_context(blobs.local(sha256 or "")))

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
        **bounds(budget),
    }
    path = workdir / "job.json"
    path.write_text(json.dumps(job))
    return path, read_by(job, run=run, earlier=earlier)


def bounds(budget: Budget) -> dict[str, Any]:
    """Return what a job file says of the step's limits and of what stands around it."""
    return {
        "memory_mib": budget.memory_mib,
        "file_mib": budget.file_mib,
        "cpu_seconds": budget.seconds,
        "devices": settings.STEP_DEVICES,
        "isolation": settings.STEP_ISOLATION,
    }


def read_by(job: dict[str, Any], *, run: PipelineRun, earlier: dict[str, StepRun]) -> str:
    """Return the digest of all that a step reads."""
    transcript = run.recording.transcript
    return canonical.digest(
        {
            "source": run.recording.blob_id,
            "transcript": transcript.blob_id if transcript else None,
            "language": job["language"],
            "inputs": {name: done.output_sha256 for name, done in earlier.items()},
            "parameters": job["parameters"],
        }
    )


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
        wanted = {
            "redact": ("segments", "decisions", "excluded", "unwritten"),
            "quality": ("segments",),
        }
        return {name: run.inputs[name] for name in wanted.get(step.name, ()) if name in run.inputs}
    if step.name != "redact":
        return {}
    text, detected = earlier["text"].output or {}, earlier["detect"].output or {}
    keys = ("segment", "kind", "start_char", "end_char")
    return {
        "segments": text["segments"],
        "decisions": [{key: row[key] for key in keys} for row in detected["findings"]],
        "excluded": [],
    }


def budget_of(*, step: StepRun, run: PipelineRun, earlier: dict[str, StepRun]) -> Budget:
    """Return what a step may take, from the bytes that it reads and what was decoded of them."""
    recording = run.recording
    read = (recording.blob, recording.transcript.blob if recording.transcript else None)
    size = sum(blob.size for blob in read if blob is not None)
    decoded = (earlier["decode"].output or {})["duration_ms"] if "decode" in earlier else None
    return budgets.of(step=step.name, size=size, decoded_ms=decoded)


def run_child(
    *,
    step: StepRun,
    run: PipelineRun,
    job: Path,
    workdir: Path,
    budget: Budget,
    heartbeat: Callable[[], None],
) -> dict[str, Any]:
    """Start the child, keep the claim alive while it works, and read its result."""
    errors, out = workdir / "stderr", workdir / "out"
    with errors.open("wb") as stderr:
        child = children.start(
            children.STEPS, str(job), workdir=workdir, stdout=subprocess.DEVNULL, stderr=stderr
        )
        code = children.wait(child, budget=budget, folder=out, heartbeat=heartbeat)
    try:
        result = answers.read(out)
    except answers.AnswerRefused as error:
        note_killed(step, run, exit_code=code, why=error.code)
        raise StepCrashed(error.sentence, **error.details) from error
    if code not in {0, REFUSED} or not result or ("error" in result) != (code == REFUSED):
        sentence = _("The step %(step)s stopped with code %(exit_code)s. %(last)s")
        last = last_words(result, errors)
        if code < 0:
            note_killed(step, run, exit_code=code, why=signal.Signals(-code).name)
        raise StepCrashed(sentence, step=step.name, exit_code=code, last=last)
    if code == REFUSED:
        refused = Recorded.of(result["error"])
        note(step, run, state=StepRun.State.FAILED, error=refused.message, ended_at=timezone.now())
        raise StepRefused(refused.sentence, **refused.details)
    return result


def note_killed(step: StepRun, run: PipelineRun, *, exit_code: int, why: str) -> None:
    """Write down that a step ended by a signal, or that its answer was none: it broke a rule."""
    audit.note(
        by=audit.SITE,
        verb="step.killed",
        about=(run, run.recording),
        step=step.name,
        exit_code=exit_code,
        code=why,
    )


def last_words(result: dict[str, Any], errors: Path) -> str:
    """Return why a step stopped: what it wrote down, or else the last line that it printed."""
    if "error" in result:
        why = Recorded.of(result["error"])
        return Filled(why.sentence, why.details)
    return children.last_line(errors)


def keep(
    *,
    step: StepRun,
    run: PipelineRun,
    result: dict[str, Any],
    workdir: Path,
    heartbeat: Callable[[], None],
) -> None:
    """Store the output files and finish the step's record, if the run is still held.

    Bytes that were kept for a record which is not finished are swept after a day.
    """
    names, files = result["files"], dict[str, dict[str, Any]]()
    for first in range(0, len(names), KEPT_AT_ONCE):
        some = names[first : first + KEPT_AT_ONCE]
        files |= keep_files(workdir / "out", some, heartbeat=heartbeat)
    with transaction.atomic():
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


def keep_files(
    folder: Path, names: Sequence[str], *, heartbeat: Callable[[], None]
) -> dict[str, dict[str, Any]]:
    """Keep a few files; return what the step's record says of them."""
    store, staged = blob_store(), {}
    with ExitStack() as stack:
        for name in names:
            heartbeat()
            staged[name] = stack.enter_context(store.put(folder / name))
        blobs.keep_all(staged=staged.values())
    return {name: {"sha256": one.sha256, "size": one.size} for name, one in staged.items()}
