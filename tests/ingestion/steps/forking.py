"""Run many job files, each in a process of its own, forked after the libraries are loaded.

`python tests/ingestion/steps/forking.py seconds job.json…` prints one `exit-code path` per job; a
job that takes longer than `seconds` is killed and prints `hung`.
"""

import os
import select
import signal
import sys
from collections.abc import Sequence

from ingestion.steps import __main__ as runner
from ingestion.steps import decode, isolation

LOADED = (decode,)


def exit_of(path: str, seconds: float) -> str:
    """Run one job in a child; return its exit code, `signal N` or `hung`."""
    child = os.fork()
    if child == 0:
        isolation.die_with_parent()
        code = 70
        try:
            code = runner.main([path])
        finally:
            os._exit(code)
    watched = os.pidfd_open(child)
    ready, _, _ = select.select([watched], [], [], seconds)
    os.close(watched)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not ready:
        return "hung"
    return (
        f"signal-{os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else str(os.WEXITSTATUS(status))
    )


def main(arguments: Sequence[str]) -> None:
    """Run the jobs named by the arguments one after another."""
    seconds, *paths = arguments
    for path in paths:
        sys.stdout.write(f"{exit_of(path, float(seconds))} {path}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
