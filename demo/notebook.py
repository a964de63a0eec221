"""DATA_DIR/demo.json: the demo's passwords and keys, made once, and how far the load has come."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

EMPTY = {"complete": False, "failed": "", "accounts": {}}


def read() -> dict[str, Any]:
    """Return what is written down; an empty notebook before the first load."""
    try:
        written: dict[str, Any] = json.loads(path().read_bytes())
    except FileNotFoundError:
        return json.loads(json.dumps(EMPTY))  # type: ignore[no-any-return]  # a fresh copy
    return written


def write(notes: dict[str, Any]) -> None:
    """Replace what is written down, whole or not at all; only its owner may read it."""
    folder = Path(settings.DATA_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".demo-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(notes, file, indent=2, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path())


def path() -> Path:
    """Return where the notebook lies."""
    return Path(settings.DATA_DIR) / "demo.json"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other load runs in this DATA_DIR, and keep others waiting meanwhile.

    The kernel lets go when the process ends in any way.
    """
    folder = Path(settings.DATA_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def is_loading() -> bool:
    """Tell whether a load runs in this DATA_DIR now."""
    lock = Path(settings.DATA_DIR) / "demo.lock"
    if not lock.exists():
        return False
    with lock.open("r") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
