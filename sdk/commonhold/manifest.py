"""Statements about releases and licenses: built, read and checked here, and nowhere else.

An in-toto Statement v1 whose predicate is `licensed-release/v1`. Without `license` and `grant` it
is a **release attestation** (one per sealed version); with them, a **licensed release** (one per
grant). `releaseDigest` = SHA-256(JCS(release)) ties every grant to the one release.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import cast

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

from commonhold import canonical, purposes, times
from commonhold.consistency import Json, ManifestError, check_release, require
from commonhold.granting import check_grant
from commonhold.index import Summary
from commonhold.odrl import Duties
from commonhold.schemafaults import fault_of
from commonhold.sentences import _

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://w3id.org/commonhold/licensed-release/v1"
SCHEMA_ID = "https://w3id.org/commonhold/schema/licensed-release/v1"
CONSENT_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
CROISSANT_VERSION = "http://mlcommons.org/croissant/1.1"
MAX_SUBJECT_FILES = 1000
PAPERS = frozenset({"files.jsonl", "croissant.json", "LICENSE.txt"})
PROOFS = (
    "manifest.dsse.json",
    "manifest.sigstore.json",
    "manifest.tlog-proof",
    "consent-status.jwt",
    "trusted_root.json",
)


@cache
def schema() -> Json:
    """Return the JSON Schema (2020-12) of both kinds of statement."""
    text = resources.files("commonhold.schemas").joinpath("licensed-release-v1.json").read_text()
    return cast("Json", json.loads(text))


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def commitment(salt: bytes, record: Mapping[str, object]) -> str:
    """Return `sha256:` + SHA-256(salt ‖ JCS(record)): a consent's public shadow.

    Keep the salt (16 random bytes or more) with the private record; erasing both unlinks this.
    """
    return "sha256:" + hashlib.sha256(salt + canonical.encode(dict(record))).hexdigest()


def new_nonce() -> str:
    """Return 128 random bits in hex, which keep a grant's log entry from being guessed."""
    return secrets.token_hex(16)


def build_consent(
    *, records: Sequence[Mapping[str, object]], summary: Mapping[str, object]
) -> Json:
    """Return the public shadow of the consents; keys of `records` as in the schema's `record`."""
    return {
        "profile": CONSENT_PROFILE,
        "records": [dict(record) for record in records],
        "summary": dict(summary),
    }


def _files(index: Summary) -> Json:
    return {
        "count": index.count,
        "bytes": index.bytes,
        "index": {
            "path": "files.jsonl",
            "mediaType": "application/jsonl",
            "digest": {"sha256": index.sha256},
        },
        "merkle": {
            "alg": "RFC9162_SHA256",
            "leaf": "jcs-line",
            "root": index.root,
            "size": index.count,
        },
    }


def _croissant(sha256: str) -> Json:
    digest = {"sha256": sha256}
    return {"path": "croissant.json", "digest": digest, "conformsTo": CROISSANT_VERSION}


def build_release(
    *,
    release_id: str,
    dataset: str,
    name: str,
    instance: str,
    version: str,
    title: str,
    publisher: Mapping[str, object],
    issued: datetime,
    index: Summary,
    croissant_sha256: str,
    sources: Sequence[Mapping[str, object]],
    consent: Mapping[str, object],
    processing: Sequence[Mapping[str, object]],
    heard_ms: int,
    unheard_ms: int,
    scrubbing: Sequence[Mapping[str, object]] = (),
    supersedes: str | None = None,
    local_contexts: Sequence[Mapping[str, object]] = (),
) -> Json:
    """Return the `release` block, the same for every licensee.

    `release_id`, `dataset`, `instance` and `supersedes` are `urn:uuid:…`, so that they outlive any
    address; `name` is `organization/dataset`. `consent` comes from `build_consent`; `sources`,
    `processing` and `scrubbing` as in the schema's `source`, `activity` and `scrubbed`. `heard_ms`
    and `unheard_ms`: how much of what is published a person played before the seal or nobody did.
    """
    return {
        "id": release_id,
        "dataset": dataset,
        "name": name,
        "instance": instance,
        "version": version,
        "title": title,
        "publisher": dict(publisher),
        "issued": times.write(issued),
        "supersedes": supersedes,
        "files": _files(index),
        "sources": [dict(source) for source in sources],
        "consent": dict(consent),
        "processing": [dict(activity) for activity in processing],
        "review": {"heardMs": heard_ms, "unheardMs": unheard_ms},
        "scrubbing": [dict(one) for one in scrubbing],
        "labels": {"localContexts": [dict(label) for label in local_contexts]},
        "exports": {"croissant": _croissant(croissant_sha256)},
    }


def build_license(
    *,
    license_id: str,
    name: str,
    version: str,
    text_sha256: str,
    odrl: Mapping[str, object],
    language: str = "en",
    spdx: str | None = None,
) -> Json:
    """Return the `license` block: LICENSE.txt's digest and its ODRL twin, from one grant vector."""
    block: Json = {
        "id": license_id,
        "name": name,
        "version": version,
        "text": {"path": "LICENSE.txt", "digest": {"sha256": text_sha256}, "language": language},
        "odrl": dict(odrl),
    }
    return block if spdx is None else {**block, "spdx": spdx}


def _purposes(granted: Sequence[str], denied: Sequence[str]) -> Json:
    known = purposes.get
    return {
        "files": "all",
        "purposes": [known(slug).slug for slug in granted],
        "denies": [known(slug).slug for slug in denied],
    }


def build_grant(
    *,
    grant_id: str,
    nonce: str,
    licensee: Mapping[str, object],
    license_block: Mapping[str, object],
    purposes_granted: Sequence[str],
    valid_from: datetime,
    valid_until: datetime | None,
    price: Mapping[str, object],
    revenue_shares: Sequence[tuple[str, int]],
    status_uri: str,
    status_index: int,
    accepted_at: datetime,
    acceptance_method: str,
    purposes_denied: Sequence[str],
    duties: Duties,
    territory: str = "worldwide",
    models: str = "unlimited",
    sublicense: bool = False,
) -> Json:
    """Return the `grant` block: who may use the release for what, until when, who is paid.

    Purposes, duties and period must be those that the license's ODRL says. `price` as in the
    schema; shares: (payee, basis points), 10 000 in all, or none if free.
    """
    extent: Json = {"territory": territory, "models": models, "sublicense": sublicense}
    extent["duties"] = duties.as_dict()
    terms = cast("Json", license_block["text"])["digest"]
    accepted: Json = {"at": times.write(accepted_at), "termsDigest": terms}
    return {
        "id": grant_id,
        "nonce": nonce,
        "licensee": dict(licensee),
        "license": license_block["id"],
        "scope": _purposes(purposes_granted, purposes_denied) | extent,
        "validFrom": times.write(valid_from),
        "validUntil": None if valid_until is None else times.write(valid_until),
        "price": dict(price),
        "revenueShares": [{"payee": payee, "bps": bps} for payee, bps in revenue_shares],
        "status": {"uri": status_uri, "idx": status_index},
        "acceptance": accepted | {"method": acceptance_method},
    }


def build_statement(
    *,
    release: Json,
    log_origin: str,
    log_policy: str,
    subjects: Mapping[str, str],
    license_block: Json | None = None,
    grant: Json | None = None,
) -> Json:
    """Return the whole statement, checked; sign `encode(statement)`.

    `subjects` are the release's files and their SHA-256 (hex), if they are 1000 or fewer, so that
    `sha256sum -c` and cosign can check them without the index; none if there are more. A licensed
    release repeats those of its attestation (`file_subjects`). Raises ManifestError.
    """
    files = cast("Json", release["files"])
    croissant = cast("dict[str, Json]", release["exports"])["croissant"]
    named = {"files.jsonl": cast("Json", files["index"])["digest"]}
    named["croissant.json"] = croissant["digest"]
    predicate: Json = {"schema": SCHEMA_ID, "release": release}
    predicate["releaseDigest"] = {"sha256": canonical.digest(release)}
    predicate["log"] = {"origin": log_origin, "policy": log_policy}
    if license_block is not None and grant is not None:
        predicate |= {"license": license_block, "grant": grant}
        named["LICENSE.txt"] = cast("Json", license_block["text"])["digest"]
    named |= {path: {"sha256": sha256} for path, sha256 in subjects.items()}
    statement: Json = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": digest} for name, digest in named.items()],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    check(statement)
    return statement


def file_subjects(statement: Json) -> dict[str, str]:
    """Return the files that a statement names as subjects beside its papers, with their SHA-256."""
    return {
        cast("str", subject["name"]): cast("dict[str, str]", subject["digest"])["sha256"]
        for subject in cast("list[Json]", statement["subject"])
        if subject["name"] not in PAPERS
    }


def encode(statement: Json) -> bytes:
    """Return the payload to sign: the statement's JCS bytes, after checking it."""
    check(statement)
    return canonical.encode(statement)


def read(payload: bytes) -> Json:
    """Return the statement in a DSSE payload; it must be canonical, valid and consistent."""
    statement = cast("Json", canonical.decode_exact(payload))
    check(statement)
    return statement


def check(statement: Json) -> None:
    """Check a statement against schema and rules; ManifestError says where and what."""
    error = best_match(_validator().iter_errors(statement))
    if error is not None:
        sentence = _("The manifest is not valid: %(where)s %(fault)s.")
        raise ManifestError(sentence, where=error.json_path, fault=fault_of(error))
    predicate = cast("dict[str, Json]", statement["predicate"])
    check_release(predicate["release"], predicate["releaseDigest"])
    if "grant" in predicate:
        check_grant(predicate["grant"], predicate["license"], predicate["release"])
    _check_subjects(cast("list[Json]", statement["subject"]), predicate)


def _check_subjects(subjects: list[Json], predicate: dict[str, Json]) -> None:
    digests = {cast("str", subject["name"]): subject["digest"] for subject in subjects}
    require(len(digests) == len(subjects), _("it names one subject twice"))
    release = predicate["release"]
    expected = {
        "files.jsonl": cast("dict[str, Json]", release["files"])["index"]["digest"],
        "croissant.json": cast("dict[str, Json]", release["exports"])["croissant"]["digest"],
    }
    if "license" in predicate:
        expected["LICENSE.txt"] = cast("Json", predicate["license"]["text"])["digest"]
    for name, digest in expected.items():
        fault = _("its subject %(name)s has another digest inside")
        require(digests.get(name) == digest, fault, name=name)
    count = cast("int", cast("Json", release["files"])["count"])
    listed = count if count <= MAX_SUBJECT_FILES else 0
    require(len(digests) == len(expected) + listed, _("it does not list the files that it should"))
