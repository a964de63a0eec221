"""Try out what isolates a step: `python -m ingestion.pipeline.steps.probe PARENT`.

Raises every guard that the kernel has, as a step does, then tries what each forbids, and writes
`{"namespaces", "landlock", "seccomp"}` to standard output: a guard that lets it through is not one.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ingestion.pipeline.steps import isolation
from ingestion.pipeline.steps.isolation import Guards


def refused(attempt: Callable[[], object]) -> bool:
    """Tell whether the kernel refuses this."""
    try:
        attempt()
    except OSError:
        return True
    return False


def listed(folder: Path) -> list[Path]:
    """Read a folder."""
    return list(folder.iterdir())


def found() -> Guards:
    """Isolate this process in an empty folder, and return the guards that hold."""
    elsewhere = Path(__file__).parents[3]
    guards = isolation.isolate(reads=isolation.code(), writes=[Path.cwd()], required=())
    files = all(refused(partial(listed, folder)) for folder in (elsewhere, Path("/")))
    calls = refused(lambda: os.kill(os.getppid(), 0)) and refused(socket.socket)
    return Guards(
        namespaces=guards.namespaces,
        landlock=guards.landlock if files else 0,
        seccomp=guards.seccomp and calls,
    )


def main() -> None:
    """Write down what holds, and end with whoever asked."""
    isolation.die_with(parent=int(sys.argv[1]))
    sys.stdout.write(json.dumps(asdict(found())))


if __name__ == "__main__":
    main()
