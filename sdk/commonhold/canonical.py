"""Canonical JSON (RFC 8785, JCS) of a restricted kind, strict reading of it, and SHA-256.

What is digested or signed holds strings, booleans, null and whole numbers below 2^53; never
a float, because two programs may print one float in two ways and read one number as two.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn, cast

import rfc8785

from commonhold.errors import CommonholdError
from commonhold.sentences import _

MAX_INT = 2**53 - 1
MAX_DIGITS = 100
MAX_SHOWN = 40
CHUNK = 1024 * 1024

TYPE_NAMES = {float: "a fraction", bytes: "raw bytes"}


class CanonicalError(CommonholdError):
    """A value or document that has no canonical form, or is not in it."""

    code = "not-canonical"
    status = 422


def _check(value: object, where: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if abs(value) > MAX_INT:
            sentence = _("%(where)s holds %(value)s, which is beyond 2^53: write it as a string.")
            raise CanonicalError(sentence, where=where, value=str(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                sentence = _("%(where)s has the key %(key)s; keys must be strings.")
                raise CanonicalError(sentence, where=where, key=repr(key))
            _check_text(key, where)
            _check(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check(item, f"{where}[{position}]")
    else:
        kind = TYPE_NAMES.get(type(value), type(value).__name__)
        sentence = _(
            "%(where)s holds %(kind)s; only strings, whole numbers, true, false and null go."
        )
        raise CanonicalError(sentence, where=where, kind=kind)


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        sentence = _("%(where)s holds half a character (a lone surrogate), which is not text.")
        raise CanonicalError(sentence, where=where) from None


def encode(value: object) -> bytes:
    """Return the JCS bytes of `value` (RFC 8785 §3.2), no trailing newline.

    Raises CanonicalError for floats, integers of 2^53 and more, non-string keys, lone surrogates.
    """
    try:
        _check(value, "the value")
    except RecursionError:
        raise CanonicalError(_("The value is nested too deeply to be written.")) from None
    return rfc8785.dumps(cast("dict[str, None]", value))


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            sentence = _("The JSON names “%(key)s” twice, so two readers could read two things.")
            raise CanonicalError(sentence, key=key)
        found[key] = value
    return found


def _no_fraction(text: str) -> NoReturn:
    sentence = _("The JSON holds the number %(number)s; only whole numbers are allowed.")
    raise CanonicalError(sentence, number=text[:MAX_SHOWN])


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise CanonicalError(
            _("The JSON holds a number of %(digits)s digits, which is beyond 2^53."),
            digits=len(text),
        )
    return int(text)


def decode(data: bytes) -> object:
    """Parse strict JSON: UTF-8, no duplicate keys (RFC 8259 §4), no fractions, no NaN."""
    try:
        value: object = json.loads(
            data.decode(),
            object_pairs_hook=_no_duplicates,
            parse_int=_whole,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
        )
    except UnicodeDecodeError as error:
        sentence = _("This is not text in UTF-8: it breaks off at byte %(place)s.")
        raise CanonicalError(sentence, place=error.start) from error
    except json.JSONDecodeError as error:
        sentence = _("This is not JSON: it can't be read from character %(place)s on.")
        raise CanonicalError(sentence, place=error.pos) from error
    except RecursionError as error:
        raise CanonicalError(_("The JSON is nested too deeply to be read.")) from error
    return value


def decode_exact(data: bytes) -> object:
    """Parse JSON that must be canonical to the byte: reading and rewriting gives the same bytes."""
    value = decode(data)
    if encode(value) != data:
        raise CanonicalError(
            _("This JSON is not in its canonical form (RFC 8785), so it was changed or retyped.")
        )
    return value


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """Return SHA-256(JCS(value)) as hex."""
    return sha256_hex(encode(value))


def digest_chunks(chunks: Iterable[bytes]) -> tuple[str, int]:
    """Return (SHA-256 hex, size in bytes) of a stream, holding one chunk at a time."""
    sha256, size = hashlib.sha256(), 0
    for chunk in chunks:
        sha256.update(chunk)
        size += len(chunk)
    return sha256.hexdigest(), size


def digest_file(path: Path) -> tuple[str, int]:
    """Return (SHA-256 hex, size in bytes) of a file, read in 1 MiB pieces."""
    with path.open("rb") as file:
        return digest_chunks(iter(lambda: file.read(CHUNK), b""))
