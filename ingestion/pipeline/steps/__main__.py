"""Run one step: `python -m ingestion.pipeline.steps job.json PARENT`.

PARENT is the process that asks: this one ends with it, also when that happens while it starts.

Writes `result.json` into the job's workdir. Exit codes: 0 done, 3 the file is refused
(`{"error": {"code", "message", "sentence", "parameters"}}`, what `CommonholdError.as_record`
writes, and the English), 2 the job is wrong (the same, where there is a workdir), 4 this machine
can't isolate the step, which did not begin; anything else is a crash.
"""

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from commonhold.sentences import _

from ingestion.pipeline.contract import InvalidJobError, Job, JsonObject, RefusedError, Result
from ingestion.pipeline.steps import isolation

STEPS = ("decode", "vad", "text", "detect", "redact", "strip", "quality")

DONE, USAGE, REFUSED, NOT_ISOLATED = 0, 2, 3, 4


def read_job(path: Path) -> Job:
    """Read and check a job file. Raises InvalidJobError."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        sentence = _("The job file %(path)s can't be read: %(fault)s.")
        raise InvalidJobError(sentence, path=str(path), fault=str(error)) from error
    job = Job.from_json(document)
    if job.step not in STEPS:
        sentence = _("There is no step '%(step)s'; the steps are %(steps)s.")
        raise InvalidJobError(sentence, step=job.step, steps=", ".join(STEPS))
    return job


def run(job: Job) -> Result:
    """Run the job's step in this process. Raises RefusedError when the file is at fault."""
    # Only the step's own libraries are loaded: torch must not cost a decode its memory.
    module = importlib.import_module(f"ingestion.pipeline.steps.{job.step}")
    step: Callable[[Job], Result] = module.run
    return step(job)


def write_result(workdir: Path, document: JsonObject) -> None:
    """Write result.json; whoever asked reads it when this process has ended."""
    text = json.dumps(document, ensure_ascii=False)
    (workdir / "result.json").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Run the job file named by the first argument; return the exit code."""
    if len(arguments) != 2 or not arguments[1].isdecimal():
        sys.stderr.write("usage: python -m ingestion.pipeline.steps job.json PARENT\n")
        return USAGE
    try:
        isolation.die_with(parent=int(arguments[1]))
        job = read_job(Path(arguments[0]))
        # The only folder: a step that is isolated makes none.
        (job.workdir / "clips").mkdir(parents=True, exist_ok=True)
        isolation.limit(
            memory_mib=job.memory_mib, cpu_seconds=job.cpu_seconds, file_mib=job.file_mib
        )
        isolation.enter(job)
        # Whoever looks for one makes a file and removes it, which a step may not.
        tempfile.tempdir = str(job.workdir)
        return attempt(job)
    except InvalidJobError as error:
        sys.stderr.write(f"{error.message}\n")
        return USAGE
    except isolation.NotIsolatedError as error:
        sys.stderr.write(f"{error.message}\n")
        return NOT_ISOLATED


def attempt(job: Job) -> int:
    """Run a job whose workdir is there; write down what came of it, and return the exit code."""
    try:
        write_result(job.workdir, run(job).as_json())
    except (RefusedError, InvalidJobError) as error:
        code = error.reason if isinstance(error, RefusedError) else error.code
        told = {**error.as_record(), "code": code, "message": error.message}
        write_result(job.workdir, {"error": told})
        if isinstance(error, InvalidJobError):
            raise
        return REFUSED
    return DONE


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Native libraries' exit handlers have nothing to save and can hang.
    os._exit(code)
