"""What a site's answers must hold for the client to go on: checked once, where they arrive.

A shape is a type, an example in whose form the value must be, or a test. Members that nobody here
reads are not looked at.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from commonhold.canonical import MAX_INT
from commonhold.errors import CommonholdError
from commonhold.sentences import _

MAX_SHOWN = 60
SHA256 = re.compile(r"[0-9a-f]{64}")
Shape = type | dict[str, Any] | list[Any] | Callable[[object], bool]


class AnswerError(CommonholdError):
    """An answer that can't be read: something is lacking in it, or of the wrong kind."""

    code = "answer-not-readable"
    status = 502


def count(value: object) -> bool:
    """A whole number from 0 that every program can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INT


def name(value: object) -> bool:
    """A number or a word that can stand in an address: `7`, `0d5a4f7e-3f7b`."""
    text = str(value) if count(value) or isinstance(value, str) else ""
    return text.isascii() and 0 < len(text) <= MAX_SHOWN and text.replace("-", "").isalnum()


def sha256(value: object) -> bool:
    """A SHA-256 in hex."""
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


def place(value: object) -> bool:
    """A path that can follow the address of a site without leading to another."""
    return isinstance(value, str) and value.startswith("/")


def moment(value: object) -> bool:
    """A time as RFC 3339 writes it."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


def maybe(shape: Shape) -> Shape:
    """Null, or what `shape` says. What is lacking counts as null."""
    return lambda value: value is None or _fault(value, shape, "") is None


def either(*shapes: Shape) -> Shape:
    """One of several."""
    return lambda value: any(_fault(value, shape, "") is None for shape in shapes)


def _fault(value: object, shape: Shape, where: str) -> str | None:
    """Return where a value is not as its shape says, None if it is."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return where
        found = (_fault(value.get(key), one, f"{where}.{key}") for key, one in shape.items())
        return next((fault for fault in found if fault is not None), None)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return where
        found = (_fault(one, shape[0], f"{where}[{at}]") for at, one in enumerate(value))
        return next((fault for fault in found if fault is not None), None)
    fits = isinstance(value, shape) if isinstance(shape, type) else shape(value)
    return None if fits else where


def require(value: Any, shape: Shape, url: str) -> Any:
    """Return an answer of `url` that is as `shape` says, or AnswerError that names the place."""
    fault = _fault(value, shape, "")
    if fault is None:
        return value
    sentence = _(
        "%(url)s answered in a form that can't be read: “%(place)s” is lacking or of another kind."
    )
    raise AnswerError(sentence, url=url, place=fault.strip(".")[:MAX_SHOWN] or "all of it")


ORGANIZATION = {"slug": str, "name": str}
ME = {"user": {"email": str}, "organization": ORGANIZATION}
PAGE = {"results": [dict], "next": maybe(str)}
OFFER = {
    "id": name,
    "license": {"name": str},
    "price": {"amount_minor": count, "currency": str},
    "total_minor": count,
}
SUMMARY = {
    "organization": ORGANIZATION,
    "slug": str,
    "title": str,
    "language": str,
    "task": str,
    "duration_ms": count,
    "offers": [OFFER],
}
OFFERS = either([{"id": name}], {"results": [{"id": name}]})
QUOTE = {
    "offer": {"id": name},
    "price_minor": count,
    "fee_minor": count,
    "total_minor": count,
    "currency": str,
    "terms_text": str,
    "terms_sha256": str,
}
ORDER = {"id": name, "grant": maybe(name)}
GRANT = {
    "id": name,
    "dataset": either(str, {"organization": either(str, {"slug": str}), "slug": str}),
    "state": str,
    "version": count,
    "valid_from": moment,
    "consent_state": maybe(str),
}
LISTING = {"files": [{"path": str, "size": count, "sha256": sha256, "url": str}]}
DATASET = {"versions": [{"number": count}]}
NUMBERED = {"number": count, "state": str}
STEP = {"name": str, "state": str, "error": maybe(str)}
VERSION = {
    "number": count,
    "state": str,
    "files": [{"path": str, "state": str, "sha256": str, "error": maybe(str)}],
    "runs": [{"path": str, "state": str, "steps": [STEP], "error": maybe(str)}],
    "left_out": maybe([str]),
    "seal_error": maybe(str),
    "review": maybe(
        {"open_findings": count, "unreviewed_segments": count, "uncovered_segments": count}
    ),
}
PART = {"number": count, "offset": count, "size": count, "url": str, "received": bool}
UPLOAD = {"id": name, "state": str, "path": str, "size": count, "parts": [PART]}
COMPLETED = {"state": str, "file": maybe({"path": str, "sha256": str})}
IMPORTED = {"speakers": count, "records": count, "known": count}
STATUS_LISTS = {"lists": [{"uri": str, "path": place}]}
CHANGES = {"statements": [{"index": count, "envelope": dict}]}
