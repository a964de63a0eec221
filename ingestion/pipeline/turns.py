"""Whose turn it is: which waiting run is taken next, fairly between organizations.

A message says that there is work, not whose: otherwise a thousand recordings of one organization
would stand in the broker's queue before the single one of another. Nor how much: whoever takes a
run calls the next worker while others wait, so the broker's queue stays short.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet
from django.utils import timezone

from ingestion.models import PipelineRun, Turn

HEART_STOPPED = timedelta(seconds=30)
OFFER_AGAIN = timedelta(minutes=10)
"""After this a message about waiting runs counts as lost, and is good for nothing any more."""
MAX_OFFERS = 1000
OWNER = "recording__dataset__organization"
State = PipelineRun.State


def waiting() -> QuerySet[PipelineRun]:
    """Return the runs that nobody holds: new ones, and those whose worker died."""
    stopped = timezone.now() - HEART_STOPPED
    return (
        PipelineRun.objects.filter(state__in=[State.PENDING, State.RUNNING])
        .filter(Q(state=State.PENDING) | Q(heartbeat_at__lt=stopped))
        .filter(superseded_at__isnull=True)
        .order_by("created_at")
    )


@transaction.atomic
def offer() -> list[PipelineRun]:
    """Return the runs that one message should be sent about now, and note that it was."""
    lost = timezone.now() - OFFER_AGAIN
    dead = Q(state=State.RUNNING) & (
        Q(offered_at__isnull=True) | Q(offered_at__lt=timezone.now() - HEART_STOPPED)
    )
    unheard = Q(offered_at__isnull=True) | Q(offered_at__lt=lost)
    runs = list(waiting().filter(dead | unheard).select_for_update(skip_locked=True)[:MAX_OFFERS])
    PipelineRun.objects.filter(pk__in=[run.pk for run in runs]).update(offered_at=timezone.now())
    return runs


@transaction.atomic
def upcoming() -> UUID | None:
    """Return the run whose turn it is, and note that its organization had one; None if none waits.

    First comes the organization with the fewest runs at work, then the one whose last turn was
    longest ago; of its own runs the oldest. Nobody holds the run yet: whoever asks claims it.
    """
    owners = (
        waiting().order_by().values(owner=F(OWNER)).annotate(oldest=Min("created_at")).order_by()
    )
    oldest = {row["owner"]: row["oldest"] for row in owners}
    if not oldest:
        return None
    # In one order, too: two who write the same new rows down would wait for one another.
    Turn.objects.bulk_create(
        (Turn(organization_id=one) for one in sorted(oldest)), ignore_conflicts=True
    )
    # In one order for all who ask at once: the second sees what the first has taken.
    turns = Turn.objects.filter(organization__in=oldest).order_by("pk").select_for_update()
    taken = {turn.organization_id: turn.taken_at for turn in turns}
    busy = at_work()

    def place(owner: int) -> tuple[int, bool, datetime | None, datetime]:
        at = taken[owner]
        return busy.get(owner, 0), at is not None, at, oldest[owner]

    owner = min(oldest, key=place)
    Turn.objects.filter(organization=owner).update(taken_at=timezone.now())
    return waiting().filter(**{OWNER: owner}).values_list("pk", flat=True).first()


def at_work() -> dict[int, int]:
    """Return how many runs of each organization are held by a worker that is alive."""
    alive = timezone.now() - HEART_STOPPED
    held = PipelineRun.objects.filter(state=State.RUNNING, heartbeat_at__gte=alive)
    counted = held.order_by().values(owner=F(OWNER)).annotate(runs=Count("pk")).order_by()
    return {row["owner"]: row["runs"] for row in counted}
