"""Commonhold's record format, its proofs, and the client. Pure Python, no Django.

`commonhold.load` yields the rows of a dataset. It is fetched from `commonhold.rows` on first use
(PEP 562), so that a server reading one module of the format does not load an HTTP client.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        return import_module("commonhold.rows").load
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
