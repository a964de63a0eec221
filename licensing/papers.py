"""The papers of a license: text, index, description, proofs and the state of consents.

What never changes is read where it lies. Proofs and status lists are made when somebody asks, and
kept for a while under the grant: an address that was handed out gives what it named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from commonhold import canonical
from django.utils import timezone

from ingestion import releases
from licensing.models import Grant, GrantPaper
from notary import keys, statements, status

KEPT = timedelta(days=1)
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
LASTING = ("LICENSE.txt", "croissant.json", "files.jsonl", "manifest.dsse.json")
"""Papers that are the same at every moment."""


@dataclass(frozen=True)
class Paper:
    """One paper, whole."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its digest, lower-case hex."""
        return canonical.sha256_hex(self.content)

    @property
    def media_type(self) -> str:
        """What it is."""
        return MEDIA_TYPES[self.name]


def of(*, grant: Grant) -> list[Paper]:
    """Return every paper as it stands now, those kept that differ from moment to moment.

    Proofs that were made before stand as long as they are kept: they prove the same.
    """
    kept = {paper.name: bytes(paper.content) for paper in grant.papers.order_by("made_at")}
    made = dict(lasting(grant=grant))
    if "manifest.sigstore.json" in kept and "manifest.tlog-proof" in kept:
        names = ("manifest.sigstore.json", "manifest.tlog-proof")
        made |= {name: kept[name] for name in names}
        made["trusted_root.json"] = keys.trusted_root()
    else:
        made |= statements.documents(statement=grant.statement)
    made["consent-status.jwt"] = consent_status(grant=grant)
    papers = [Paper(name, made[name]) for name in MEDIA_TYPES]
    keep(grant, [paper for paper in papers if paper.name not in LASTING])
    return papers


def lasting(*, grant: Grant) -> Mapping[str, bytes]:
    """Return the papers that never change."""
    return {
        "LICENSE.txt": grant.offer.terms_text.encode(),
        "croissant.json": releases.croissant(version=grant.version),
        "files.jsonl": releases.index_bytes(version=grant.version),
        "manifest.dsse.json": statements.envelope_of(statement=grant.statement).to_bytes(),
    }


def consent_status(*, grant: Grant) -> bytes:
    """Return the status lists that the release's consents have their places in, one a line."""
    release = releases.seal_of(version=grant.version).release
    records = release["consent"]["records"]
    uris = dict.fromkeys(record["statusList"]["uri"] for record in records)
    return b"".join(status.token_at(uri=uri) + b"\n" for uri in uris)


def keep(grant: Grant, papers: list[Paper]) -> None:
    """Keep papers under the grant, each state of each once."""
    GrantPaper.objects.bulk_create(
        (
            GrantPaper(grant=grant, name=one.name, sha256=one.sha256, content=one.content)
            for one in papers
        ),
        ignore_conflicts=True,
    )


def find(*, grant: Grant, name: str, sha256: str) -> Paper | None:
    """Return the paper of this name and digest, if there is one."""
    kept = grant.papers.filter(name=name, sha256=sha256).first()
    if kept is not None:
        return Paper(name, bytes(kept.content))
    found = lasting(grant=grant).get(name)
    paper = Paper(name, found) if found is not None else None
    return paper if paper and paper.sha256 == sha256 else None


def tidy() -> int:
    """Remove papers that nobody can have an address of any more; return how many."""
    old = GrantPaper.objects.filter(made_at__lt=timezone.now() - KEPT)
    return old.delete()[0]
