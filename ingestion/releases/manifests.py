"""The signed word about a release: who published what, on whose consent, made how."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from commonhold import manifest, times
from commonhold.index import Summary
from commonhold.manifest import MAX_SUBJECT_FILES
from django.conf import settings

from accounts.models import Organization
from ingestion.consent.records import STATUS_LIST
from ingestion.models import ConsentRecord, Dataset, StepRun, Version
from notary import instance, statements, status
from notary.models import Statement

LOG_POLICY = "/.well-known/commonhold/trusted_root.json"
SOURCE = {"id": "src-0", "type": "contributor-upload", "rightsBasis": "consent"}


def dataset_id(dataset: Dataset) -> str:
    """Return the dataset's URN, the same wherever this deployment moves."""
    return instance.urn("dataset", dataset.pk)


def release_id(version: Version) -> str:
    """Return the release's URN, the same wherever this deployment moves."""
    return instance.urn("dataset", version.dataset_id, "version", version.number)


def build_release(
    *,
    version: Version,
    issued: datetime,
    index: Summary,
    croissant_sha256: str,
    records: list[ConsentRecord],
    activities: list[dict[str, Any]],
    counts: Mapping[str, Any],
    summary: Mapping[str, object],
) -> dict[str, Any]:
    """Return the `release` object (commonhold.manifest.build_release) of a version to be sealed.

    `counts` are the version's totals, `summary` the consent block's.
    """
    dataset = version.dataset
    before = dataset.versions.filter(number__lt=version.number).newest_sealed()
    places = status.places_of(name=STATUS_LIST, indexes=[record.status_index for record in records])
    return manifest.build_release(
        release_id=release_id(version),
        dataset=dataset_id(dataset),
        name=str(dataset),
        instance=f"urn:uuid:{instance.instance_id()}",
        version=str(version.number),
        title=dataset.title,
        publisher=party(dataset.organization),
        issued=issued,
        index=index,
        croissant_sha256=croissant_sha256,
        sources=[SOURCE | {"rightsHolder": dataset.organization.name}],
        consent=manifest.build_consent(
            records=[
                shadow(number, record, places[record.status_index])
                for number, record in enumerate(records)
            ],
            summary=summary,
        ),
        processing=activities,
        heard_ms=counts["heard_ms"],
        unheard_ms=counts["unheard_ms"],
        scrubbing=counts["scrubbing"],
        supersedes=release_id(before) if before else None,
    )


def party(organization: Organization) -> dict[str, object]:
    """Return an organization as a manifest names it."""
    named: dict[str, object] = {"name": organization.name}
    return named | {"country": organization.country} if organization.country else named


def shadow(number: int, record: ConsentRecord, place: status.Place) -> dict[str, object]:
    """Return what is published of a consent: a pseudonym, dates, purposes and a commitment."""
    return {
        "c": number,
        "statusList": {"uri": place.uri, "idx": place.position},
        "subjectRole": record.speaker.role,
        "subjectPseudonym": record.speaker.pseudonym,
        "commitment": f"sha256:{record.commitment}",
        "state": "dpv:ConsentGiven",
        "given": record.given_on.isoformat(),
        "expires": record.expires_on.isoformat() if record.expires_on else None,
        "purposes": record.standing_purposes,
        "excludes": sorted({*record.excluded_purposes, *record.withdrawn_purposes}),
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


def subjects_of(files: Mapping[str, str]) -> dict[str, str]:
    """Return the files (path → SHA-256) that statements about a release list: all, or none."""
    return dict(files) if len(files) <= MAX_SUBJECT_FILES else {}


def sign(
    *,
    release: dict[str, Any],
    subjects: Mapping[str, str],
    license_block: dict[str, Any] | None = None,
    grant: dict[str, Any] | None = None,
) -> Statement:
    """Build, check and sign a statement, and hand it to the log, in the caller's transaction."""
    statement = manifest.build_statement(
        release=release,
        log_origin=instance.log_origin(),
        log_policy=settings.SITE_URL + LOG_POLICY,
        subjects=subjects,
        license_block=license_block,
        grant=grant,
    )
    return statements.issue(payload=manifest.encode(statement))
