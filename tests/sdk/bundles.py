"""A deployment in miniature: keys, a log, and a licensed release written to a folder."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commonhold import (
    canonical,
    index,
    manifest,
    merkle,
    notes,
    odrl,
    purposes,
    signing,
    sigstore,
    statuslist,
    tlog,
    trust,
)

# The present, so that the command line, which knows no other time, finds the license in force.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
SINCE = NOW - timedelta(days=30)
ORIGIN = "log.commonhold.example"
SITE = "https://commonhold.example"
CONSENT_URI = f"{SITE}/status/consent/17"
GRANT_URI = f"{SITE}/status/grant/3"
GRANTED = ("speech-recognition", "commercial")
DUTIES = odrl.Duties(attribution=True, delete_on_withdrawal_days=30)
TERM_DAYS = 365
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
    root_key: signing.SigningKey = field(default_factory=lambda: signing.make_key("Ed25519"))
    origin: str = ORIGIN
    address: str = SITE
    leaves: list[bytes] = field(default_factory=lambda: [b"one", b"two", b"three"])

    def trust(self, **changes: object) -> trust.Trust:
        known = trust.Trust(
            version=1,
            expires=NOW + timedelta(days=90),
            instance="urn:uuid:2b1f6a0e-3d57-4a55-8a57-0d0f3a1f7c11",
            site=self.address,
            origin=self.origin,
            log_keys=(trust.TrustedLog(notes.vkey(self.origin, self.log_key.public), SINCE),),
            manifest_keys=(trust.TrustedKey(self.manifest_key.public, SINCE),),
            status_keys=(trust.TrustedKey(self.status_key.public, SINCE),),
            root_keys=(trust.TrustedKey(self.root_key.public, SINCE),),
        )
        return replace(known, **changes)

    def trusted_root(self, *cosigners: signing.SigningKey, **changes: object) -> bytes:
        return trust.build_trusted_root(self.trust(**changes), [self.root_key, *cosigners])

    def prove(self, envelope: signing.Envelope) -> tlog.LogProof:
        body = tlog.entry_body(envelope, self.manifest_key.public)
        self.leaves += [body, b"a later entry"]
        hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]
        node, size = merkle.memory_nodes(hashes), len(hashes)
        checkpoint = notes.Checkpoint(self.origin, size, merkle.tree_root(size, node))
        return tlog.prove(size - 2, checkpoint.sign(self.log_key), size, node)

    def status_list(self, statuses: list[int], uri: str, **more: object) -> str:
        facts = {"issued": NOW, "signer": self.status_key} | more
        return statuslist.build_status_list(data=statuslist.pack(statuses), uri=uri, **facts)

    def consent_status(self, statuses: list[int], **more: object) -> str:
        return self.status_list(statuses, CONSENT_URI, **more)

    def grant_status(self, statuses: list[int], **more: object) -> str:
        return self.status_list(statuses, GRANT_URI, **more)


def record(number: int, position: int, **changes: object) -> dict[str, object]:
    return {
        "c": number,
        "statusList": {"uri": CONSENT_URI, "idx": position},
        "subjectRole": "presenter",
        "subjectPseudonym": f"p-{number:04d}",
        "commitment": manifest.commitment(b"0" * 16, {"id": number}),
        "state": "dpv:ConsentGiven",
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
            source="src-0",
            consents=(number % 2,),
            activities=("a1",),
        )
        for number, (name, data) in enumerate(sorted(files.items()))
    ]


def release(
    rows: list[index.IndexRow],
    croissant: bytes,
    records: Sequence[dict[str, object]] | None = None,
    issued: datetime = NOW,
) -> dict[str, object]:
    shown = [record(0, 5), record(1, 2)] if records is None else records
    return manifest.build_release(
        release_id="urn:uuid:6f1f2c52-7d0b-4c39-9a55-0a41de5f6a10",
        dataset="urn:uuid:9d5b3c3e-5f0a-4d0e-8a51-6a2f6a1c0b77",
        name="radio-example/kurzwelle-radio-de",
        instance="urn:uuid:2b1f6a0e-3d57-4a55-8a57-0d0f3a1f7c11",
        version="1",
        title="Kurzwelle: transcribed community radio (de)",
        publisher={"name": "Radio Example e.V."},
        issued=issued,
        index=index.summarize(index.lines(rows)),
        croissant_sha256=canonical.sha256_hex(croissant),
        sources=[{"id": "src-0", "type": "own-recording", "rightsBasis": "contract"}],
        consent=manifest.build_consent(
            records=shown,
            summary={
                "subjects": len({one["subjectPseudonym"] for one in shown}),
                "segments": 2,
                "segmentsCovered": 2,
                "thirdPartyVoices": "removed",
                "minors": False,
            },
        ),
        processing=[
            {"id": "a1", "type": "redact", "tool": {"name": "commonhold", "version": "0.1.0"}}
        ],
        heard_ms=4000,
        unheard_ms=2000,
    )


def denied(granted: Sequence[str]) -> list[str]:
    """What a license denies that grants these purposes."""
    return [slug for slug in purposes.BY_SLUG if slug not in granted]


def license_block(
    text: bytes,
    granted: Sequence[str] = GRANTED,
    term_days: int | None = TERM_DAYS,
    duties: odrl.Duties = DUTIES,
) -> dict[str, object]:
    return manifest.build_license(
        license_id=LICENSE_ID,
        name="Commercial Training License",
        version="1.0",
        text_sha256=canonical.sha256_hex(text),
        odrl=odrl.policy(
            iri=LICENSE_ID,
            purposes=granted,
            denies=denied(granted),
            duties=duties,
            term_days=term_days,
        ),
    )


def grant(block: dict[str, object], **changes: object) -> dict[str, object]:
    arguments: dict[str, object] = {
        "grant_id": "urn:uuid:0d5a4f7e-3f7b-4c5f-9a31-6e0b0b1c2d3e",
        "nonce": manifest.new_nonce(),
        "licensee": {"name": "Example Speech GmbH"},
        "license_block": block,
        "purposes_granted": GRANTED,
        "purposes_denied": denied(changes.get("purposes_granted", GRANTED)),
        "duties": DUTIES,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=TERM_DAYS),
        "price": {"amount": "490.00", "currency": "EUR", "test": True},
        "revenue_shares": [("radio-example", 7000), ("speakers", 1500), ("commonhold", 1500)],
        "status_uri": GRANT_URI,
        "status_index": 1,
        "accepted_at": NOW - timedelta(seconds=19),
        "acceptance_method": "click",
    }
    return manifest.build_grant(**{**arguments, **changes})  # type: ignore[arg-type]


def statement(
    files: dict[str, bytes],
    text: bytes,
    croissant: bytes,
    records: Sequence[dict[str, object]] | None = None,
) -> dict[str, object]:
    rows = rows_of(files)
    block = license_block(text)
    return manifest.build_statement(
        release=release(rows, croissant, records),
        log_origin=ORIGIN,
        log_policy=f"{SITE}/.well-known/commonhold/trusted_root.json",
        subjects={row.path: row.sha256 for row in rows if len(rows) <= manifest.MAX_SUBJECT_FILES},
        license_block=block,
        grant=grant(block),
    )


def lines(*tokens: str) -> bytes:
    """consent-status.jwt of these status lists."""
    return "".join(f"{token}\n" for token in tokens).encode()


def write(
    folder: Path,
    site: Site,
    statuses: list[int] | None = None,
    records: Sequence[dict[str, object]] | None = None,
) -> Path:
    """Write a whole licensed release, consents 5 and 2 of its status list, and return `folder`."""
    files = NAMES | {"metadata.jsonl": _metadata(NAMES)}
    text, croissant = b"You may train models.\n", json.dumps({"name": "kurzwelle"}).encode()
    envelope = signing.sign_payload(
        manifest.encode(statement(files, text, croissant, records)), site.manifest_key
    )
    proof = site.prove(envelope)
    verifier = site.trust().log_vkey
    everything = files | {
        "LICENSE.txt": text,
        "croissant.json": croissant,
        "files.jsonl": b"".join(index.lines(rows_of(files))),
        "manifest.dsse.json": envelope.to_bytes(),
        "manifest.tlog-proof": proof.to_bytes(),
        "manifest.sigstore.json": sigstore.build_bundle(
            envelope, proof, site.manifest_key.public, verifier
        ),
        "consent-status.jwt": lines(site.consent_status(statuses or [0] * 8)),
        "trusted_root.json": site.trusted_root(),
    }
    for name, data in everything.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
