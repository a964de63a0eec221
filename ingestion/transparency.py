"""The transparency log: appending, proving, and the tiles that anybody can mirror.

Formats: RFC 9162 §2.1 (tree), C2SP tlog-checkpoint and tlog-tiles. Entries hold a digest, a
signature and a key; never a name.
"""

from commonhold import merkle, notes, tlog
from commonhold.errors import CommonholdError
from commonhold.signing import Envelope
from django.conf import settings
from django.db import connection, transaction

from ingestion import keys
from ingestion.models import Checkpoint, LogEntry, LogNode

LOCK = 0x636F6D6D6F6E  # "common": one appender at a time
TILE_HEIGHT = 8
TILE_WIDTH = 256


class NoSuchTile(CommonholdError):
    """The log is not that large yet."""

    code = "no-such-tile"
    status = 404


def node(level: int, index: int) -> bytes:
    """Read the hash of a complete subtree."""
    return bytes(LogNode.objects.values_list("hash", flat=True).get(level=level, index=index))


@transaction.atomic
def append(*, envelope: Envelope) -> LogEntry:
    """Log a signed envelope, in the caller's transaction, and sign the checkpoint that holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    body = tlog.entry_body(envelope, keys.manifest_key().public)
    size = size_now()
    leaf = merkle.leaf_hash(body)
    LogNode.objects.bulk_create(
        LogNode(level=level, index=index, hash=value)
        for level, index, value in merkle.appended(size, leaf, node)
    )
    entry = LogEntry.objects.create(index=size, body=body, leaf_hash=leaf)
    root = merkle.tree_root(size + 1, node)
    checkpoint = notes.Checkpoint(settings.LOG_ORIGIN, size + 1, root)
    Checkpoint.objects.create(size=size + 1, root_hash=root, note=checkpoint.sign(keys.log_key()))
    return entry


def size_now() -> int:
    """Return how many entries the log has."""
    last = LogEntry.objects.order_by("-index").values_list("index", flat=True).first()
    return 0 if last is None else last + 1


def latest_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint; None while the log is empty."""
    return Checkpoint.objects.order_by("-size").first()


def prove(*, entry: LogEntry) -> tlog.LogProof:
    """Return the inclusion proof of an entry under the newest checkpoint."""
    checkpoint = Checkpoint.objects.latest("size")
    return tlog.prove(entry.index, checkpoint.note, checkpoint.size, node)


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
