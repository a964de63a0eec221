"""Replacing a key: a new one signs from now on, the old one's signatures count until now."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from django.db import transaction

from notary import locks
from notary.keys import ring, roots, signers
from notary.models import Purpose

SECOND = timedelta(seconds=1)
ROTATED = "site-key.rotated"
log = logging.getLogger("commonhold.security")


@dataclass(frozen=True)
class Rotation:
    """What was done: keyids, the end of the old key, and where its private half may still be."""

    purpose: str
    retired: str
    retired_at: datetime
    old_file: Path
    in_use: str
    new_file: Path


@transaction.atomic
def rotate(*, purpose: str, by: str, lost: bool = False) -> Rotation:
    """Replace the key of a purpose, and say so in a new version of the trusted root.

    `by` is a name for the record. A new root key is vouched for by the old one, which signs the
    version that brings it; `lost` does without, and then everybody who keeps the old root key has
    to be told. Raises KeyMissing, KeyChanged.
    """
    purpose = Purpose(purpose)
    locks.hold(locks.Lock.ROOT)
    if purpose == Purpose.LOG:
        # A checkpoint under way is signed by the old key before this, or by the new one after.
        locks.hold(locks.Lock.LOG)
    old = ring.in_use(purpose)
    vouching = purpose == Purpose.ROOT and not lost
    cosigner = signers.load(purpose, old.keyid) if vouching else None
    # What the old key signed this second bears this second, and still counts.
    old.valid_until = ring.now() + SECOND
    old.save(update_fields=["valid_until"])
    made = signers.make(purpose, ring.ALGORITHMS[purpose])
    try:
        ring.row(purpose, made, by=by).save(force_insert=True)
        roots.renew(cosigner=cosigner)
    except BaseException:
        made.path.unlink()
        raise
    facts = {"purpose": str(purpose), "retired": old.keyid, "in_use": made.keyid, "lost": lost}
    told = {"event": ROTATED, "facts": facts}
    transaction.on_commit(partial(log.warning, ROTATED, extra=told))
    return Rotation(
        purpose=purpose,
        retired=old.keyid,
        retired_at=old.valid_until,
        old_file=signers.path_of(purpose, old.keyid),
        in_use=made.keyid,
        new_file=made.path,
    )
