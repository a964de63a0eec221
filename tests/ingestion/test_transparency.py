"""The log: what is in it can be proved, and it never changes."""

import base64
import json
import os
from pathlib import Path

import pytest
from commonhold import merkle, notes
from commonhold.signing import sign_payload
from django.conf import settings
from django.db import IntegrityError, transaction

from ingestion import keys, transparency
from ingestion.models import Checkpoint, LogEntry
from tests import sealed

pytestmark = pytest.mark.django_db


def append(count: int) -> list[LogEntry]:
    return [
        transparency.append(envelope=sign_payload(os.urandom(8), keys.manifest_key()))
        for _ in range(count)
    ]


def verifier() -> str:

    return notes.vkey(settings.LOG_ORIGIN, keys.log_key().public)


def test_every_entry_is_provable_under_the_newest_checkpoint():
    for entry in append(11):
        proof = transparency.prove(entry=entry)
        checkpoint = proof.verify(bytes(entry.body), verifier())
        assert checkpoint.size == LogEntry.objects.count() or checkpoint.size > entry.index


def test_the_root_is_the_root_of_all_leaves():
    entries = append(13)
    checkpoint = transparency.latest_checkpoint()
    assert checkpoint is not None
    bodies = [
        bytes(body) for body in LogEntry.objects.order_by("index").values_list("body", flat=True)
    ]
    assert len(bodies) == len(entries)
    assert bytes(checkpoint.root_hash) == merkle.root(bodies)


def test_every_checkpoint_is_consistent_with_every_later_one():
    append(9)
    found = list(Checkpoint.objects.order_by("size"))
    for old in found:
        for new in found:
            if old.size <= new.size:
                proof = merkle.consistency_proof(old.size, new.size, transparency.node)
                merkle.verify_consistency(
                    old.size, new.size, bytes(old.root_hash), bytes(new.root_hash), proof
                )


def test_the_database_refuses_to_change_the_log():
    (entry,) = append(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        LogEntry.objects.filter(pk=entry.pk).update(body=b"other")
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.all().delete()


def test_tiles_hold_the_leaf_hashes_in_order():
    entries = append(5)
    first = entries[0].index
    tile = transparency.tile(level=0, number=0, width=first + 5)
    assert [tile[at : at + 32] for at in range(0, len(tile), 32)][first:] == [
        bytes(entry.leaf_hash) for entry in entries
    ]
    with pytest.raises(transparency.NoSuchTile):
        transparency.tile(level=0, number=0, width=first + 6)


def test_a_logged_release_names_nobody():
    version = sealed.version()
    body = json.loads(bytes(version.log_entry.body))
    assert set(body) == {"apiVersion", "kind", "spec"}
    text = (
        bytes(version.log_entry.body).decode()
        + base64.b64decode(version.manifest["payload"]).decode()
    )
    for personal in ("Amina", "Juma", "amina@example.org", "morning.wav", "five five five"):
        assert personal not in text


def test_signing_keys_are_readable_by_their_owner_alone():

    keys.trusted_root()
    folder = Path(settings.KEY_DIR)
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
