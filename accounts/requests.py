"""What is known of the request or task in which things are done: rows and lines bear it.

No model is known here, so that the log can be set up before the models are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Request:
    """What is known of the request or task in which things are done."""

    id: str = ""
    client: str = ""
    """Where it comes from, as `accounts.security.pseudonym` writes an address."""
    key: str = ""
    """Name of the API key that was used, if one was."""
    prefix: str = ""
    """What that key begins with, which is no secret."""
    refusal: str = ""
    """Code of what was refused in it, if something was."""


NONE = Request()
_request: ContextVar[Request] = ContextVar("commonhold_request", default=NONE)


def current() -> Request:
    """Return what is known of the request or task that is under way."""
    return _request.get()


@contextmanager
def during(request: Request) -> Iterator[None]:
    """Note the request in whatever is written down in the block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def with_key(name: str, *, prefix: str) -> None:
    """Note that the current request came with an API key of this name."""
    _request.set(replace(_request.get(), key=name, prefix=prefix))


def come_from(client: str) -> None:
    """Note where the current request comes from."""
    _request.set(replace(_request.get(), client=client))


def refused(code: str) -> None:
    """Note why the current request is refused."""
    _request.set(replace(_request.get(), refusal=code))
