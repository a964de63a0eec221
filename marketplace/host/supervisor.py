"""Keep a set of programs running: start them in order, restart what dies, stop all of them.

Written for `manage.py up` because nothing of this size orders "database, then web, then worker",
restarts, and stops cleanly. Every child leads a session of its own, so that a Ctrl-C reaches the
supervisor alone, and asks the kernel for a signal at the supervisor's death, so that none survives
a kill -9. Only processes that were started here are ever signalled.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commonhold.errors import CommonholdError

from marketplace.host.postgres import dies_with_parent

LOG_BYTES = 10 * 1024 * 1024
STEADY_SECONDS = 30.0
LONGEST_PAUSE = 30.0

Spawn = Callable[[], subprocess.Popen[bytes]]


class StartError(CommonholdError):
    """Commonhold cannot start here; the message says why and what to do."""

    code = "start"
    status = 503


@dataclass
class Child:
    """A program that is kept running (or run once), and what is known of its current process."""

    name: str
    spawn: Spawn
    once: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 5.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float | None = 0.0
    failures: int = 0

    def start(self) -> None:
        """Start it now."""
        self.started = time.monotonic()
        self.due = None
        self.process = self.spawn()

    def ended(self) -> int | None:
        """Return the exit status if it has ended since it was started, else None."""
        return self.process.poll() if self.process else None

    def schedule(self, status: int) -> float | None:
        """Decide when to start it again, and return the pause in seconds; None for never.

        The pause doubles from half a second up to half a minute with every end that follows
        quickly on a start.
        """
        self.process = None
        if self.once:
            return None
        steady = time.monotonic() - self.started > STEADY_SECONDS
        self.failures = 1 if steady else self.failures + 1
        pause = 0.0 if steady or status == 0 else min(LONGEST_PAUSE, 0.25 * 2**self.failures)
        self.due = time.monotonic() + pause
        return pause


@dataclass
class Supervisor:
    """Starts children in the order given, tends them, and stops them in the opposite order."""

    say: Callable[[str], object]
    log_folder: Path
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def until_asked_to_stop(self) -> Iterator[None]:
        """Within this block Ctrl-C, SIGTERM and SIGHUP ask to stop; after it no child runs."""
        asks = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {ask: signal.signal(ask, lambda *_: self.stopping.set()) for ask in asks}
        try:
            yield
        finally:
            self.stop()
            for ask, handler in before.items():
                signal.signal(ask, handler)

    def add(self, child: Child) -> None:
        """Start a child and keep it from now on."""
        self.children.append(child)
        child.start()

    def tend(self) -> None:
        """Restart what has ended and is due."""
        for child in self.children:
            status = child.ended()
            if status is not None:
                self.report(child, status)
            if child.process is None and child.due is not None and time.monotonic() >= child.due:
                child.start()

    def report(self, child: Child, status: int) -> None:
        """Schedule the restart of a child that ended, and say so when it ended badly."""
        pause = child.schedule(status)
        if status and child.once:
            self.say(f"{child.name} did not finish. Its reason is at the end of {self.log(child)}")
        elif pause is not None:
            self.say(
                f"{child.name} stopped ({describe(status)}) and starts again in {pause:.1f} s. "
                f"Its reason is at the end of {self.log(child)}"
            )

    def log(self, child: Child) -> Path:
        """Return where a child writes."""
        return self.log_folder / f"{child.name}.log"

    def wait(self) -> None:
        """Tend the children until asked to stop."""
        while not self.stopping.wait(0.25):
            self.tend()

    def wait_for(self, child: Child, ready: Callable[[], bool], *, seconds: float) -> bool:
        """Tend until `ready` answers; False when asked to stop first.

        Raises StartError when the child keeps ending or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not self.stopping.wait(0.05):
            if ready():
                return True
            self.tend()
            if child.failures > 2 or time.monotonic() > deadline:
                message = (
                    f"{child.name} does not start. The end of {self.log(child)} says:\n"
                    + "\n".join(tail(self.log(child)))
                )
                raise StartError(message)
        return False

    def stop(self) -> None:
        """Stop every child: the last started first, those that need no order together."""
        others = [child for child in reversed(self.children) if child.name != "postgres"]
        database = [child for child in self.children if child.name == "postgres"]
        for group in (others, database):
            running = [child for child in group if child.process and child.process.poll() is None]
            asked = time.monotonic()
            for child in running:
                if child.process:
                    child.process.send_signal(child.stop_signal)
            for child in running:
                finish(child, asked=asked)
        self.children.clear()


def finish(child: Child, *, asked: float) -> None:
    """Wait for a child that was asked to stop at `asked`; kill it when its patience is over.

    All were asked at once, so that their patience runs at once too (seconds, monotonic).
    """
    if child.process is None:
        return
    try:
        child.process.wait(max(0.0, asked + child.patience - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def describe(status: int) -> str:
    """Put an exit status of subprocess into words."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def tail(log: Path, *, lines: int = 15) -> list[str]:
    """Return the last lines of a log."""
    return log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []


def program(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    at_parents_death: signal.Signals = signal.SIGKILL,
    niceness: int = 0,
) -> Spawn:
    """Return a function that starts a program which writes to a log and dies with its parent."""
    arrange = dies_with_parent(at_parents_death)

    def prepare() -> None:
        arrange()
        os.nice(niceness)

    def spawn() -> subprocess.Popen[bytes]:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as out:
            return subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - the supervisor has one thread
            )

    return spawn


@contextlib.contextmanager
def alone(lock: Path, *, note: str) -> Iterator[None]:
    """Hold a lock file that two starts cannot both hold; `note` is told to the second.

    Raises StartError when it is held. The kernel releases it when the process ends in any way.
    """
    with lock.open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.seek(0)
            message = (
                f"Commonhold already runs with this DATA_DIR: {held.read().strip()}. "
                "Stop that one first, or name another folder with DATA_DIR."
            )
            raise StartError(message) from None
        held.truncate(0)
        held.write(note)
        held.flush()
        yield


def require_free(port: int) -> None:
    """Raise StartError when something already listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = (
                f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}). "
                f"Choose another: PORT={port + 1} make run"
            )
            raise StartError(message) from error
