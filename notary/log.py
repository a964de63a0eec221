"""The transparency log: handing in, integrating, proving, and the tiles that anybody can mirror.

Formats: RFC 9162 §2.1 (tree), C2SP tlog-checkpoint and tlog-tiles. Entries hold a digest, a
signature and a key; never a name.
"""

from collections.abc import Sequence

from commonhold import merkle, notes, tlog
from commonhold.errors import CommonholdError
from django.db import connection, transaction
from django.db.models import Max

from notary import instance, keys, locks, memory
from notary.models import Checkpoint, LogEntry, LogNode

TILE_HEIGHT = 8
TILE_WIDTH = 256
BATCH = 1000
# Django's bulk_update takes a millisecond for each row.
PLACE = """
UPDATE notary_logentry SET index = placed.index
FROM unnest(%s::bigint[], %s::bigint[]) AS placed (id, index)
WHERE notary_logentry.id = placed.id
"""


class NoSuchTile(CommonholdError):
    """The log is not that large yet."""

    code = "no-such-tile"
    status = 404


class NoSuchEntry(CommonholdError):
    """The log is not that long."""

    code = "no-such-entry"
    status = 404


def append(*, body: bytes) -> LogEntry:
    """Hand a leaf to the log, in the caller's transaction and without a lock: it is pending.

    Raises LogRolledBack while the database is not the log's: what is done now would be lost.
    """
    memory.require_held(size_now, node)
    return LogEntry.objects.create(body=body, leaf_hash=merkle.leaf_hash(body))


def integrate() -> int:
    """Give pending entries their places and sign the log as it is then; return how many they were.

    Callers at once wait for one another. In transactions of its own, which others can rely on:
    inside another one it refuses (RuntimeError). Raises LogRolledBack, KeyMissing, KeyChanged.
    """
    if is_settled():
        return 0
    # A key that is missing is noticed before anything is placed, a first one made for good.
    keys.signer(keys.Purpose.LOG)
    count = 0
    while placed := place_pending():
        count += placed
    sign_checkpoint()
    return count


def is_settled() -> bool:
    """Tell whether every entry has its place and the key in use has signed for all of them."""
    if LogEntry.objects.pending().exists():
        return False
    newest = latest_checkpoint()
    if newest is None:
        return size_now() == 0
    return newest.size == size_now() and newest.key_id == keys.in_use(keys.Purpose.LOG).keyid


@transaction.atomic(durable=True)
def place_pending() -> int:
    """Append up to 1000 pending entries to the tree; return how many."""
    locks.hold(locks.Lock.LOG)
    memory.require_held(size_now, node)
    size = size_now()
    entries = list(LogEntry.objects.pending()[:BATCH])
    with connection.cursor() as cursor:
        indexes = range(size, size + len(entries))
        cursor.execute(PLACE, [[entry.pk for entry in entries], list(indexes)])
    LogNode.objects.bulk_create(grown(size, entries))
    return len(entries)


def grown(size: int, entries: Sequence[LogEntry]) -> list[LogNode]:
    """Return the nodes that are completed by appending entries to a tree of `size` leaves."""
    fresh: dict[tuple[int, int], bytes] = {}

    def known(level: int, index: int) -> bytes:
        return fresh.get((level, index)) or node(level, index)

    for at, entry in enumerate(entries, start=size):
        for level, index, value in merkle.appended(at, bytes(entry.leaf_hash), known):
            fresh[level, index] = value
    return [
        LogNode(level=level, index=index, hash=value) for (level, index), value in fresh.items()
    ]


@transaction.atomic(durable=True)
def sign_checkpoint() -> None:
    """Sign the log as it is, unless the key in use has done so; remembered before it is seen."""
    locks.hold(locks.Lock.LOG)
    size, signer, newest = size_now(), keys.signer(keys.Purpose.LOG), latest_checkpoint()
    if newest is not None and (newest.size, newest.key_id) == (size, signer.keyid):
        return
    memory.require_held(size_now, node)
    root = merkle.tree_root(size, node)
    note = notes.Checkpoint(instance.log_origin(), size, root).sign(signer)
    memory.keep(note)
    Checkpoint.objects.create(size=size, root_hash=root, note=note, key_id=signer.keyid)


def node(level: int, index: int) -> bytes:
    """Read the hash of a complete subtree."""
    return bytes(LogNode.objects.values_list("hash", flat=True).get(level=level, index=index))


def size_now() -> int:
    """Return how many entries the log has."""
    last = LogEntry.objects.aggregate(last=Max("index"))["last"]
    return 0 if last is None else last + 1


def latest_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint; None while the log is empty."""
    return Checkpoint.objects.order_by("-size", "-pk").first()


def prove(*, entry: LogEntry) -> tlog.LogProof:
    """Return the inclusion proof of an entry under the newest checkpoint.

    A pending entry is integrated first, which must not happen inside another transaction. Raises
    LogRolledBack, KeyMissing, KeyChanged.
    """
    newest = latest_checkpoint()
    if entry.index is None:
        entry.refresh_from_db(fields=["index"])
    if entry.index is None or newest is None or newest.size <= entry.index:
        integrate()
        entry.refresh_from_db(fields=["index"])
        newest = latest_checkpoint()
    if entry.index is None or newest is None:
        message = "This entry is not in the log yet. Try again in a few seconds."
        raise NoSuchEntry(message)
    return tlog.prove(entry.index, newest.note, newest.size, node)


def entry_at(*, index: int) -> LogEntry:
    """Return the entry at an index, or NoSuchEntry."""
    found = LogEntry.objects.filter(index=index).first()
    if found is None:
        message = f"The log has no entry {index}. Read /log/checkpoint for its size."
        raise NoSuchEntry(message)
    return found


def tile(*, level: int, number: int, width: int) -> bytes:
    """Return a tile of `width` hashes (tlog-tiles: height 8), or NoSuchTile."""
    first = number * TILE_WIDTH
    hashes = list(
        LogNode.objects.filter(level=level * TILE_HEIGHT, index__gte=first, index__lt=first + width)
        .order_by("index")
        .values_list("hash", flat=True)
    )
    if len(hashes) != width:
        message = "The log has no such tile yet. Read /log/checkpoint for its size."
        raise NoSuchTile(message)
    return b"".join(bytes(value) for value in hashes)


def entry_bundle(*, number: int, width: int) -> bytes:
    """Return `width` entries, each after its length in two bytes (tlog-tiles, “Log entries”)."""
    first = number * TILE_WIDTH
    bodies = [
        bytes(body)
        for body in LogEntry.objects.filter(index__gte=first, index__lt=first + width)
        .order_by("index")
        .values_list("body", flat=True)
    ]
    if len(bodies) != width:
        message = "The log has no such entries yet. Read /log/checkpoint for its size."
        raise NoSuchTile(message)
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
