"""News: told by the layer below in its own transaction, read by each layer above with a cursor.

News never travels upwards by call or signal. An event costs what it touches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from accounts import locks
from ingestion.models import Cursor, Dataset, News, NewsRow, Version

Row = TypeVar("Row", bound=NewsRow)
MOST_AT_ONCE = 500


class CursorAhead(CommonholdError):
    """A reader has read more than there is: the news were restored from an older backup."""

    code = "news-cursor-ahead"
    status = 500


def tell(feed: type[Row], *, kind: str, dataset: Dataset | int, **facts: Any) -> Row:
    """Add a piece of news, as the last act of the caller's transaction.

    Ids must be visible in their order, or a reader would pass over a slow writer's: from here to
    the commit nobody else tells anything.
    """
    locks.hold(f"news {feed._meta.db_table}")
    dataset_id = dataset.pk if isinstance(dataset, Dataset) else dataset
    return feed.objects.create(kind=kind, dataset_id=dataset_id, **facts)  # type: ignore[attr-defined,no-any-return]  # the manager of a subclass


def of_version(*, version: Version, kind: News.Kind, **facts: Any) -> News:
    """Tell something about a version."""
    return tell(News, kind=kind, dataset=version.dataset_id, version_id=version.pk, **facts)


@contextmanager
def reading(feed: type[Row], *, reader: str) -> Iterator[list[Row]]:
    """Give the next news that a reader has not read; when the block ends well, they are read.

    One transaction: what the reader does in it and how far it has read go together. Readers of one
    name take turns. Raises CursorAhead.
    """
    rows = feed._default_manager.order_by("id")
    with transaction.atomic():
        Cursor.objects.get_or_create(reader=reader, feed=feed._meta.label_lower)
        cursor = Cursor.objects.select_for_update().get(
            reader=reader,
            feed=feed._meta.label_lower,
        )
        newest = rows.last()
        if cursor.position > (newest.pk if newest else 0):
            sentence = _(
                "«%(reader)s» has read %(feed)s up to number %(read)s, but the newest is "
                "%(newest)s: the database was put together from backups of different times. "
                "Restore all of it from one backup, or run «manage.py catch_up --anew»."
            )
            raise CursorAhead(
                sentence,
                reader=reader,
                feed=cursor.feed,
                read=cursor.position,
                newest=newest.pk if newest else 0,
            )
        unread = list(rows.filter(pk__gt=cursor.position)[:MOST_AT_ONCE])
        yield unread
        if unread:
            cursor.position, cursor.moved_at = unread[-1].pk, timezone.now()
            cursor.save(update_fields=["position", "moved_at"])


def skip_to_end(feed: type[Row], *, reader: str) -> None:
    """Set a reader's cursor to the newest news, for a reader that has made everything anew."""
    newest = feed._default_manager.order_by("id").last()
    Cursor.objects.update_or_create(
        reader=reader,
        feed=feed._meta.label_lower,
        defaults={"position": newest.pk if newest else 0, "moved_at": timezone.now()},
    )
