"""How far versions are, in numbers: read for any number of versions in one query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Concat, JSONObject
from django.utils import timezone

from ingestion.models import (
    ConsentRecord,
    File,
    LeftOut,
    PipelineRun,
    Recording,
    ReleaseConsent,
    StepRun,
    Upload,
    Version,
)
from licensing.models import AccessRecord, Offer


@dataclass(frozen=True)
class StepCount:
    """How many steps of a name are in a state, and when the last of them ended."""

    name: str
    state: str
    count: int
    ended_at: datetime | None


@dataclass(frozen=True)
class Figures:
    """A version in numbers."""

    files: int
    duration_ms: int
    to_process: int
    """Recordings and texts that go through the pipeline."""
    processed: int
    """Those of them whose results count."""
    uploads: int
    steps: tuple[StepCount, ...]
    stopped: str
    """The name of the first recording whose run stopped, or nothing."""
    left_out: frozenset[int]
    """Primary keys of the speakers who are left out."""
    consents: int
    """Consents of the dataset."""
    ended_consents: int
    """Consents that a sealed version rests on and that do not hold any more."""
    ended_speakers: tuple[str, ...]
    """The pseudonyms of those who gave them."""
    offers: int
    was_offered: bool
    """Whether there was an offer of it at any time: before, nobody else sees it."""
    downloads: int


def read_along(versions: QuerySet[Version]) -> QuerySet[Version]:
    """Return versions with their figures, for `of`."""
    return versions.annotate(
        figures=JSONObject(
            files=counted(File.objects.filter(version=OuterRef("pk"))),
            duration_ms=summed(File.objects.filter(version=OuterRef("pk"))),
            to_process=counted(places()),
            processed=counted(places().filter(recording__intake__isnull=False)),
            uploads=counted(uploads()),
            steps=ArraySubquery(steps()),
            stopped=Subquery(stopped()),
            left_out=ArraySubquery(of_version(LeftOut.objects).values("speaker_id")),
            consents=counted(ConsentRecord.objects.filter(dataset=OuterRef("dataset"))),
            ended_consents=counted(of_version(ReleaseConsent.objects.fallen())),
            ended_speakers=ArraySubquery(ended_speakers()),
            offers=counted(of_version(Offer.objects.open())),
            was_offered=Exists(of_version(Offer.objects)),
            downloads=counted(downloads()),
        )
    )


def of(version: Version) -> Figures:
    """Return the figures of a version that was read along with them."""
    found: dict[str, Any] = version.figures  # type: ignore[attr-defined]  # an annotation's name
    return Figures(
        **found
        | {
            "stopped": found["stopped"] or "",
            "left_out": frozenset(found["left_out"]),
            "ended_speakers": tuple(found["ended_speakers"]),
            "steps": tuple(step_count(one) for one in found["steps"]),
        }
    )


def step_count(found: dict[str, Any]) -> StepCount:
    """Return a count of steps as it is told."""
    ended = found["ended_at"]
    return StepCount(**found | {"ended_at": datetime.fromisoformat(ended) if ended else None})


def of_version(rows: Any) -> QuerySet[Any]:
    """Return the rows of the version that is read."""
    found: QuerySet[Any] = rows.filter(version=OuterRef("pk"))
    return found


def places() -> QuerySet[File]:
    """Return the places of what goes through the pipeline."""
    return File.objects.to_process().filter(version=OuterRef("pk"))


def uploads() -> QuerySet[Upload]:
    """Return the uploads that are on their way."""
    return Upload.objects.filter(
        version=OuterRef("pk"), state=Upload.State.OPEN, expires_at__gt=timezone.now()
    )


def steps() -> QuerySet[StepRun, Any]:
    """Return how many steps are in which state, of the runs that count and those under way."""
    counts = Q(run__recording__intake=F("run")) | ~Q(run__state=PipelineRun.State.DONE)
    return (
        StepRun.objects.filter(
            counts,
            run__phase=PipelineRun.Phase.INTAKE,
            run__superseded_at__isnull=True,
            run__recording__files__version=OuterRef("pk"),
        )
        .order_by()
        .values("name", "state")
        .annotate(count=Count("pk"), ended=Max("ended_at"))
        .values(told=JSONObject(name="name", state="state", count="count", ended_at="ended"))
    )


def stopped() -> QuerySet[Recording, Any]:
    """Return the name of the first recording whose run stopped."""
    return (
        Recording.objects.filter(
            files__version=OuterRef("pk"),
            runs__state=PipelineRun.State.FAILED,
            runs__superseded_at__isnull=True,
        )
        .in_order()
        .values("name")[:1]
    )


def ended_speakers() -> QuerySet[ReleaseConsent, Any]:
    """Return the pseudonyms of those whose consent a sealed version rested on and lost."""
    found = of_version(ReleaseConsent.objects.fallen()).order_by("pseudonym")
    return found.values("pseudonym").distinct()


def downloads() -> QuerySet[AccessRecord]:
    """Return how often licensees took the release."""
    organization, slug = OuterRef("dataset__organization__slug"), OuterRef("dataset__slug")
    name = Concat(organization, Value("/"), slug, output_field=CharField())
    return AccessRecord.objects.filter(dataset=name, version=OuterRef("number"))


def counted(rows: QuerySet[Any]) -> Subquery:
    """Return the number of rows as an expression."""
    return aggregated(rows, Count("pk"))


def summed(rows: QuerySet[File]) -> Subquery:
    """Return how long recordings are together, in ms, as an expression."""
    return aggregated(rows, Coalesce(Sum("recording__duration_ms"), 0))


def aggregated(rows: QuerySet[Any], total: Any) -> Subquery:
    """Return an aggregate over all rows as an expression."""
    # One group, of all rows: a subquery can't aggregate otherwise; none at all is NULL, so 0.
    grouped = rows.order_by().values(one=Value(1)).annotate(total=total).values("total")
    return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)  # type: ignore[return-value]
