"""The layers of the project, where import-linter cannot see: folders, model relations, sizes."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Model

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_LAYERS = {"assets", "benchmarks", "docker", "docs", "requirements", "static", "templates"}
# Tables of libraries that stand below every layer of ours: users' permissions and content types.
BELOW_ALL = {"auth", "contenttypes", "sessions", "account", "rest_framework_api_key"}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40


def layers() -> list[list[str]]:
    """The layers contract, highest first."""
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    rows = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    return [[name.strip() for name in row.split("|")] for row in rows]


def height(package: str) -> int:
    """How far above the lowest layer a package stands."""
    rows = list(reversed(layers()))
    return next(number for number, row in enumerate(rows) if package in row)


def modules() -> Iterator[Path]:
    """Every module that people write: not migrations, not tests."""
    for package in (name for row in layers() for name in row):
        folder = ROOT / "sdk" / package if package == "commonhold" else ROOT / package
        yield from (path for path in folder.rglob("*.py") if "migrations" not in path.parts)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def`, without its docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def test_every_top_level_package_is_a_layer():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    packages |= {path.parent.name for path in ROOT.glob("sdk/*/__init__.py")} - {"tests"}
    assert packages == {name for row in layers() for name in row}


def test_every_folder_with_code_is_a_package_or_known_not_to_be():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("**/*.py"))}
    ignored = {"tests", "sdk", "node_modules", "data", "build"}
    unknown = {name for name in folders if not name.startswith(".")} - ignored - NOT_LAYERS
    assert unknown <= {name for row in layers() for name in row}


def test_no_row_of_a_contract_lets_two_packages_know_one_another():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    rows = [row for contract in contracts for row in contract.get("layers", ())]
    assert len(rows) > 40
    assert [row for row in rows if ":" in row] == []


def imports() -> Iterator[tuple[str, str]]:
    """Every import between modules of ours, as (module, imported module)."""
    known = {dotted(path): path for path in modules()}
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    deeper = f"{node.module}.{alias.name}"
                    yield name, deeper if deeper in known else node.module
            elif isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names)


def dotted(path: Path) -> str:
    """A module's name from its path."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "sdk" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_folder_knows_a_folder_that_knows_it():
    folders = {dotted(path.parent / "__init__.py") for path in modules()}
    knows: dict[str, set[str]] = {folder: set() for folder in folders}
    for name, imported in imports():
        own = name if name in folders else name.rpartition(".")[0]
        other = imported if imported in folders else imported.rpartition(".")[0]
        # What a folder holds is its own affair: inner cycles show between the inner folders.
        related = own == other or own.startswith(f"{other}.") or other.startswith(f"{own}.")
        if other in folders and not related:
            knows[own].add(other)
    assert sum(map(len, knows.values())) > 40
    try:
        TopologicalSorter(knows).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def relations() -> Iterator[tuple[type[Model], type[Model], str]]:
    """Every relation between models of ours, as (model, related model, field)."""
    ours = {name for row in layers() for name in row}
    for model in apps.get_models():
        if model._meta.app_label in ours:
            for field in model._meta.get_fields():
                if field.is_relation and not field.auto_created and field.related_model:
                    yield model, field.related_model, field.name


def test_no_model_points_to_a_higher_layer():
    upwards = [
        f"{model._meta.label}.{field} points to {related._meta.label}"
        for model, related, field in relations()
        if related._meta.app_label not in BELOW_ALL
        and height(related._meta.app_label) > height(model._meta.app_label)
    ]
    assert upwards == []


def test_the_notary_knows_nothing_of_what_it_signs():
    """It signs and logs what it is handed: not even the words for it stand there."""
    words = re.compile(r"dataset|licens|buyer|grant|consent|speaker", re.IGNORECASE)
    found = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / "notary").rglob("*.py")
        for line in path.read_text().splitlines()
        if words.search(line)
    }
    assert found == set()


def test_models_were_found_to_check():
    assert len(list(relations())) > 10


@pytest.mark.parametrize("path", sorted(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_and_its_functions_can_be_read_at_once(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE
    long = {
        function.name: code_lines(function)
        for function in functions(ast.parse(text))
        if code_lines(function) > LONGEST_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("path", sorted(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_imports_the_project_to_hide_a_cycle(path):
    ours = {name for row in layers() for name in row}
    hidden = []
    for function in functions(ast.parse(path.read_text())):
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "."]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            hidden += [name for name in names if name.split(".")[0] in ours or name.startswith(".")]
    assert hidden == []
