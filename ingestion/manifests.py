"""The signed word about a release: who published what, on whose consent, made how."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from commonhold import manifest, sigstore, times
from commonhold.index import IndexRow, Summary
from commonhold.notes import vkey
from commonhold.signing import Envelope, envelope_from, sign_payload
from django.conf import settings

from accounts.models import Organization
from ingestion import keys, transparency
from ingestion.models import ConsentRecord, LogEntry, StepRun, Version

CONSENT_LIST = "/status/consent/0"
LOG_POLICY = "/.well-known/commonhold/trusted_root.json"
SOURCE = {"id": "src-0", "type": "contributor-upload", "rightsBasis": "consent"}
RELEASE_NAMESPACE = uuid.UUID("5a3bb0a4-6f0e-4bd1-9d5c-0f8b9f3a7a11")


def release_id(version: Version) -> str:
    """Return the release's URN, the same for the same version of this deployment."""
    name = f"{settings.SITE_URL}/d/{version.dataset}@{version.number}"
    return f"urn:uuid:{uuid.uuid5(RELEASE_NAMESPACE, name)}"


def build_release(
    *,
    version: Version,
    issued: datetime,
    index: Summary,
    croissant_sha256: str,
    records: list[ConsentRecord],
    activities: list[dict[str, Any]],
    counts: Mapping[str, object],
) -> dict[str, Any]:
    """Return the `release` object (commonhold.manifest.build_release) of a version to be sealed."""
    dataset = version.dataset
    before = (
        dataset.versions.filter(number__lt=version.number, state=Version.State.SEALED)
        .order_by("-number")
        .first()
    )
    return manifest.build_release(
        release_id=release_id(version),
        dataset=f"{settings.SITE_URL}/d/{dataset}",
        version=str(version.number),
        title=dataset.title,
        publisher=party(dataset.organization),
        issued=issued,
        index=index,
        croissant_sha256=croissant_sha256,
        sources=[SOURCE | {"rightsHolder": dataset.organization.name}],
        consent=manifest.build_consent(
            status_uri=settings.SITE_URL + CONSENT_LIST,
            records=[shadow(number, record) for number, record in enumerate(records)],
            summary=counts,
        ),
        processing=activities,
        supersedes=release_id(before) if before else None,
    )


def party(organization: Organization) -> dict[str, object]:
    """Return an organization as a manifest names it."""
    named: dict[str, object] = {"name": organization.name}
    return named | {"country": organization.country} if organization.country else named


def shadow(number: int, record: ConsentRecord) -> dict[str, object]:
    """Return what is published of a consent: a pseudonym, dates, purposes and a commitment."""
    return {
        "c": number,
        "idx": record.status_index,
        "subjectRole": record.speaker.role,
        "subjectPseudonym": record.speaker.pseudonym,
        "commitment": f"sha256:{record.commitment}",
        "status": "dpv:ConsentGiven",
        "given": record.given_on.isoformat(),
        "expires": record.expires_on.isoformat() if record.expires_on else None,
        "purposes": record.purposes,
        "excludes": record.excluded_purposes,
        "jurisdiction": record.jurisdiction,
        "specialCategory": False,
        "withdrawalEffect": "no-new-licenses;licensee-delete-per-license",
    }


def activities(steps: Iterable[StepRun]) -> list[dict[str, Any]]:
    """Return one W3C PROV activity per step, tool and parameters, in order, with counts."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for step in steps:
        if step.started_at is None or step.ended_at is None:
            continue
        key = (step.name, step.tool, step.tool_version, step.model_sha256, str(step.parameters))
        started, ended = times.write(step.started_at), times.write(step.ended_at)
        activity = found.setdefault(
            key,
            {
                "id": f"a{len(found) + 1}",
                "type": step.name,
                "tool": {"name": step.tool, "version": step.tool_version},
                "params": {
                    name: str(value)
                    for name, value in step.parameters.items()
                    if name != "checkpoint"
                },
                "counts": {"files": 0},
                "started": started,
                "ended": ended,
            },
        )
        if step.model_sha256:
            activity["model"] = {"digest": {"sha256": step.model_sha256}}
        activity["counts"]["files"] += 1
        activity["started"] = min(activity["started"], started)
        activity["ended"] = max(activity["ended"], ended)
    ordered = list(found.values())
    for before, after in pairwise(ordered):
        after["after"] = [before["id"]]
    return ordered


def sign(
    *,
    release: dict[str, Any],
    rows: Iterable[IndexRow],
    license_block: dict[str, Any] | None = None,
    grant: dict[str, Any] | None = None,
) -> tuple[Envelope, LogEntry]:
    """Build, check, sign and log a statement, in the caller's transaction."""
    statement = manifest.build_statement(
        release=release,
        log_origin=settings.LOG_ORIGIN,
        log_policy=settings.SITE_URL + LOG_POLICY,
        rows=rows,
        license_block=license_block,
        grant=grant,
    )
    envelope = sign_payload(manifest.encode(statement), keys.manifest_key())
    return envelope, transparency.append(envelope=envelope)


def documents(*, envelope: Mapping[str, object], entry: LogEntry) -> dict[str, bytes]:
    """Return the files that prove a statement: envelope, Sigstore bundle, log proof, keys."""
    signed = envelope_from(dict(envelope))
    proof = transparency.prove(entry=entry)
    verifier = vkey(settings.LOG_ORIGIN, keys.log_key().public)
    bundle = sigstore.build_bundle(signed, proof, keys.manifest_key().public, verifier)
    return {
        "manifest.dsse.json": signed.to_bytes(),
        "manifest.sigstore.json": bundle,
        "manifest.tlog-proof": proof.to_bytes(),
        "trusted_root.json": keys.trusted_root(),
    }
