"""A table that waits until its sender has seen what it would do, with all that came with it.

No row names these bytes: the sweeper lets what nobody names lie for a day, and so long it waits.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonhold import canonical
from commonhold.errors import CommonholdError
from commonhold.sentences import _
from django.db import transaction
from django.utils import timezone

from ingestion.archive import blobs
from ingestion.models import Blob


class TableForgotten(CommonholdError):
    """The table lay for more than a day, and is gone."""

    code = "consent-table-forgotten"
    status = 410


@dataclass(frozen=True)
class Waiting:
    """What was sent: the table, the notice for its rows, and evidence by its names in the table."""

    table: bytes
    notice_text: str
    evidence: Mapping[str, Blob]


@transaction.atomic
def keep(sent: Waiting) -> str:
    """Keep what was sent; return the address under which `read` finds it for a day."""
    document = {
        "table": blobs.keep_bytes(data=sent.table).pk,
        "notice": blobs.keep_bytes(data=sent.notice_text.encode()).pk,
        "evidence": {name: blob.pk for name, blob in sent.evidence.items()},
    }
    return blobs.keep_bytes(data=canonical.encode(document)).pk


def read(address: str) -> Waiting:
    """Return what was sent, and keep it for another day. Raises TableForgotten, BytesDamaged."""
    keep_on([address])
    with blobs.read(address) as file:
        document = json.load(file)
    keep_on([document["table"], document["notice"], *document["evidence"].values()])
    with blobs.read(document["table"]) as table, blobs.read(document["notice"]) as notice:
        sent, text = table.read(), notice.read().decode()
    named = Blob.objects.in_bulk(document["evidence"].values())
    evidence = {name: named[sha256] for name, sha256 in document["evidence"].items()}
    return Waiting(sent, text, evidence)


@transaction.atomic
def keep_on(digests: Iterable[str]) -> None:
    """Let bytes lie for another day. Raises TableForgotten if some of them are gone."""
    wanted = set(digests)
    if Blob.objects.filter(pk__in=wanted).update(let_go_at=timezone.now()) < len(wanted):
        sentence = _(
            "The table was sent more than a day ago, and what was not brought in is not kept. "
            "Choose it again."
        )
        raise TableForgotten(sentence)
