"""A site of a measurement's own: `manage.py up` on a free port, in an empty DATA_DIR."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """The running site; this process's environment names its database, for `django.setup()`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="commonhold-benchmark-"))
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        os.environ |= {
            "DATA_DIR": str(self.folder),
            "PORT": str(port),
            "COMMONHOLD_DEMO": "0",
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        }

    def __enter__(self) -> Self:
        command = [sys.executable, "manage.py", "up"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while self.ask("/healthz")[0] != 200:
            if self.process.poll() is not None:
                message = f"the site ended with status {self.process.returncode}"
                raise SystemExit(message)
            time.sleep(0.1)
        return self

    def __exit__(self, *_problem: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        shutil.rmtree(self.folder)

    def ask(self, path: str, *, key: str = "", method: str = "GET") -> tuple[int, bytes]:
        """Return the status and the body of an answer; 0 when there is none."""
        body = b"{}" if method == "POST" else None
        request = urllib.request.Request(self.address + path, body, method=method)  # noqa: S310
        request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""
