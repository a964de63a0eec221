"""A deployment in miniature: keys, a log, and a licensed release written to a folder."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commonhold import (
    canonical,
    index,
    manifest,
    merkle,
    notes,
    signing,
    sigstore,
    statuslist,
    tlog,
    trust,
)

# The present, so that the command line, which knows no other time, finds the license in force.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
ORIGIN = "log.commonhold.example/2026"
SITE = "https://commonhold.example"
CONSENT_URI = f"{SITE}/status/consent/17"
GRANT_URI = f"{SITE}/status/grant/3"
LICENSE_ID = "https://w3id.org/commonhold/licenses/commercial-training/1.0"
NAMES = {
    "README.md": b"# Kurzwelle\n",
    "metadata.jsonl": b"",
    "audio/morning/0001.flac": b"fLaC" + bytes(range(60)),
    "audio/morning/0002.flac": b"fLaC" + bytes(range(60, 120)),
    "text/notes.jsonl": '{"text":"Grüße aus dem Studio"}\n'.encode(),
}


def _metadata(files: dict[str, bytes]) -> bytes:
    rows = [
        {"file_name": name, "text": f"Guten Morgen {position}", "language": "de"}
        for position, name in enumerate(sorted(files))
        if name.startswith("audio/")
    ]
    return b"".join(canonical.encode(row) + b"\n" for row in rows)


@dataclass
class Site:
    manifest_key: signing.SigningKey = field(default_factory=lambda: signing.make_key("ES256"))
    log_key: signing.SigningKey = field(default_factory=lambda: signing.make_key("Ed25519"))
    status_key: signing.SigningKey = field(default_factory=lambda: signing.make_key("ES256"))
    origin: str = ORIGIN
    leaves: list[bytes] = field(default_factory=lambda: [b"one", b"two", b"three"])

    def trusted_root(self) -> bytes:
        since = NOW - timedelta(days=30)
        return trust.build_trusted_root(
            log_key=self.log_key,
            origin=self.origin,
            log_url=f"https://{self.origin}",
            log_start=since,
            manifest_keys=[trust.TrustedKey(self.manifest_key.public, since)],
            status_keys=[trust.TrustedKey(self.status_key.public, since)],
        )

    def prove(self, envelope: signing.Envelope) -> tlog.LogProof:
        body = tlog.entry_body(envelope, self.manifest_key.public)
        self.leaves += [body, b"a later entry"]
        hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]
        node, size = merkle.memory_nodes(hashes), len(hashes)
        checkpoint = notes.Checkpoint(self.origin, size, merkle.tree_root(size, node))
        return tlog.prove(size - 2, checkpoint.sign(self.log_key), size, node)

    def consent_status(self, statuses: list[int], issued: datetime = NOW) -> str:
        return statuslist.build_status_list(
            statuses=statuses, uri=CONSENT_URI, key=self.status_key, issued=issued
        )

    def grant_status(self, statuses: list[int], issued: datetime = NOW) -> str:
        return statuslist.build_status_list(
            statuses=statuses, uri=GRANT_URI, key=self.status_key, issued=issued
        )


def record(number: int, position: int, **changes: object) -> dict[str, object]:
    return {
        "c": number,
        "idx": position,
        "subjectRole": "presenter",
        "subjectPseudonym": f"p-{number:04d}",
        "commitment": manifest.commitment(b"0" * 16, {"id": number}),
        "status": "dpv:ConsentGiven",
        "given": (NOW - timedelta(days=100)).date().isoformat(),
        "expires": (NOW + timedelta(days=1000)).date().isoformat(),
        "purposes": ["speech-recognition", "commercial"],
        "excludes": ["voice-cloning"],
        "jurisdiction": "EU",
        "specialCategory": False,
        "withdrawalEffect": "no-new-licenses;licensee-delete-30d",
    } | changes


def rows_of(files: dict[str, bytes]) -> list[index.IndexRow]:
    return [
        index.IndexRow(
            path=name,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            media_type="audio/flac" if name.endswith(".flac") else "text/plain",
            source="src-0" if name.startswith("audio/") else "derived",
            consents=(number % 2,),
            activities=("a1",),
        )
        for number, (name, data) in enumerate(sorted(files.items()))
    ]


def release(rows: list[index.IndexRow], croissant: bytes) -> dict[str, object]:
    return manifest.build_release(
        release_id="urn:uuid:6f1f2c52-7d0b-4c39-9a55-0a41de5f6a10",
        dataset=f"{SITE}/d/kurzwelle-radio-de",
        version="1",
        title="Kurzwelle: transcribed community radio (de)",
        publisher={"name": "Radio Example e.V."},
        issued=NOW,
        index=index.summarize(index.lines(rows)),
        croissant_sha256=canonical.sha256_hex(croissant),
        sources=[{"id": "src-0", "type": "own-recording", "rightsBasis": "contract"}],
        consent=manifest.build_consent(
            status_uri=CONSENT_URI,
            records=[record(0, 5), record(1, 2)],
            summary={
                "subjects": 2,
                "segments": 2,
                "segmentsCovered": 2,
                "thirdPartyVoices": "removed",
                "minors": False,
            },
        ),
        processing=[
            {"id": "a1", "type": "redact", "tool": {"name": "commonhold", "version": "0.1.0"}}
        ],
    )


def license_block(text: bytes) -> dict[str, object]:
    return manifest.build_license(
        license_id=LICENSE_ID,
        name="Commercial Training License",
        version="1.0",
        text_sha256=canonical.sha256_hex(text),
        odrl={"@type": "Offer", "profile": "https://w3id.org/commonhold/odrl-profile/1"},
    )


def grant(block: dict[str, object], **changes: object) -> dict[str, object]:
    arguments: dict[str, object] = {
        "grant_id": "urn:uuid:0d5a4f7e-3f7b-4c5f-9a31-6e0b0b1c2d3e",
        "nonce": manifest.new_nonce(),
        "licensee": {"name": "Example Speech GmbH"},
        "license_block": block,
        "purposes_granted": ["speech-recognition", "commercial"],
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=365),
        "price": {"amount": "490.00", "currency": "EUR", "test": True},
        "revenue_shares": [("radio-example", 7000), ("speakers", 1500), ("commonhold", 1500)],
        "status_uri": GRANT_URI,
        "status_index": 1,
        "accepted_at": NOW - timedelta(seconds=19),
        "acceptance_method": "click",
    }
    return manifest.build_grant(**{**arguments, **changes})  # type: ignore[arg-type]


def statement(files: dict[str, bytes], text: bytes, croissant: bytes) -> dict[str, object]:
    rows = rows_of(files)
    block = license_block(text)
    return manifest.build_statement(
        release=release(rows, croissant),
        log_origin=ORIGIN,
        log_policy=f"{SITE}/.well-known/commonhold/trusted_root.json",
        rows=rows,
        license_block=block,
        grant=grant(block),
    )


def write(folder: Path, site: Site, statuses: list[int] | None = None) -> Path:
    """Write a whole licensed release, consents 5 and 2 of its status list, and return `folder`."""
    files = NAMES | {"metadata.jsonl": _metadata(NAMES)}
    text, croissant = b"You may train models.\n", json.dumps({"name": "kurzwelle"}).encode()
    envelope = signing.sign_payload(
        manifest.encode(statement(files, text, croissant)), site.manifest_key
    )
    proof = site.prove(envelope)
    verifier = trust.read_trusted_root(site.trusted_root()).log_vkey
    everything = files | {
        "LICENSE.txt": text,
        "croissant.json": croissant,
        "files.jsonl": b"".join(index.lines(rows_of(files))),
        "manifest.dsse.json": envelope.to_bytes(),
        "manifest.tlog-proof": proof.to_bytes(),
        "manifest.sigstore.json": sigstore.build_bundle(
            envelope, proof, site.manifest_key.public, verifier
        ),
        "consent-status.jwt": site.consent_status(statuses or [0] * 8).encode(),
        "trusted_root.json": site.trusted_root(),
    }
    for name, data in everything.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
