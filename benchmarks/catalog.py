"""A catalogue of any length: datasets that were really sealed and offered, copied many times.

The copies have every row that the originals have, in every table, with ids, addresses, status
places and log entries of their own. What they share is the bytes in the store.
"""

from collections.abc import Iterator, Sequence

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from psycopg import sql

from ingestion import models as ingestion
from ingestion import news
from ingestion.consent.records import STATUS_LIST
from licensing import following
from licensing import models as licensing
from marketplace import listings
from marketplace import models as marketplace
from notary import log, status
from notary import models as notary

STEP = 1_000_000
"""How far a copy's ids are from those of the copy before it."""
COPIED: Sequence[type[Model]] = (
    ingestion.Dataset,
    ingestion.Speaker,
    ingestion.Recording,
    ingestion.Version,
    ingestion.File,
    ingestion.Seal,
    ingestion.ReleaseFile,
    ingestion.ConsentRecord,
    ingestion.ConsentScope,
    ingestion.ReleaseConsent,
    ingestion.ReleaseFileConsent,
    ingestion.News,
    licensing.Offer,
    licensing.News,
    marketplace.Price,
    marketplace.Listing,
    notary.LogEntry,
    notary.Statement,
)
NAMED = {"dataset_id": ingestion.Dataset, "version_id": ingestion.Version}
NAMED |= {"record_id": ingestion.ConsentRecord, "offer_id": licensing.Offer}
"""What the news name without a foreign key."""


def copy(*, copies: int) -> None:
    """Copy every dataset with its one sealed and offered version, and log the copies.

    The database must be one's own: the copies are written with its triggers off.
    """
    places = ingestion.ConsentRecord.objects.count()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for model in COPIED:
            cursor.execute(copying(model), {"copies": copies, "step": STEP, "places": places})
            restart_ids(cursor, model)
        make_lists(cursor, upto=places * (copies + 1))
    while log.integrate():
        pass
    status.publish()
    for feed in (ingestion.News, licensing.News):
        news.skip_to_end(feed, reader=listings.READER)
    news.skip_to_end(ingestion.News, reader=following.READER)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def copying(model: type[Model]) -> sql.Composed:
    """Return the statement that copies every row of a table."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table} AS t "
        "CROSS JOIN generate_series(1, %(copies)s) AS n"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        columns=sql.SQL(", ").join(sql.Identifier(field.column or "") for field in fields),
        values=sql.SQL(", ").join(copied(field) for field in fields),
    )


def copied(field: Field[object, object]) -> sql.Composed:
    """Return what stands in a column of the n-th copy."""
    name = field.column or ""
    target = field.model if field.primary_key else field.related_model or NAMED.get(name)
    copy = "{}"
    if target is ingestion.ConsentRecord:
        copy = "md5({}::text || n)::uuid"
    elif target in COPIED:
        copy = "{} + n * %(step)s::bigint"
    elif name == "status_index":
        copy = "{} + n * %(places)s"
    elif (field.model, name) == (ingestion.Dataset, "slug"):
        copy = "{} || '-' || n"
    elif name == "title":
        copy = "regexp_replace({}, '.*', 'Copy ' || n)"
    elif (field.model, name) == (notary.LogEntry, "index"):
        copy = "NULLIF({0}, {0})"
    return sql.SQL(copy).format(sql.SQL("t.{}").format(sql.Identifier(name)))


def restart_ids(cursor: CursorWrapper, model: type[Model]) -> None:
    """Let a table go on counting after its newest copy."""
    table = model._meta.db_table
    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, model._meta.pk.column])
    (sequence,) = cursor.fetchone()
    if sequence:
        newest = sql.SQL("SELECT setval(%s, (SELECT max(id) FROM {}))")
        cursor.execute(newest.format(sql.Identifier(table)), [sequence])


def make_lists(cursor: CursorWrapper, *, upto: int) -> None:
    """Make every status list that the copies have places in, and go on after them."""
    for first in starts(upto):
        cursor.execute("SELECT setval(%s, %s)", [f"notary_status_{STATUS_LIST}", first])
        status.place(name=STATUS_LIST)
    cursor.execute("SELECT setval(%s, %s)", [f"notary_status_{STATUS_LIST}", upto])


def starts(upto: int) -> Iterator[int]:
    """Yield a place in each list that has one of the first `upto` places."""
    yield from range(1, upto, 1 << status.LIST_BITS)
