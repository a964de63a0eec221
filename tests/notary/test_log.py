"""The log: what is handed in gets its place, can be proved, and never changes."""

import base64
import os
import random
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from commonhold import merkle, notes, tlog
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notary import keys, log, statements, tasks
from notary.models import Checkpoint, LogEntry, LogNode, Statement

pytestmark = pytest.mark.django_db


def issue(count: int) -> list[Statement]:
    return [statements.issue(payload=os.urandom(8)) for _ in range(count)]


def bodies() -> list[bytes]:
    """The log's leaves, in its order."""
    return [bytes(body) for body in LogEntry.objects.integrated().values_list("body", flat=True)]


def newest() -> Checkpoint:
    found = log.latest_checkpoint()
    assert found is not None
    return found


def require_whole() -> None:
    """The log is what RFC 9162 says it is: every leaf, every root, every checkpoint."""
    leaves = bodies()
    indexes = LogEntry.objects.integrated().values_list("index", flat=True)
    assert list(indexes) == list(range(len(leaves)))
    assert log.size_now() == len(leaves)
    for checkpoint in Checkpoint.objects.all():
        signer = notes.vkey("localhost", keys.public(checkpoint.key_id))
        opened = notes.open_checkpoint(checkpoint.note, signer)
        assert (opened.origin, opened.size) == ("localhost", checkpoint.size)
        assert opened.root == bytes(checkpoint.root_hash) == merkle.root(leaves[: opened.size])
    complete = sum(len(leaves) >> level for level in range(len(leaves).bit_length()))
    assert LogNode.objects.count() == complete


def test_what_is_signed_is_pending_until_it_is_integrated():
    first, second = issue(2)
    assert (first.entry.index, second.entry.index) == (None, None)
    assert log.latest_checkpoint() is None
    assert log.integrate() == 2
    entries = [first.entry, second.entry]
    for entry in entries:
        entry.refresh_from_db()
    assert [entry.index for entry in entries] == [0, 1]
    assert newest().size == 2
    require_whole()


def test_an_idle_log_signs_nothing(django_assert_max_num_queries):
    assert log.integrate() == 0
    issue(1)
    tasks.integrate_log_task()
    note = newest().note
    with django_assert_max_num_queries(4):
        assert log.integrate() == 0
    assert Checkpoint.objects.get().note == note


def test_many_entries_are_integrated_in_one_go(monkeypatch):
    monkeypatch.setattr(log, "BATCH", 7)
    issue(23)
    assert log.integrate() == 23
    assert Checkpoint.objects.count() == 1
    require_whole()


@given(sizes=st.lists(st.integers(0, 9), max_size=8))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_tree_is_the_same_however_it_grew(sizes):
    for size in sizes:
        issue(size)
        log.integrate()
    require_whole()


def test_every_entry_is_provable_under_the_newest_checkpoint():
    made = issue(11)
    for statement in made:
        proof = log.prove(entry=statement.entry)
        checkpoint = proof.verify(bytes(statement.entry.body), keys.log_verifiers()[0])
        assert checkpoint.size == 11


def test_a_proof_of_a_pending_entry_integrates_it():
    issue(3)
    log.integrate()
    (statement,) = issue(1)
    assert log.prove(entry=statement.entry).index == 3
    assert statement.entry.index == 3
    assert newest().size == 4


def test_an_entry_that_was_integrated_but_not_signed_for_is_signed_for():
    for size in (1, 2):
        (statement,) = issue(1)
        log.place_pending()
        assert log.prove(entry=statement.entry).index == size - 1
        assert newest().size == size


def test_nothing_is_integrated_that_may_be_undone():
    (statement,) = issue(1)
    for unsafe in (
        lambda: log.prove(entry=statement.entry),
        log.integrate,
        log.place_pending,
        log.sign_checkpoint,
    ):
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            unsafe()
    assert LogEntry.objects.pending().count() == 1


def test_every_checkpoint_is_consistent_with_every_later_one():
    for _ in range(9):
        issue(1)
        log.integrate()
    found = list(Checkpoint.objects.order_by("size"))
    assert len(found) == 9
    for old in found:
        for new in found[found.index(old) :]:
            proof = merkle.consistency_proof(old.size, new.size, log.node)
            merkle.verify_consistency(
                old.size, new.size, bytes(old.root_hash), bytes(new.root_hash), proof
            )


def test_the_database_refuses_to_change_the_log():
    issue(2)
    log.integrate()
    (pending,) = issue(1)
    for change in ({"body": b"other"}, {"index": 7}, {"index": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LogEntry.objects.filter(index=1).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        LogEntry.objects.filter(pk=pending.entry_id).update(index=2, body=b"other")
    for rows in (LogEntry, LogNode, Checkpoint, Statement):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.objects.all()._raw_delete(using="default")
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement.objects.update(payload_sha256="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        LogNode.objects.update(hash=b"0" * 32)


def test_tiles_hold_the_leaf_hashes_in_order_and_end_where_the_log_does():
    made = issue(5)
    log.integrate()
    tile = log.tile(level=0, number=0, width=5)
    assert [tile[at : at + 32] for at in range(0, len(tile), 32)] == [
        bytes(statement.entry.leaf_hash) for statement in made
    ]
    issue(1)  # is pending: no tile holds it
    with pytest.raises(log.NoSuchTile):
        log.tile(level=0, number=0, width=6)
    with pytest.raises(log.NoSuchTile):
        log.entry_bundle(number=0, width=6)
    with pytest.raises(log.NoSuchEntry):
        log.entry_at(index=5)
    assert bytes(log.entry_at(index=4).body) == bodies()[4]


def test_go_reads_the_checkpoint_and_the_verifier_key():
    """Go's sumdb/note: name+hash+key, and a signature line with the same hash in front."""
    issue(1)
    log.integrate()
    text, _, signatures = newest().note.partition("\n\n")
    origin, size, root = text.split("\n")
    name, key_hash, key = keys.log_verifiers()[0].split("+", 2)
    assert (origin, size, len(base64.b64decode(root))) == ("localhost", "1", 32)
    dash, signer, encoded = signatures.removesuffix("\n").split(" ")
    signature = base64.b64decode(encoded)
    assert (dash, signer, name) == ("—", "localhost", "localhost")
    assert signature[:4].hex() == key_hash
    assert base64.b64decode(key)[:1] == b"\x01"
    keys.signer("log").public.verify(signature[4:], f"{text}\n".encode())


def test_after_a_rotation_the_log_is_signed_anew_and_old_proofs_hold():
    (old,) = issue(1)
    before = log.prove(entry=old.entry)
    keys.rotate(purpose="log", by="Ada")
    assert log.integrate() == 0
    notes_by_key = [row.note for row in Checkpoint.objects.order_by("pk")]
    fresh, retired = keys.log_verifiers()
    assert notes.signer_of(notes_by_key[-1], [fresh]) == fresh
    assert newest().note == notes_by_key[-1]
    before.verify(bytes(old.entry.body), retired)
    log.prove(entry=old.entry).verify(bytes(old.entry.body), fresh)
    assert stat.S_IMODE((keys.folder() / "log-largest-checkpoint").stat().st_mode) == 0o600


@pytest.mark.django_db(transaction=True)
def test_many_who_sign_and_integrate_at_once_make_one_whole_log():
    """Some of what is signed is undone; nothing waits for the log, and nothing is lost."""
    done = threading.Event()

    def sign(seed: int) -> int:
        kept, chance = 0, random.Random(seed)
        try:
            for _ in range(12):
                with transaction.atomic():
                    statements.issue(payload=chance.randbytes(8))
                    undone = chance.random() < 0.3
                    transaction.set_rollback(undone)
                kept += not undone
            return kept
        finally:
            connection.close()

    def sort(_: int) -> int:
        count = 0
        try:
            while not done.is_set():
                count += log.integrate()
            return count
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        sorters = [pool.submit(sort, number) for number in range(3)]
        try:
            kept = sum(pool.map(sign, range(5)))
        finally:
            done.set()
        sorted_by_them = sum(one.result() for one in sorters)
    assert sorted_by_them + log.integrate() == kept == log.size_now()
    assert newest().size == kept
    require_whole()
    statement = Statement.objects.order_by("?").first()
    assert statement is not None
    papers = statements.documents(statement=statement)
    proof = tlog.parse_proof(papers["manifest.tlog-proof"])
    proof.verify(bytes(statement.entry.body), keys.log_verifiers()[0])
