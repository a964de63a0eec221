"""Using a license: is it in force, does consent still hold, and what may be taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.utils import timezone

from ingestion import releases
from ingestion.consent import coverage
from ingestion.models import Version
from licensing import papers
from licensing.models import AccessRecord, Grant

ENDED = {
    "revoked": _("Your license of %(dataset)s was revoked, so nothing can be downloaded under it."),
    "expired": _(
        "Your license of %(dataset)s ended on %(day)s, so nothing can be downloaded under it."
    ),
    "not-yet": _(
        "Your license of %(dataset)s begins on %(day)s, so nothing can be downloaded under it yet."
    ),
}
FALLEN = {
    "withdrawn": _(
        "A person who is heard in %(version)s withdrew consent, so it is no longer handed out. "
        "What you hold already is bound by the withdrawal clause of your license."
    ),
    "expired": _(
        "A person who is heard in %(version)s gave consent that has run out, so it is no longer "
        "handed out. What you hold already is bound by the withdrawal clause of your license."
    ),
}


class GrantNotInForce(CommonholdError):
    """The license has ended or was revoked."""

    code = "license-not-in-force"
    status = 403


class ConsentNotInForce(CommonholdError):
    """Somebody who is heard in the version withdrew, or their consent ran out."""

    code = "consent-not-in-force"
    status = 403


class VersionWithdrawn(CommonholdError):
    """The publisher took the version back."""

    code = "version-withdrawn"
    status = 403


@dataclass(frozen=True)
class AccessState:
    """Whether a grant can be used now.

    `license`: in-force, expired, revoked or not-yet; `consent`: given, withdrawn or expired, for
    what the grant allows; `version`: sealed or withdrawn.
    """

    license: str
    consent: str
    version: str

    @property
    def is_open(self) -> bool:
        """Whether the release may be taken."""
        return (self.license, self.consent, self.version) == ("in-force", "given", "sealed")


@dataclass(frozen=True)
class ReleaseFile:
    """A file of the layout: bytes in the store, or a paper of the grant."""

    path: str
    size: int
    sha256: str
    media_type: str
    is_paper: bool = False


def state(*, grant: Grant, at: datetime | None = None) -> AccessState:
    """Return whether the license is in force and consent holds, now or at a moment."""
    return states(grants=[grant], at=at)[grant.pk]


def states(*, grants: Sequence[Grant], at: datetime | None = None) -> dict[UUID, AccessState]:
    """Return the state of each grant by its id, asking about the consents once."""
    moment = at or timezone.now()
    uses = {grant.pk: (grant.version_id, tuple(grant.offer.purposes)) for grant in grants}
    consent = coverage.states(uses=uses.values(), at=moment)
    return {
        grant.pk: AccessState(
            license=license_state(grant=grant, moment=moment),
            consent=str(consent[uses[grant.pk]]),
            version=grant.version.state,
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
    """Raise GrantNotInForce, VersionWithdrawn or ConsentNotInForce unless it may be taken now."""
    now = state(grant=grant)
    if now.license != "in-force":
        day = grant.valid_from if now.license == "not-yet" else grant.valid_until
        raise GrantNotInForce(
            ENDED[now.license],
            dataset=str(grant.version.dataset),
            day=day.date() if day else "",
            state=now.license,
        )
    if now.version != Version.State.SEALED:
        sentence = _(
            "The publisher withdrew %(version)s, so it is no longer handed out. What you hold "
            "already stays under your license."
        )
        raise VersionWithdrawn(sentence, version=str(grant.version))
    if now.consent != "given":
        raise ConsentNotInForce(FALLEN[now.consent], version=str(grant.version), state=now.consent)


def release(*, grant: Grant) -> list[ReleaseFile]:
    """Describe every file of the download under a grant: clips, index, license and proofs."""
    return [*published(grant=grant), *(of_paper(one) for one in papers.of(grant=grant))]


def published(*, grant: Grant, path: str = "") -> Iterator[ReleaseFile]:
    """Yield the published files of the version, or the one at a path if there is one."""
    files = releases.files(version=grant.version)
    for file in files.filter(path=path) if path else files:
        yield ReleaseFile(
            path=file.path,
            size=file.blob.size,
            sha256=file.blob_id,
            media_type=file.media_type,
        )


def of_paper(paper: papers.Paper) -> ReleaseFile:
    """Describe a paper."""
    return ReleaseFile(
        path=paper.name,
        size=len(paper.content),
        sha256=paper.sha256,
        media_type=paper.media_type,
        is_paper=True,
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
