"""Run one step: `python -m ingestion.steps job.json`.

Writes `result.json` into the job's workdir. Exit codes: 0 done, 3 the file is refused
(`{"error": {"code", "message"}}`), 2 the job file is wrong; anything else is a crash.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ingestion.steps import isolation
from ingestion.steps.contract import InvalidJobError, Job, JsonObject, RefusedError, Result

STEPS = ("decode", "vad", "text", "detect", "redact", "strip", "quality")

DONE, USAGE, REFUSED = 0, 2, 3


def read_job(path: Path) -> Job:
    """Read and check a job file. Raises InvalidJobError."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        message = f"The job file {path} can't be read: {error}."
        raise InvalidJobError(message) from error
    job = Job.from_json(document)
    if job.step not in STEPS:
        message = f"There is no step {job.step!r}; the steps are {', '.join(STEPS)}."
        raise InvalidJobError(message)
    return job


def run(job: Job) -> Result:
    """Run the job's step in this process. Raises RefusedError when the file is at fault."""
    # Only the step's own libraries are loaded: torch must not cost a decode its memory.
    module = importlib.import_module(f"ingestion.steps.{job.step}")
    step: Callable[[Job], Result] = module.run
    return step(job)


def write_result(workdir: Path, document: JsonObject) -> None:
    """Write result.json in one move, so that a reader never sees half of it."""
    unfinished = workdir / ".result.json"
    unfinished.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    unfinished.replace(workdir / "result.json")


def main(arguments: Sequence[str]) -> int:
    """Run the job file named by the one argument; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m ingestion.steps job.json\n")
        return USAGE
    try:
        job = read_job(Path(arguments[0]))
        job.workdir.mkdir(parents=True, exist_ok=True)
        isolation.limit(memory_mib=job.memory_mib)
        write_result(job.workdir, run(job).as_json())
    except RefusedError as refusal:
        error = {"code": refusal.reason, "message": refusal.message}
        write_result(job.workdir, {"error": error})
        return REFUSED
    except InvalidJobError as error:
        sys.stderr.write(f"{error.message}\n")
        return USAGE
    return DONE


if __name__ == "__main__":
    isolation.die_with_parent()
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Native libraries' exit handlers have nothing to save and can hang.
    os._exit(code)
