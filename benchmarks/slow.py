"""What 200 slow sockets do to the site's server and to others, and what it costs to withstand them.

    .venv/bin/python -m benchmarks.slow

Each server runs the same small application with two processes of eight threads. 70 clients drip a
header, 70 a body, and 60 read an answer of 64 MiB byte by byte; meanwhile /healthz is asked. Then,
alone, 64 MiB are downloaded and parts of 8 MiB uploaded, and their digests compared. The peers are
gunicorn's own threads, and granian where it is installed. The exit status is 1 when the site's
server takes a second or more for /healthz, or less than half the bytes per second of gunicorn.
"""

import hashlib
import http.client
import importlib.util
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.running import ROOT, free_port
from tests.slow import seconds_of, slow_clients

MIB = 1024 * 1024
LARGE = 64 * MIB
PART = os.urandom(MIB) * 8
APPLICATION = "tests.marketplace.host.app:application"
CONFIGURED = ("-m", "gunicorn", "-c", "python:marketplace.host.gunicorn_conf")
SERVERS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "the site's": lambda _port: (*CONFIGURED, APPLICATION),
    "gunicorn gthread": lambda _port: (*CONFIGURED, "-k", "gthread", APPLICATION),
}
if importlib.util.find_spec("granian"):
    SERVERS["granian"] = lambda port: (
        *("-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2"),
        *("--blocking-threads", "8", "--no-log", APPLICATION),
    )
TIMEOUT = 3.0


@contextmanager
def serving(name: str, folder: Path) -> Iterator[int]:
    """Run a server within the block; the value is its port."""
    port = free_port()
    environment = os.environ | {
        "PORT": str(port),
        "SERVED": str(folder / "served"),
        "TMPDIR": str(folder),
    }
    command = [sys.executable, *SERVERS[name](port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while seconds_of(port) == float("inf"):
                time.sleep(0.1)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def under_slow_clients(port: int) -> list[float]:
    """Return the seconds of /healthz beside 200 slow clients; infinite for no answer in time."""
    with slow_clients(port) as slow:
        slow.headers(70)
        slow.bodies(70, "/sink")
        slow.readers(60, "/large")
        return [seconds_of(port, timeout=TIMEOUT) for _ in range(6)]


def transfer(port: int, method: str, path: str, body: bytes | None = None) -> tuple[bytes, float]:
    """Return the answer of a request, and its seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.monotonic()
    connection.request(method, path, body)
    answer = connection.getresponse().read()
    seconds = time.monotonic() - began
    connection.close()
    return answer, seconds


def rates(port: int, served: str) -> tuple[float, float]:
    """Return MiB per second down and up: medians of five, each with the right digest."""
    down, up = [], []
    for _ in range(5):
        answer, seconds = transfer(port, "GET", "/large")
        if hashlib.sha256(answer).hexdigest() != served:
            raise SystemExit("the download is not what was served")
        down.append(LARGE / MIB / seconds)
        answer, seconds = transfer(port, "PUT", "/sink", PART)
        if answer.decode() != hashlib.sha256(PART).hexdigest():
            raise SystemExit("the upload arrived changed")
        up.append(len(PART) / MIB / seconds)
    return statistics.median(down), statistics.median(up)


def main() -> int:
    """Print a line for each server; return the exit status."""
    found: dict[str, tuple[float, float, float]] = {}
    with tempfile.TemporaryDirectory(prefix="commonhold-slow-") as folder:
        content = os.urandom(MIB) * (LARGE // MIB)
        (Path(folder) / "served").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        print("                    /healthz beside 200 slow clients    down MiB/s    up MiB/s")
        for name in SERVERS:
            with serving(name, Path(folder)) as port:
                slow = under_slow_clients(port)
            with serving(name, Path(folder)) as port:
                down, up = rates(port, digest)
            found[name] = max(slow), down, up
            told = [f"{seconds:.3f} s" for seconds in (statistics.median(slow), max(slow))]
            print(f"{name:18}  median {told[0]:>8}, worst {told[1]:>8}  {down:10.0f}  {up:10.0f}")
    worst, down, up = found["the site's"]
    _worst, peer_down, peer_up = found["gunicorn gthread"]
    print(f"the site's against gunicorn's: down {down / peer_down:.2f}, up {up / peer_up:.2f}")
    return int(worst >= 1 or down / peer_down < 0.5 or up / peer_up < 0.5)


if __name__ == "__main__":
    sys.exit(main())
