"""Who may do what with bytes: one module keeps them, one destroys them, all read them by one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_layers import ROOT, modules

ARCHIVE = ROOT / "ingestion" / "archive"
ALONE = {
    "destroy": {ARCHIVE / "sweeping.py"},
    "place": {ARCHIVE / "blobs.py"},
    "open": {ARCHIVE / "blobs.py"},
    "local_path": {ARCHIVE / "blobs.py"},
}
"""Acts on the blob store, and the modules that may do them."""


def is_store(node: ast.expr, names: set[str]) -> bool:
    """Whether an expression is the blob store: asked for in place, or by a name given to it."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "blob_store"
    return isinstance(node, ast.Name) and node.id in names


def acts_on_the_store(path: Path) -> Iterator[str]:
    """Every act of a module on the blob store."""
    tree = ast.parse(path.read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = zip(node.targets, [node.value] * len(node.targets), strict=True)
            for target, value in pairs:
                targets = target.elts if isinstance(target, ast.Tuple) else [target]
                values = value.elts if isinstance(value, ast.Tuple) else [value]
                found = zip(targets, values, strict=False)
                names |= {
                    one.id
                    for one, what in found
                    if isinstance(one, ast.Name) and is_store(what, set())
                }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_store(node.value, names):
            yield node.attr


@pytest.mark.parametrize("act", ALONE)
def test_an_act_on_the_store_has_one_door(act):
    doers = {path for path in modules() if act in acts_on_the_store(path)}
    assert doers == ALONE[act]


def test_nobody_makes_a_row_of_bytes_but_who_keeps_or_finds_them():
    """A row that is made anywhere else may have no bytes."""
    makers = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                made = ast.unparse(node.func)
                if made in {"Blob.objects.create", "Blob.objects.bulk_create"}:
                    makers.add(path)
                if made in {"Blob.objects.get_or_create", "Blob.objects.update_or_create"}:
                    makers.add(path)
    assert makers == {ARCHIVE / "blobs.py", ARCHIVE / "sweeping.py"}
