"""A whole Commonhold for a test: `manage.py up` with a folder and a port of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
# What would make the started Commonhold use the tests' own database or queues.
OURS = {
    "ALLOWED_HOSTS",
    "CELERY_BROKER_URL",
    "DATABASE_URL",
    "PYTHONUNBUFFERED",  # What it says has to arrive without this, too.
    "SECRET_KEY",
    "SITE_URL",
}


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """One start of `manage.py up`, and what a test does to it."""

    def __init__(self, data_dir: Path, *, port: int | None = None, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = kept | {
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "COMMONHOLD_DEMO": "0",
            **environment,
        }
        self.output = data_dir.parent / f"{data_dir.name}.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Site":
        """Start it and wait until it says where it is."""
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(lambda: f"Commonhold is at {self.url}" in self.said(), seconds=90)
        return self

    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def wait_for(self, condition, *, seconds: float) -> None:
        """Wait until a condition holds; fail with what was said when it does not."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{'ended' if ended else 'waited in vain'}:\n{self.said()}")
            time.sleep(0.05)

    def status(self, path: str) -> int:
        """The HTTP status of a page; 0 when nothing answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=20) as answer:  # noqa: S310
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def manage(self, *arguments: str) -> str:
        """Run `manage.py` beside it, knowing nothing but DATA_DIR, and return what it prints."""
        environment = {name: value for name, value in self.environment.items() if name != "PORT"}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tree(self) -> dict[str, psutil.Process]:
        """Its direct children by name: postgres, web, worker, beat."""
        assert self.process is not None
        named = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                command = " ".join(child.cmdline())
            except psutil.Error:
                continue
            words = {"postgres -D": "postgres", "gunicorn": "web", " worker ": "worker"}
            words[" beat "] = "beat"
            named |= {name: child for word, name in words.items() if word in command}
        return named

    def descendants(self) -> list[psutil.Process]:
        """Every process below it."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, request: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop and return its exit status; kill it when it does not."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(request)
        try:
            return self.process.wait(120)
        finally:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(data_dir: Path, **options) -> Iterator[Site]:
    """A started Commonhold, stopped at the end of the block."""
    site = Site(data_dir, **options)
    try:
        yield site.start()
    finally:
        if site.process is not None and site.process.poll() is None:
            site.stop()
