"""The documentation names nothing that is not there: links, commands, files, modules, functions."""

import importlib
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import rules
from django.apps import apps
from django.core.management import get_commands

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sdk/*.md")})
PACKAGES = ("accounts", "benchmarks", "demo", "ingestion", "licensing", "marketplace", "notary")
DOTTED = re.compile(r"(?<![\w.])[a-z_]\w*(?:\.\w+)+")
# Names of files read like names of modules: `files.jsonl`.
FILE = re.compile(r"\.(?:csv|dump|flac|jsonl?|jwt|log|md|pem|py|toml|txt|zip)$")

pytestmark = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def code(page: Path, *kinds: str) -> Iterator[str]:
    """What stands in backquotes, and in blocks of code of some kinds."""
    text = page.read_text()
    blocks = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
    yield from (body for kind, body in blocks.findall(text) if kind in kinds)
    yield from re.findall(r"`([^`\n]+)`", blocks.sub("", text))


@cache
def modules() -> dict[str, list[str]]:
    """Our modules, by every name that one can be called by: `jobs` as well as its whole name."""
    found: dict[str, list[str]] = {}
    folders = [*(ROOT / package for package in PACKAGES), ROOT / "sdk" / "commonhold"]
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        parts = path.relative_to(folder_of(path)).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        for start in range(len(parts)):
            found.setdefault(".".join(parts[start:]), []).append(".".join(parts))
    return found


def folder_of(path: Path) -> Path:
    """Where a module is imported from."""
    return ROOT / "sdk" if path.is_relative_to(ROOT / "sdk") else ROOT


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, something in one, a model, or a permission."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        for module in modules().get(".".join(parts[:end]), ()):
            if end == len(parts) or reaches(module, parts[end:]):
                return True
    is_model = len(parts) == 2 and parts[1].lower() in apps.all_models.get(parts[0], {})
    return is_model or rules.perm_exists(name)


def reaches(module: str, rest: list[str]) -> bool:
    """Whether attributes lead from a module to a name."""
    found: object = importlib.import_module(module)
    for name in rest:
        if not hasattr(found, name):
            return name in getattr(found, "__dataclass_fields__", {})
        found = getattr(found, name)
    return True


def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert lost == []


def test_every_command_is_there(page):
    text = page.read_text()
    assert {*re.findall(r"manage\.py ([a-z_]+)", text)} <= set(get_commands())
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {*re.findall(r"`make ([a-z]+)", text)} <= targets
    programs = {*re.findall(r"python -m ([a-z_.]+\w)", text)}
    assert [program for program in programs if find_spec(program) is None] == []


def test_every_file_is_there(page):
    paths = {
        word
        for span in code(page, "sh")
        for word in re.findall(r"(?<![\w./$<«-])[\w-]+(?:/[\w.-]+)*/[\w-]+\.(?:py|html|md)\b", span)
    }
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_module_function_and_model_is_there(page):
    names = {
        name
        for span in code(page, "mermaid", "python", "sh")
        for name in DOTTED.findall(span)
        if name.split(".")[0] in modules() and not FILE.search(name)
    }
    assert sorted(name for name in names if not is_there(name)) == []
