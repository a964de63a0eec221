"""The sweeper: bytes that no row has named for a day go. The only module that destroys bytes.

Triggers note on a blob when a row ceases to name it; so a run looks only at what was let go or came
since, and at a bounded stretch of the store for bytes that have no row at all.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, ManyToOneRel, OuterRef, Q, QuerySet
from django.utils import timezone

from ingestion.archive import blobs
from ingestion.archive.storage import blob_store
from ingestion.models import Blob, Cursor

LET_GO_FOR = timedelta(days=1)
AT_ONCE = 1000
LOOKED_AT = 20_000
"""How many addresses of the store a run looks at, going on where the last one stopped."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What a run did: blobs removed, bytes without a row written down, partial files removed."""

    removed: int = 0
    found: int = 0
    partial: int = 0


def sweep() -> Swept:
    """Remove what no row has named for a day, and files that nobody went on writing for a day.

    Bytes without a row get one, and are swept a day later unless somebody names them: so a
    database that was restored from a backup has a day to be replaced by the right one.
    """
    before = timezone.now() - LET_GO_FOR
    done = Swept(
        removed=remove_let_go(before=before),
        found=write_down_unknown(),
        partial=blob_store().drop_partial(before=before),
    )
    if any(vars(done).values()):
        log.info(
            "Swept: %s blobs removed, %s without a row, %s partial files",
            done.removed,
            done.found,
            done.partial,
        )
    return done


def named() -> Q:
    """Return the condition that some row names a blob, whichever model it is of."""
    condition = Q()
    for relation in Blob._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel):
            rows = relation.related_model._default_manager.filter(
                **{relation.field.name: OuterRef("pk")}
            )
            condition |= Q(Exists(rows))
    return condition


def let_go(*, before: datetime) -> QuerySet[Blob]:
    """Return the blobs that were let go, or came, before a moment and were not looked at since."""
    return Blob.objects.filter(let_go_at__lt=before)


def remove_let_go(*, before: datetime) -> int:
    """Remove the blobs that nothing names since before a moment; return how many."""
    removed, last = 0, ""
    while True:
        rows = let_go(before=before).filter(pk__gt=last).order_by("pk")
        some = list(rows.annotate(is_named=named()).values_list("pk", "is_named")[:AT_ONCE])
        if not some:
            return removed
        last = some[-1][0]
        # A row that ceases to name one of them meanwhile writes a later moment on it.
        let_go(before=before).filter(pk__in=[pk for pk, is_named in some if is_named]).update(
            let_go_at=None
        )
        removed += sum(remove(pk, before=before) for pk, is_named in some if not is_named)


@transaction.atomic
def remove(sha256: str, *, before: datetime) -> bool:
    """Remove a blob that nothing names, unless somebody keeps or names it just now."""
    if not blobs.try_to_hold_alone(sha256):
        return False
    # Whoever names it meanwhile without keeping it is refused at the commit, for it is gone.
    blob = let_go(before=before).filter(pk=sha256).select_for_update().first()
    if blob is None or Blob.objects.filter(named(), pk=sha256).exists():
        return False
    blob.delete()
    blob_store().destroy(sha256)
    return True


def write_down_unknown() -> int:
    """Make rows for bytes that have none, in the next stretch of the store; return how many."""
    cursor, _made = Cursor.objects.get_or_create(reader="sweeper", feed="store")
    since = address(cursor.position)
    some = blob_store().after(since, count=LOOKED_AT)
    known = set(Blob.objects.filter(pk__in=some).values_list("pk", flat=True))
    found = sum(write_down(sha256) for sha256 in some if sha256 not in known)
    # At the end it begins again; a cursor before the first address is at 0.
    position = int(some[-1][:15], 16) if len(some) == LOOKED_AT else 0
    Cursor.objects.filter(pk=cursor.pk).update(position=position, moved_at=timezone.now())
    return found


def address(position: int) -> str:
    """Return the last address that begins with the 60 bits of a position; "" for 0."""
    return f"{position:015x}" + "f" * 49 if position else ""


@transaction.atomic
def write_down(sha256: str) -> bool:
    """Make the row of bytes that have none, unless somebody keeps or sweeps them just now."""
    if not blobs.try_to_hold_alone(sha256):
        return False
    size = blob_store().size_of(sha256)
    if size is None or Blob.objects.filter(pk=sha256).exists():
        return False
    Blob.objects.create(sha256=sha256, size=size)
    return True
