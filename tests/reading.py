"""Reading the code of the product, for tests that say what it does nowhere."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("accounts", "ingestion", "licensing", "marketplace", "notary", "sdk/commonhold")


@cache
def sources() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


@cache
def trees() -> dict[str, ast.Module]:
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sources()}


def calls(tree: ast.AST, *names: str) -> list[ast.Call]:
    """The calls of functions or methods of these names."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in found if ast.unparse(call.func).rpartition(".")[2] in names]


def is_ours(node: ast.expr) -> bool:
    """Whether a string is written down in the code: a literal, or a constant's name."""
    if isinstance(node, ast.JoinedStr):
        values = [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
        return all(map(is_ours, values))
    if isinstance(node, ast.BinOp):
        return is_ours(node.left) and is_ours(node.right)
    return isinstance(node, ast.Constant) or ast.unparse(node).rpartition(".")[2].isupper()


def imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {one.name for one in node.names}
    module = node.module or ""
    return {module, *(f"{module}.{one.name}" for one in node.names)}
