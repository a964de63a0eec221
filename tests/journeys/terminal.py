"""A person at a terminal: the `commonhold` command, and the API where the command ends."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.running import Site

ASK_EVERY = 0.5
# On a machine that is busy with other things.
SEALED_WITHIN = 300


@dataclass(frozen=True)
class Person:
    """Somebody with an organization of their own, of that name."""

    email: str
    name: str
    slug: str
    key: str


class Terminal:
    """One person's terminal: runs `commonhold` with their key and a home of their own."""

    def __init__(self, site: Site, person: Person, home: Path) -> None:
        home.mkdir()
        self.program = str(Path(sys.executable).parent / "commonhold")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "COMMONHOLD_URL": site.url,
            "COMMONHOLD_API_KEY": person.key,
        }
        self.api = httpx.Client(
            base_url=f"{site.url}/api/v1",
            headers={"Authorization": f"Bearer {person.key}"},
            timeout=60,
        )

    def close(self) -> None:
        """Close the connection to the API."""
        self.api.close()

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [self.program, *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=600
        )

    def done(self, *arguments: object):
        """Run with --json; it must succeed. Returns what it printed."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def post(self, path: str, **document):
        answer = self.api.post(path, json=document)
        assert answer.is_success, answer.text
        return answer.json()

    def every(self, path: str) -> list[dict]:
        """All rows of a list."""
        rows, page = [], path
        while page:
            answer = self.api.get(page).raise_for_status().json()
            rows += answer["results"]
            page = answer["next"]
        return rows


def finish_review(archivist: Terminal, version: str) -> None:
    """Hear every finding, read what must be read, and finish."""
    for finding in archivist.every(f"{version}/findings?state=open"):
        archivist.post(f"/findings/{finding['id']}/decision", decision="confirm")
    archivist.post(f"{version}/leave-out-unwritten")
    for segment in archivist.every(f"{version}/segments"):
        if segment["needs_review"] and not segment["excluded"]:
            archivist.post(f"/segments/{segment['id']}/review")
    archivist.post(f"{version}/finish-review")


def wait_until_sealed(site: Site, archivist: Terminal, version: str) -> dict:
    """Ask for a version now and then until it is sealed."""
    found: dict = {}

    def is_sealed() -> bool:
        time.sleep(ASK_EVERY)
        found.update(archivist.api.get(version).raise_for_status().json())
        return found["state"] == "sealed"

    site.wait_for(is_sealed, seconds=SEALED_WITHIN)
    return found
