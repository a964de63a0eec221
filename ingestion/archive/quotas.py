"""What an organization may take up: open uploads, bytes, waiting runs, drafts.

Whoever is about to take more asks within its own transaction, and holds the organization until
that ends: what is asked at the same time is counted one after the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from commonhold.errors import CommonholdError
from commonhold.sentences import Sentence, _
from django.conf import settings
from django.db.models import QuerySet, Sum, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts import security
from accounts.models import Organization
from ingestion.models import Blob, ConsentRecord, PipelineRun, Recording, Upload, Version


class Kind(TextChoices):
    """What is counted."""

    BYTES = "bytes", gettext_lazy("Bytes stored and announced")
    UPLOADS = "uploads", gettext_lazy("Uploads under way")
    RUNS = "runs", gettext_lazy("Recordings waiting for the pipeline")
    DRAFTS = "drafts", gettext_lazy("Versions being worked on")


class QuotaExceeded(CommonholdError):
    """The organization has taken up what it may."""

    code = "quota-exceeded"
    status = 409


@dataclass(frozen=True)
class Quota:
    """How much of one kind is taken up, and how much may be."""

    kind: Kind
    used: int
    limit: int


REFUSALS: dict[Kind, Sentence] = {
    Kind.BYTES: _(
        "%(organization)s has stored and announced %(used)s of %(limit)s bytes, and %(more)s more "
        "don't fit. Cancel uploads, or discard versions: what was removed from them goes with "
        "them. Or ask whoever runs this site."
    ),
    Kind.UPLOADS: _(
        "%(organization)s has %(used)s uploads under way; %(limit)s may be. Finish or cancel some."
    ),
    Kind.RUNS: _(
        "%(organization)s has %(used)s recordings waiting for the pipeline; %(limit)s may wait, "
        "and %(more)s more were asked for. Wait until some are done."
    ),
    Kind.DRAFTS: _(
        "%(organization)s works on %(used)s versions at once; %(limit)s may be. Seal or discard "
        "one."
    ),
}


def require(*, organization: Organization, kind: Kind, more: int = 1) -> None:
    """Raise QuotaExceeded if so many more would be too many. Within the caller's transaction."""
    if not more:
        return
    # Whoever adds something that belongs to the organization is not in the way (no_key).
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    used, limit = USED[kind](organization), int(settings.QUOTAS[kind])
    if used + more > limit:
        who = f"organization:{organization.pk}:{kind}"
        facts = {"organization": organization.pk, "kind": str(kind), "code": QuotaExceeded.code}
        security.tell_seldom("limit.reached", who=who, **facts)
        raise QuotaExceeded(
            REFUSALS[kind],
            organization=str(organization),
            quota=str(kind),
            used=used,
            limit=limit,
            more=more,
        )


def of(organization: Organization) -> list[Quota]:
    """Return how much of each kind an organization takes up."""
    return [Quota(kind, USED[kind](organization), int(settings.QUOTAS[kind])) for kind in Kind]


def require_for_form(*, organization: Organization, form: Blob) -> None:
    """Raise QuotaExceeded if a signed form that the organization did not have yet is too much."""
    if not forms(organization).filter(pk=form.pk).exists():
        require(organization=organization, kind=Kind.BYTES, more=form.size)


def stored(organization: Organization) -> int:
    """Return the bytes of an organization's recordings and signed forms, and those announced."""
    kept = Recording.objects.filter(dataset__organization=organization)
    sums = (
        kept.aggregate(sum=Sum("blob__size")),
        forms(organization).aggregate(sum=Sum("size")),
        under_way(organization).aggregate(sum=Sum("size")),
    )
    return sum(int(one["sum"] or 0) for one in sums)


def forms(organization: Organization) -> QuerySet[Blob]:
    """Return the evidence of an organization's consents, each piece once."""
    records = ConsentRecord.objects.filter(dataset__organization=organization)
    return Blob.objects.filter(pk__in=records.values("evidence"))


def under_way(organization: Organization) -> QuerySet[Upload]:
    """Return the uploads that still take parts."""
    mine = Upload.objects.filter(version__dataset__organization=organization)
    return mine.filter(state=Upload.State.OPEN, expires_at__gt=timezone.now())


def runs_waiting(organization: Organization) -> int:
    """Return how many runs no worker has finished."""
    mine = PipelineRun.objects.filter(recording__dataset__organization=organization)
    unfinished = [PipelineRun.State.PENDING, PipelineRun.State.RUNNING]
    return mine.filter(state__in=unfinished, superseded_at__isnull=True).count()


USED: dict[Kind, Callable[[Organization], int]] = {
    Kind.BYTES: stored,
    Kind.UPLOADS: lambda organization: under_way(organization).count(),
    Kind.RUNS: runs_waiting,
    Kind.DRAFTS: lambda organization: (
        Version.objects.open().filter(dataset__organization=organization).count()
    ),
}
