"""Using a license: is it in force, does consent still hold, and what may be taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commonhold import canonical
from commonhold.errors import CommonholdError
from django.utils import timezone

from ingestion import coverage, manifests, releases
from ingestion.models import Version
from licensing import status
from licensing.models import AccessRecord, Grant


class GrantNotInForce(CommonholdError):
    """The license has ended or was revoked."""

    code = "license-not-in-force"
    status = 403


class ConsentNotInForce(CommonholdError):
    """Somebody who is heard in the version withdrew, or their consent ran out."""

    code = "consent-not-in-force"
    status = 403


@dataclass(frozen=True)
class AccessState:
    """Whether a grant can be used now.

    `license`: in-force, expired, revoked or not-yet; `consent`: given, withdrawn or expired.
    """

    license: str
    consent: str

    @property
    def is_open(self) -> bool:
        """Whether the release may be taken."""
        return self.license == "in-force" and self.consent == "given"


@dataclass(frozen=True)
class ReleaseFile:
    """A file of the layout: in the store (`blob_sha256`) or made for this grant (`content`)."""

    path: str
    size: int
    sha256: str
    media_type: str
    blob_sha256: str | None = None
    content: bytes | None = None


def state(*, grant: Grant, at: datetime | None = None) -> AccessState:
    """Return whether the license is in force and consent holds, now or at a moment."""
    return states(grants=[grant], at=at)[grant.pk]


def states(*, grants: Sequence[Grant], at: datetime | None = None) -> dict[UUID, AccessState]:
    """Return the state of each grant by its id, asking about the consents once."""
    moment = at or timezone.now()
    consent = coverage.states(versions={grant.version for grant in grants}, at=moment)
    return {
        grant.pk: AccessState(
            license=license_state(grant=grant, moment=moment), consent=consent[grant.version_id]
        )
        for grant in grants
    }


def license_state(*, grant: Grant, moment: datetime) -> str:
    """Return whether the license is in force, its dates included."""
    if grant.state == Grant.State.REVOKED:
        return "revoked"
    if moment < grant.valid_from:
        return "not-yet"
    if grant.valid_until is not None and moment >= grant.valid_until:
        return "expired"
    return "in-force"


def require(*, grant: Grant) -> None:
    """Raise GrantNotInForce or ConsentNotInForce unless the release may be taken now."""
    now = state(grant=grant)
    dataset = grant.version.dataset
    if now.license != "in-force":
        words = {
            "revoked": "was revoked",
            "expired": f"ended on {grant.valid_until:%Y-%m-%d}" if grant.valid_until else "ended",
            "not-yet": f"begins on {grant.valid_from:%Y-%m-%d}",
        }
        message = (
            f"Your license of {dataset} {words[now.license]}, so nothing can be "
            "downloaded under it."
        )
        raise GrantNotInForce(message, state=now.license)
    if now.consent != "given":
        what = "withdrew consent" if now.consent == "withdrawn" else "gave consent that has run out"
        message = (
            f"A person who is heard in {grant.version} {what}, so it is no longer handed out. "
            "What you hold already is bound by the withdrawal clause of your license."
        )
        raise ConsentNotInForce(message, state=now.consent)


def release(*, grant: Grant) -> list[ReleaseFile]:
    """Describe every file of the download under a grant: clips, index, license and proofs."""
    found = [
        ReleaseFile(
            path=file.path,
            size=file.blob.size,
            sha256=file.blob.sha256,
            media_type=file.media_type,
            blob_sha256=file.blob.sha256,
        )
        for file in releases.files(version=grant.version)
    ]
    return found + [made(path, content) for path, content in generated(grant=grant).items()]


def generated(*, grant: Grant) -> dict[str, bytes]:
    """Return the files that are made for the grant or kept with the manifest."""
    proofs = manifests.documents(envelope=grant.manifest, entry=grant.log_entry)
    sealed = grant.version.release or {}
    status_uri = sealed["consent"]["statusList"]["uri"]
    return {
        "LICENSE.txt": grant.offer.terms_text.encode(),
        "croissant.json": croissant(version=grant.version),
        "files.jsonl": releases.index_bytes(version=grant.version),
        "consent-status.jwt": status.consent_list(number=0, uri=status_uri).encode(),
        **proofs,
    }


def croissant(*, version: Version) -> bytes:
    """Return the sealed croissant.json of a version."""
    sealed = version.release or {}
    return releases.stored(sealed["exports"]["croissant"]["digest"]["sha256"])


MEDIA_TYPES = {
    "LICENSE.txt": "text/plain",
    "croissant.json": "application/ld+json",
    "files.jsonl": "application/jsonl",
    "consent-status.jwt": "application/statuslist+jwt",
    "manifest.dsse.json": "application/vnd.dsse.envelope.v1+json",
    "manifest.sigstore.json": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "manifest.tlog-proof": "text/plain",
    "trusted_root.json": "application/json",
}


def made(path: str, content: bytes) -> ReleaseFile:
    """Describe bytes that are at hand."""
    return ReleaseFile(
        path=path,
        size=len(content),
        sha256=canonical.sha256_hex(content),
        media_type=MEDIA_TYPES[path],
        content=content,
    )


def note_access(*, grant: Grant, by: str) -> AccessRecord:
    """Write down that a release was handed out. `by` says which user or key asked."""
    return AccessRecord.objects.create(
        grant_id=grant.pk,
        dataset=str(grant.version.dataset),
        version=grant.version.number,
        licensee=grant.licensee.slug,
        by=by,
    )
