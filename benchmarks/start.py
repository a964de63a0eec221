"""How long `manage.py up` takes to its first answered page: cold (an empty DATA_DIR) and warm.

    .venv/bin/python -m benchmarks.start [PAGE]

Each figure is the median of three starts; the page must answer 200. The floor in the same run is
what any start of the site must spend: importing Django with the settings, and nothing else. Goals
after the installation: cold 15 s, warm 7 s. The exit status is 1 when a goal is missed.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.running import ROOT, free_port

GOALS = {"cold": 15.0, "warm": 7.0}
TIMES = 3


def answers(url: str) -> bool:
    """Tell whether a page answers 200; another status is an error of this measurement."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - always our http
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        message = f"{url} answered {error.code}, not 200"
        raise SystemExit(message) from error
    except OSError:
        return False


def start_once(data_dir: Path, page: str) -> float:
    """Start everything, wait for the page, stop everything; return the seconds to the page."""
    port = free_port()
    environment = os.environ | {"DATA_DIR": str(data_dir), "PORT": str(port)}
    began = time.monotonic()
    command = [sys.executable, "manage.py", "up"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}{page}"):
                if process.poll() is not None:
                    message = f"it ended with status {process.returncode}"
                    raise SystemExit(message)
                time.sleep(0.02)
            return time.monotonic() - began
        finally:
            process.send_signal(signal.SIGINT)


def floor() -> float:
    """Return the seconds to import Django with these settings in a new process."""
    began = time.monotonic()
    code = "import django; django.setup()"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    return time.monotonic() - began


def main() -> int:
    """Print one line for each figure; return the exit status."""
    page = sys.argv[1] if len(sys.argv) > 1 else "/"
    taken: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(TIMES):
        data_dir = Path(tempfile.mkdtemp(prefix="commonhold-start-"))
        taken["cold"].append(start_once(data_dir, page))
        taken["warm"].append(start_once(data_dir, page))
        shutil.rmtree(data_dir)
    floors = [floor() for _ in range(TIMES)]
    print(f"floor (import only)   {statistics.median(floors):5.2f} s")
    missed = False
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        missed = missed or median > GOALS[name]
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"{name} start to 200 {page}  {median:5.2f} s  ({spread}; goal {GOALS[name]:.0f} s)")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
