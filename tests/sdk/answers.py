"""What the API of the fake site answers, in the shapes of the real one.

tests/contracts/test_fake_site.py walks both with the same requests and compares the shapes.
"""

import hashlib
from typing import Any

from commonhold.errors import PROBLEM_BASE

Json = dict[str, Any]
TERMS = "You may train models.\n"
LICENSE = {
    "id": "https://w3id.org/commonhold/licenses/commercial-training/1.0",
    "name": "Commercial training",
    "spdx": "LicenseRef-Commonhold-Commercial-Training-1.0",
}
ORGANIZATION = {"slug": "radio-example", "name": "Radio Example"}
PURPOSES = ["commercial", "speech-recognition"]
SEALED_AT = "2026-11-20T22:00:00Z"
ME = {
    "user": {"email": "ada@radio.example", "name": "Ada"},
    "organization": ORGANIZATION,
    "role": "owner",
    "scopes": ["buy", "contribute", "download", "read"],
}
STEP = {
    "name": "text",
    "state": "done",
    "tool": "pocketsphinx",
    "tool_version": "5.1.2",
    "started_at": "2026-11-20T21:00:00Z",
    "ended_at": "2026-11-20T21:01:00Z",
    "error": "",
}
OFFER = {
    "id": 7,
    "profile": "commercial-training",
    "license": LICENSE,
    "version": 1,
    "price": {"amount_minor": 49000, "currency": "EUR"},
    "fee_minor": 4900,
    "total_minor": 53900,
    "term_days": 365,
    "benefit_share_bps": 0,
    "summary": "A company may train models with it and sell what it builds.",
    "allows": PURPOSES,
    "denies": ["voice-cloning"],
    "terms_sha256": hashlib.sha256(TERMS.encode()).hexdigest(),
    "active": True,
    "closed_because": None,
}
GRANT = {
    "id": "g1",
    "dataset": "radio-example/kurzwelle",
    "title": "Kurzwelle",
    "version": 1,
    "license": LICENSE,
    "licensee": "Example Speech GmbH",
    "valid_from": "2026-11-20T23:00:00Z",
    "valid_until": "2027-11-20T23:00:00Z",
    "state": "in-force",
    "consent_state": "given",
    "test": True,
    "log_index": 3,
    "url": "https://commonhold.example/api/v1/grants/g1/release",
}


def problem(status: int, code: str, detail: str) -> Json:
    """A refusal (RFC 9457)."""
    title = code.replace("-", " ").capitalize()
    return {
        "type": PROBLEM_BASE + code,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }


def page(results: list[Json], *, more: str | None = None) -> Json:
    """A page of a list."""
    return {"count": len(results), "next": more, "previous": None, "results": results}


def summary(name: str) -> Json:
    """A dataset in the catalogue."""
    slug = name.split("/")[1]
    return {
        "organization": ORGANIZATION,
        "slug": slug,
        "title": slug.capitalize(),
        "description": "",
        "language": "de",
        "task": "speech-recognition",
        "version": 1,
        "state": "sealed",
        "duration_ms": 3_723_000,
        "clips": 812,
        "speakers": 9,
        "allows": PURPOSES,
        "offers": [OFFER],
        "url": f"https://commonhold.example/d/{name}",
    }


def dataset(name: str, *, newest: int, state: str) -> Json:
    """A dataset with its versions, the newest first; all but the newest are sealed."""
    versions = [
        {
            "number": number,
            "state": state if number == newest else "sealed",
            "sealed_at": None if number == newest and state != "sealed" else SEALED_AT,
            "root": "" if number == newest and state != "sealed" else "ab" * 32,
            "begun_from": number - 1 or None,
            "offered": number < newest,
            "consent_state": None if number == newest and state != "sealed" else "given",
        }
        for number in range(newest, 0, -1)
    ]
    consent = {
        "speakers": 9,
        "records": 11,
        "allows": PURPOSES,
        "excludes": ["voice-cloning"],
        "state": "given",
    }
    looks: dict[str, list[str]] = {"mixed_scripts": [], "looks_like": []}
    more = looks | {"card": "", "versions": versions, "quality": {"clips": 812}, "consent": consent}
    return summary(name) | more


def file(path: str, data: bytes) -> Json:
    """A recording in a version."""
    return {
        "path": path,
        "kind": "audio",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "state": "complete",
        "error": None,
        "recording": 12,
        "language": "de",
        "duration_ms": 1000,
    }


def version(number: int, state: str, files: list[Json], *, run_error: str = "") -> Json:
    """A version, for its contributors."""
    run = {"phase": "intake", "state": "failed" if run_error else "done", "error": run_error}
    review = {"open_findings": 2, "unreviewed_segments": 3, "uncovered_segments": 0}
    review["unsettled_segments"] = 1
    return {
        "number": number,
        "state": state,
        "begun_from": number - 1 or None,
        "consent_state": None,
        "files": files,
        "runs": [run | {"path": one["path"], "steps": [STEP]} for one in files],
        "review": review if state == "review" else None,
        "left_out": [],
        "release": None,
        "seal_error": None,
    }


def received(path: str, data: bytes) -> Json:
    """What an upload became."""
    told = file(path, data)
    return {name: told[name] for name in ("path", "sha256", "size", "kind", "recording")}


def imported(**counts: int) -> Json:
    """What an import of consents made."""
    return {"speakers": 0, "records": 0, "scopes": 0, "known": 0, "voided": 0} | counts


def quote() -> Json:
    """What an offer costs now, with its terms."""
    return {
        "offer": OFFER,
        "price_minor": 49000,
        "fee_minor": 4900,
        "total_minor": 53900,
        "currency": "EUR",
        "terms_sha256": OFFER["terms_sha256"],
        "terms_text": TERMS,
        "test": True,
    }


def order(number: int) -> Json:
    """A license bought."""
    return {
        "id": f"o{number}",
        "state": "paid",
        "offer": OFFER["id"],
        "price_minor": 49000,
        "fee_minor": 4900,
        "total_minor": 53900,
        "currency": "EUR",
        "test": True,
        "grant": "g1",
        "created_at": "2026-11-20T23:00:00Z",
    }
