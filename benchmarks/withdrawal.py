"""How long a withdrawal takes to reach everybody, and what an idle site reads, as it grows.

    .venv/bin/python -m benchmarks.withdrawal [LISTINGS]

A site is started and filled through its services, and its rows are copied until there are as many
listings as asked for. Then speakers withdraw over HTTP, one after the other, and the site is asked
over HTTP until the offer is closed, the download refused, the listing changed and the signed status
list says so. Each figure is the median of three; the floor is the small site in the same run.
Goals: 5 s with 100,000 listings, and an idle site reads no more rows than the small one. The exit
status is 1 when a goal is missed.
"""

import statistics
import subprocess
import sys

import django
from django.db import connections

from benchmarks.running import ROOT, Site

LISTINGS = 100_000
SMALL = 3
GOAL_S = 5.0
MORE_ROWS = 1.5
"""How many times the rows of the small idle site the large one may read, autovacuum included."""


def measure(listings: int) -> None:
    """Print the seconds of a withdrawal and the rows that an idle site reads in a second."""
    with Site() as site:
        django.setup()
        # Models can be imported only after the setup, which needs the site's environment.
        from benchmarks import catalog, sold  # noqa: PLC0415

        datasets = [sold.Sold() for _ in range(SMALL)]
        catalog.copy(copies=listings // SMALL - 1)
        rows = sold.rows_read_per_second()
        taken = statistics.median(dataset.withdraw(site) for dataset in datasets)
        connections.close_all()
    print(taken, rows)


def measured(listings: int) -> tuple[float, float]:
    """Return what a process of its own measures: settings are read once in a process."""
    command = [sys.executable, "-m", "benchmarks.withdrawal", "--one", str(listings)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    taken, rows = done.stdout.split()
    return float(taken), float(rows)


def main() -> int:
    """Print one line for each figure; return the exit status."""
    if sys.argv[1:2] == ["--one"]:
        measure(int(sys.argv[2]))
        return 0
    listings = int(sys.argv[1]) if len(sys.argv) > 1 else LISTINGS
    small_s, small_rows = measured(SMALL)
    large_s, large_rows = measured(listings)
    print(f"withdrawal, {SMALL} listings: {small_s:.2f} s")
    print(
        f"withdrawal, {listings} listings: {large_s:.2f} s "
        f"({large_s / small_s:.2f} times the small site; goal {GOAL_S:.0f} s)"
    )
    print(f"idle, {SMALL} listings: {small_rows:.0f} rows a second")
    print(
        f"idle, {listings} listings: {large_rows:.0f} rows a second "
        f"({large_rows / small_rows:.2f} times the small site; goal {MORE_ROWS})"
    )
    return int(large_s > GOAL_S or large_rows > MORE_ROWS * small_rows)


if __name__ == "__main__":
    sys.exit(main())
