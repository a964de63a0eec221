"""The `files` element: every byte of a downloaded release is what the manifest says, none is extra.

The index is streamed and files are hashed in pieces, so memory does not grow with their size.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

from commonhold import index
from commonhold.canonical import digest_file
from commonhold.consistency import Json
from commonhold.errors import CommonholdError
from commonhold.manifest import PROOFS, file_subjects
from commonhold.merkle import RootBuilder
from commonhold.paths import visible
from commonhold.report import Check, State
from commonhold.rowcheck import RowRules, disagreements
from commonhold.sentences import Sentence, _, filled, n_, told
from commonhold.trust import NotVouchedError, Trust
from commonhold.vouching import require_kin

MAX_SMALL, MAX_PAPER = 1024 * 1024, 16 * 1024 * 1024
# A manifest and the lists grow with the number of consents; keys and proofs are kilobytes.
LARGEST = dict.fromkeys(PROOFS, MAX_PAPER) | {
    "manifest.tlog-proof": MAX_SMALL,
    "trusted_root.json": MAX_SMALL,
}
# huggingface_hub keeps its own notes beside what it downloads, and under no other names.
OTHER_TOOLS = re.compile(
    r"\.cache/huggingface/(\.gitignore|CACHEDIR\.TAG|download/.+\.(metadata|lock))"
)
WORKERS = 4
BATCH = 256
MAX_LISTED = 1000
CHANGED = _("was changed: its SHA-256 is not the one that was signed")
TWO_DIGESTS = _("has one digest in the manifest and another in the index")


@dataclass
class _Inspection:
    """What was signed, what is there, and what was found so far."""

    subjects: Mapping[str, object]
    withdrawn: frozenset[int]
    rules: RowRules
    present: dict[str, Path] = field(default_factory=dict)
    faults: list[tuple[str, Sentence]] = field(default_factory=list)
    affected: list[str] = field(default_factory=list)
    checked: int = 0
    bytes: int = 0

    def add(self, path: str, fault: Sentence | None) -> None:
        if fault is not None:
            self.faults.append((path, fault))


def _listing(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    ahead = [(str(folder), "")]
    while ahead:
        path, prefix = ahead.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                name = prefix + unicodedata.normalize("NFC", entry.name)
                if entry.is_dir(follow_symlinks=False):
                    ahead.append((entry.path, f"{name}/"))
                else:
                    yield name, entry


def _fault_of(path: Path | None, sha256: object, size: int | None = None) -> Sentence | None:
    if path is None:
        return _("is missing")
    if size is not None and path.stat().st_size != size:
        there = path.stat().st_size
        return filled(_("has %(bytes)s bytes instead of %(signed)s"), bytes=there, signed=size)
    if digest_file(path)[0] != sha256:
        return CHANGED
    return None


def _index_lines(path: Path, tree: RootBuilder) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            tree.add(line.removesuffix(b"\n"))
            yield line


def _check_rows(rows: Iterable[index.IndexRow], found: _Inspection) -> set[str]:
    names: set[str] = set()
    rows = iter(rows)
    with ThreadPoolExecutor(WORKERS) as pool:
        while batch := list(islice(rows, BATCH)):
            faults = pool.map(
                lambda row: _fault_of(found.present.get(row.path), row.sha256, row.size), batch
            )
            for row, fault in zip(batch, faults, strict=True):
                found.add(row.path, fault)
                found.add(row.path, found.rules.fault(row))
                if found.subjects.get(row.path, row.sha256) != row.sha256:
                    found.add(row.path, TWO_DIGESTS)
                if found.withdrawn.intersection(row.consents):
                    found.affected.append(row.path)
                names.add(row.path)
                found.checked += 1
                found.bytes += row.size
    return names


def _check_index(files: Json, found: _Inspection) -> set[str] | None:
    """Check files.jsonl and all it lists; return the names that it lists, if it can be used."""
    path = found.present.get("files.jsonl")
    fault = _fault_of(path, found.subjects["files.jsonl"])
    if path is None or fault is not None:
        found.add("files.jsonl", fault)
        return None
    tree = RootBuilder()
    try:
        names = _check_rows(index.parse(_index_lines(path, tree)), found)
    except CommonholdError as error:
        why = error.said
        found.add("files.jsonl", filled(_("can't be relied on: %(why)s"), why=why))
        return None
    merkle = cast("Json", files["merkle"])
    if (tree.root().hex(), tree.size) != (merkle["root"], merkle["size"]):
        found.add("files.jsonl", _("does not add up to the Merkle root that was signed"))
    elif found.bytes != files["bytes"]:
        found.add("files.jsonl", _("does not add up to the size that was signed"))
    return names


def _check_root(path: Path | None, trust: Trust, found: _Inspection) -> None:
    """Whoever takes keys from beside the papers must find those that the papers were held to."""
    try:
        if path is not None:
            with path.open("rb") as file:
                require_kin(trust, file.read(MAX_SMALL + 1))
    except NotVouchedError as error:
        fault = _("is not the one of the keys that count here: %(why)s")
        found.add("trusted_root.json", filled(fault, why=error.said))
    except CommonholdError as error:
        why = error.said
        found.add("trusted_root.json", filled(_("is damaged: %(why)s"), why=why))


def _take_stock(folder: Path, found: _Inspection) -> None:
    for name, entry in _listing(folder):
        if OTHER_TOOLS.fullmatch(name) and entry.is_file(follow_symlinks=False):
            continue
        if name in found.present:
            found.add(name, _("is there twice under names that look alike"))
        if entry.is_symlink() or not entry.is_file(follow_symlinks=False):
            found.add(name, _("is a link or a device, not a file"))
            continue
        found.present[name] = Path(entry.path)


def check_files(folder: Path, statement: Json, trust: Trust, withdrawn: frozenset[int]) -> Check:
    """Compare a folder with a verified statement; name every missing, changed or extra file.

    `trust` are the keys that it was verified by, and those beside it must belong to them.
    `withdrawn`: numbers of consents; the files resting on them are listed in the details.
    """
    predicate = cast("dict[str, Json]", statement["predicate"])
    subjects = {
        cast("str", subject["name"]): cast("Json", subject["digest"])["sha256"]
        for subject in cast("list[Json]", statement["subject"])
    }
    release = predicate["release"]
    found = _Inspection(subjects, withdrawn, RowRules(release))
    _take_stock(folder, found)
    listed = _check_index(cast("Json", release["files"]), found)
    found.faults += [] if listed is None else disagreements(statement, listed)
    known = listed or set()
    for name in sorted(subjects.keys() - known - {"files.jsonl"}):
        found.add(name, _fault_of(found.present.get(name), subjects[name]))
    for name in PROOFS:
        found.add(name, None if name in found.present else _("is missing"))
    _check_root(found.present.get("trusted_root.json"), trust, found)
    # Without an index nobody knows what is too many for the manifest to name.
    if listed is not None or file_subjects(statement):
        for name in sorted(found.present.keys() - known - subjects.keys() - set(PROOFS)):
            found.add(name, _("is not part of the release; take it away"))
    return _conclude(found)


def _conclude(found: _Inspection) -> Check:
    details: dict[str, object] = {"checked": found.checked, "bytes": found.bytes}
    if found.affected:
        details["withdrawn_files"] = found.affected[:MAX_LISTED]
    if not found.faults:
        sentence = n_(
            "All %(checked)s files are exactly what was signed, and none is extra.",
            "All %(checked)s files are exactly what was signed, and none is extra.",
            found.checked,
        )
        return Check(State.OK, sentence, details)
    path, fault = found.faults[0]
    more = len(found.faults) - 1
    details["faults"] = [
        {"path": visible(path), "fault": told(fault, {})}
        for path, fault in found.faults[:MAX_LISTED]
    ]
    sentence = n_(
        "“%(path)s” %(fault)s. And %(more)s more.", "“%(path)s” %(fault)s. And %(more)s more.", more
    )
    words = {"path": visible(path), "fault": fault, "more": more}
    return Check(State.FAILED, sentence if more else _("“%(path)s” %(fault)s."), details, words)
