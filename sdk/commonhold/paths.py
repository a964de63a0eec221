"""Names of files that mean the same thing on every system, and twins that would not.

A path is relative, written with forward slashes, in Unicode NFC (UAX #15), and free of what
Windows, macOS or a terminal would read as something else.
"""

import unicodedata
from collections.abc import Iterator

from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _, filled

MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 1024
FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
FORBIDDEN_CHARACTERS = frozenset('<>:"|?*\\')
RESERVED_NAMES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {port + digit for port in ("com", "lpt") for digit in "0123456789¹²³"}
)


class InvalidPathError(CommonholdError):
    """A path that could mean different files on different systems, or none."""

    code = "invalid-path"
    status = 422


def is_visible(char: str) -> bool:
    """Tell whether a character is one that people see, or a space."""
    return (char.isascii() and char.isprintable()) or (
        unicodedata.category(char) not in FORBIDDEN_CATEGORIES
    )


def visible(text: str) -> str:
    """Return `text` with every invisible character spelled out, to be shown to people."""
    # A message must not itself carry the bidirectional trick it warns of.
    return "".join(char if is_visible(char) else f"\\u{{{ord(char):04x}}}" for char in text)


def _faults(path: str) -> Iterator[Sentence]:
    if not path:
        yield _("is empty; give it a name")
    if path.startswith("/"):
        yield _("starts with “/”; use a path relative to the dataset's folder")
    for char in path:
        if unicodedata.category(char) in FORBIDDEN_CATEGORIES:
            fault = _("holds the invisible character %(character)s; rename it without that")
            yield filled(fault, character=f"U+{ord(char):04X}")
        if char in FORBIDDEN_CHARACTERS:
            fault = _(
                "holds “%(character)s”, which some systems can't store; rename it without that"
            )
            yield filled(fault, character=char)
    if not unicodedata.is_normalized("NFC", path):
        yield _("is not in Unicode NFC form (it was probably typed on a Mac); normalize it")
    if len(path.encode()) > MAX_PATH_BYTES:
        yield filled(_("is longer than %(most)s bytes in all; shorten it"), most=MAX_PATH_BYTES)
    for part in path.split("/"):
        yield from _part_faults(part)


def _part_faults(part: str) -> Iterator[Sentence]:
    if not part:
        yield _("has an empty part (“//”, or a “/” at the end); leave the extra slash out")
    if part in {".", ".."}:
        fault = _("has the part “%(part)s”, which points elsewhere; name the file itself")
        yield filled(fault, part=part)
    if part.endswith((".", " ")):
        fault = _("has the part “%(part)s”, which ends in a dot or a space; rename it")
        yield filled(fault, part=part)
    if part.partition(".")[0].rstrip(" ").lower() in RESERVED_NAMES:
        fault = _("has the part “%(part)s”, a name that Windows keeps for itself; rename it")
        yield filled(fault, part=part)
    if len(part.encode()) > MAX_COMPONENT_BYTES:
        fault = _("has a part longer than %(most)s bytes; shorten it")
        yield filled(fault, most=MAX_COMPONENT_BYTES)


def check_path(path: str) -> str:
    """Return `path` unchanged if it is safe everywhere; InvalidPathError says what is wrong."""
    if fault := next(_faults(path), None):
        shown = visible(path[:MAX_COMPONENT_BYTES])
        raise InvalidPathError(_("The path “%(path)s” %(fault)s."), path=shown, fault=fault)
    return path


def normalize_path(path: str) -> str:
    """Return `path` in NFC, checked. For names from a file system, where macOS may write NFD."""
    return check_path(unicodedata.normalize("NFC", path))


def path_key(path: str) -> str:
    """Return what two paths share when some system would take them for one.

    NFC/NFD twins and case twins get the same key: canonical caseless matching, Unicode Standard
    §3.13 D145.
    """
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
