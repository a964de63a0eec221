"""files.jsonl: one canonical JSON line per file of a release; each line is a Merkle leaf.

Lines are sorted by the UTF-8 bytes of their paths; no two paths are twins on any file system.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from commonhold import canonical
from commonhold.errors import CommonholdError
from commonhold.merkle import RootBuilder
from commonhold.paths import check_path, path_key
from commonhold.sentences import Sentence, _, filled

SHA256 = re.compile(r"[0-9a-f]{64}")
REQUIRED = frozenset({"p", "n", "sha256", "t", "src", "c", "act"})


class InvalidIndexError(CommonholdError):
    """An index that is damaged, out of order, or names a file twice."""

    code = "invalid-index"
    status = 422


@dataclass(frozen=True)
class IndexRow:
    """One file: `size` in bytes, `sha256` hex, `consents` are the numbers of consent records.

    `segments` are (start_ms, end_ms, consent number), half-open, where consent is per segment.
    """

    path: str
    size: int
    sha256: str
    media_type: str
    source: str
    consents: tuple[int, ...] = ()
    activities: tuple[str, ...] = ()
    segments: tuple[tuple[int, int, int], ...] | None = None

    def line(self) -> bytes:
        """Return the canonical line without its newline: the leaf's data."""
        row: dict[str, object] = {
            "p": check_path(self.path),
            "n": self.size,
            "sha256": self.sha256,
            "t": self.media_type,
            "src": self.source,
            "c": list(self.consents),
            "act": list(self.activities),
        }
        if self.segments is not None:
            row["seg"] = [list(segment) for segment in self.segments]
        return canonical.encode(row)


@dataclass(frozen=True)
class Summary:
    """What a manifest binds of an index: number and bytes of files, digest, Merkle root (hex)."""

    count: int
    bytes: int
    sha256: str
    root: str


def _refuse(number: int, fault: Sentence) -> InvalidIndexError:
    sentence = _("Line %(line)s of files.jsonl %(fault)s.")
    return InvalidIndexError(sentence, line=number, fault=fault)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _all(values: object, kind: type) -> bool:
    return isinstance(values, list) and all(
        _is_count(value) if kind is int else isinstance(value, kind) for value in values
    )


def parse_line(line: bytes, number: int = 1) -> IndexRow:
    """Read one line strictly; anything but the canonical form of a full row is refused."""
    try:
        row = canonical.decode_exact(line)
    except canonical.CanonicalError as error:
        why = error.said
        raise _refuse(number, filled(_("can't be read: %(why)s"), why=why)) from error
    if not isinstance(row, dict) or not REQUIRED <= row.keys() <= REQUIRED | {"seg"}:
        keys = ", ".join(sorted(REQUIRED))
        raise _refuse(number, filled(_("must have the keys %(keys)s"), keys=keys))
    if not all(isinstance(row[key], str) for key in ("p", "sha256", "t", "src")):
        raise _refuse(number, _("has something other than text in p, sha256, t or src"))
    if not SHA256.fullmatch(row["sha256"]) or not _is_count(row["n"]):
        raise _refuse(number, _("has a digest or a size that can't be one"))
    if not _all(row["c"], int) or not _all(row["act"], str):
        raise _refuse(number, _("must list consent numbers in c and activity names in act"))
    segments = row.get("seg")
    if segments is not None and not _valid_segments(segments):
        raise _refuse(number, _("must list [start_ms, end_ms, consent] in seg, start before end"))
    return IndexRow(
        path=check_path(row["p"]),
        size=row["n"],
        sha256=row["sha256"],
        media_type=row["t"],
        source=row["src"],
        consents=tuple(row["c"]),
        activities=tuple(row["act"]),
        segments=segments and tuple((s[0], s[1], s[2]) for s in segments),
    )


def _valid_segments(segments: object) -> bool:
    return (
        isinstance(segments, list)
        and bool(segments)
        and all(
            _all(segment, int) and len(segment) == 3 and segment[0] < segment[1]
            for segment in cast("list[list[int]]", segments)
        )
    )


def lines(rows: Iterable[IndexRow]) -> Iterator[bytes]:
    """Yield the index's lines in order, each with its newline; refuses twins."""
    twins: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: row.path.encode()):
        key = path_key(row.path)
        if key in twins:
            sentence = _(
                "“%(path)s” and “%(twin)s” are one file on some systems; rename one of them."
            )
            raise InvalidIndexError(sentence, path=row.path, twin=twins[key])
        twins[key] = row.path
        yield row.line() + b"\n"


def parse(raw_lines: Iterable[bytes]) -> Iterator[IndexRow]:
    """Yield the rows of an index given as its lines (an open binary file will do).

    Refuses what is not canonical, unsorted, doubled, a twin, or cut short.
    """
    previous, keys = b"", set[str]()
    for number, raw in enumerate(raw_lines, start=1):
        if not raw.endswith(b"\n"):
            raise _refuse(number, _("is cut short: it does not end with a newline"))
        row = parse_line(raw[:-1], number)
        key = path_key(row.path)
        if key in keys:
            fault = _("names “%(path)s”, which is there already or has a twin")
            raise _refuse(number, filled(fault, path=row.path))
        if row.path.encode() <= previous:
            raise _refuse(number, _("is out of order: lines are sorted by path"))
        keys.add(key)
        previous = row.path.encode()
        yield row


def summarize(raw_lines: Iterable[bytes]) -> Summary:
    """Return count, bytes, digest and Merkle root of an index's lines, streamed and checked."""
    sha256, tree, size = hashlib.sha256(), RootBuilder(), 0

    def noted() -> Iterator[bytes]:
        for raw in raw_lines:
            sha256.update(raw)
            tree.add(raw.removesuffix(b"\n"))
            yield raw

    for row in parse(noted()):
        size += row.size
    return Summary(count=tree.size, bytes=size, sha256=sha256.hexdigest(), root=tree.root().hex())
