"""A task that leaves a trace, for workers that the broker tests start."""

import time
from pathlib import Path

from marketplace.celery import app


@app.task(name="tests.probe.leave_trace")
def leave_trace(trace: str, seconds: float) -> None:
    """Write that it began, work for a while, write that it ended."""
    with Path(trace).open("a") as file:
        file.write("began\n")
        file.flush()
        time.sleep(seconds)
        file.write("ended\n")
