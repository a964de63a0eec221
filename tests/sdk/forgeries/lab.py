"""Where releases are forged: by an outsider, who has no key, and by an issuer, who has them all.

A forgery is a row of a table: its name, what is done to a good release, which check of the vector
must fail, and words of the reason that it must give. Nothing else may fail.
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonhold import canonical, merkle, signing, sigstore, tlog
from commonhold.trust import Trust

from tests.sdk import bundles

Json = dict[str, Any]
RELEASE = "predicate.release"
GRANT = "predicate.grant"
LICENSE = "predicate.license"
SCOPE = f"{GRANT}.scope"
ODRL = f"{LICENSE}.odrl"
RECORD = f"{RELEASE}.consent.records.0"


@dataclass
class Lab:
    """A good release in a folder, the keys that it was signed with, and what the site answers."""

    folder: Path
    site: bundles.Site
    answers: dict[str, bytes] = field(default_factory=dict)
    """Fresh status lists by address; with any, the verifier asks."""
    trust: Trust | None = None
    """The keys that count, where they are not the first that the site had."""

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def json(self, name: str) -> Any:
        return json.loads(self.read(name))

    def statement_bytes(self) -> bytes:
        return signing.parse_envelope(self.read("manifest.dsse.json")).payload

    def statement(self) -> Json:
        return json.loads(self.statement_bytes())

    def sign(self, payload: bytes, payload_type: str = signing.PAYLOAD_TYPE) -> None:
        """Sign a payload with the site's own key, log it, and write the papers."""
        self.publish(signing.sign_payload(payload, self.site.manifest_key, payload_type))

    def publish(self, envelope: signing.Envelope) -> None:
        """Log an envelope and write the papers that prove it."""
        proof = self.site.prove(envelope)
        self.write("manifest.dsse.json", envelope.to_bytes())
        self.show(envelope, proof)

    def show(self, envelope: signing.Envelope, proof: tlog.LogProof) -> None:
        """Write the papers of a log entry."""
        key, verifier = self.site.manifest_key.public, self.site.trust().log_vkey
        self.write("manifest.tlog-proof", proof.to_bytes())
        bundle = sigstore.build_bundle(envelope, proof, key, verifier)
        self.write("manifest.sigstore.json", bundle)

    def issue(self, statement: Json) -> None:
        """Sign a statement as an issuer would who does not check what it says."""
        release = statement["predicate"]["release"]
        statement["predicate"]["releaseDigest"] = {"sha256": canonical.digest(release)}
        self.sign(canonical.encode(statement))

    def reindex(self, lines: bytes, *, size: int | None = None) -> None:
        """Issue the release over another index, with all digests right."""
        self.write("files.jsonl", lines)
        statement = self.statement()
        raw = lines.splitlines(keepends=True)
        files = statement["predicate"]["release"]["files"]
        builder = merkle.RootBuilder()
        for line in raw:
            builder.add(line.removesuffix(b"\n"))
        files["index"]["digest"] = {"sha256": canonical.sha256_hex(lines)}
        files["merkle"] |= {"root": builder.root().hex(), "size": len(raw)}
        files["count"] = len(raw)
        files["bytes"] = files["bytes"] if size is None else size
        statement["subject"][0]["digest"] = files["index"]["digest"]
        self.issue(statement)


@dataclass(frozen=True)
class Forgery:
    """One row of a table."""

    name: str
    make: Callable[[Lab], None]
    check: str
    reason: str
    also: Sequence[str] = ()
    """Other checks that this forgery makes fail as well."""


def find(document: Any, path: str) -> tuple[Any, str | int]:
    """The part of a document that holds the last step of a dotted path, and that step."""
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for parent in parents:
        document = document[parent]
    return document, last


def put(path: str, value: Any) -> Callable[[Json], None]:
    """Set a part of a document."""

    def edit(document: Json) -> None:
        holder, last = find(document, path)
        holder[last] = copy.deepcopy(value)

    return edit


def add(path: str, value: Any) -> Callable[[Json], None]:
    """Append to a list of a document."""

    def edit(document: Json) -> None:
        holder, last = find(document, path)
        holder[last].append(copy.deepcopy(value))

    return edit


def drop(path: str) -> Callable[[Json], None]:
    """Take a part of a document away."""

    def edit(document: Json) -> None:
        holder, last = find(document, path)
        del holder[last]

    return edit


def issued(*edits: Callable[[Json], None]) -> Callable[[Lab], None]:
    """The issuer signs another statement, all digests right."""

    def make(lab: Lab) -> None:
        statement = lab.statement()
        for edit in edits:
            edit(statement)
        lab.issue(statement)

    return make


def signed_only(*edits: Callable[[Json], None]) -> Callable[[Lab], None]:
    """The issuer signs another statement and corrects no digest in it."""

    def make(lab: Lab) -> None:
        statement = lab.statement()
        for edit in edits:
            edit(statement)
        lab.sign(canonical.encode(statement))

    return make


def row_edit(path: str, **changes: Any) -> Callable[[Lab], None]:
    """The issuer signs an index in which one line says something else."""

    def make(lab: Lab) -> None:
        rows = [json.loads(line) for line in lab.read("files.jsonl").splitlines()]
        for row in rows:
            if row["p"] == path:
                row.update(changes)
        lab.reindex(b"".join(canonical.encode(row) + b"\n" for row in rows))

    return make


def index_edit(edit: Callable[[list[bytes]], list[bytes]]) -> Callable[[Lab], None]:
    """The issuer signs another list of lines."""

    def make(lab: Lab) -> None:
        lines = lab.read("files.jsonl").splitlines(keepends=True)
        lab.reindex(b"".join(edit(lines)))

    return make
