"""A database restored from yesterday does not fork the public log: the signer remembers."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from commonhold import merkle, notes
from django.core.cache import caches
from django.db import connection, transaction

from marketplace.models import Order
from notary import keys, log, memory, statements, status, tasks
from notary.models import Checkpoint, LogEntry, Statement
from tests import trade

pytestmark = pytest.mark.django_db


def issue(count: int) -> None:
    for number in range(count):
        statements.issue(payload=f"{number}".encode())


@contextmanager
def database_of_now():
    """Whatever happens inside, the database is restored to what it is now; KEY_DIR is not."""
    savepoint = transaction.savepoint()
    yield
    transaction.savepoint_rollback(savepoint)


def test_a_database_restored_from_yesterday_signs_nothing():
    issue(3)
    log.integrate()
    with database_of_now():
        issue(2)
        log.integrate()
    assert log.size_now() == 3
    remembered = (keys.folder() / memory.FILE).read_bytes()
    with pytest.raises(memory.LogRolledBack, match="signed 5 entries, but this database holds 3"):
        statements.issue(payload=b"a sale of today")
    assert not Statement.objects.filter(entry__index=None).exists()
    LogEntry.objects.create(body=b"left pending by yesterday", leaf_hash=bytes(32))
    for attempt in (log.integrate, log.place_pending, lambda: log.prove(entry=pending())):
        with pytest.raises(memory.LogRolledBack, match="from one and the same backup"):
            attempt()
    assert log.size_now() == 3
    assert pending().index is None
    assert Checkpoint.objects.get().size == 3
    assert (keys.folder() / memory.FILE).read_bytes() == remembered


def pending() -> LogEntry:
    return LogEntry.objects.pending().get()


def test_a_restored_database_that_grew_again_differently_signs_nothing():
    """As many entries as were signed, but others: a fork."""
    issue(1)
    log.integrate()
    with database_of_now():
        issue(2)
        log.integrate()
    path = keys.folder() / memory.FILE
    signed = path.read_text()
    path.write_text(Checkpoint.objects.get().note)
    issue(4)
    log.place_pending()
    path.write_text(signed)
    assert log.size_now() == 5
    with pytest.raises(memory.LogRolledBack, match="first 3 entries here are not those"):
        log.sign_checkpoint()
    assert Checkpoint.objects.get().size == 1


def test_database_and_keys_restored_from_one_backup_go_on():
    issue(3)
    log.integrate()
    backup = keys.folder().with_name("backup")
    shutil.copytree(keys.folder(), backup)
    with database_of_now():
        issue(2)
        keys.rotate(purpose="log", by="Ada")
        log.integrate()
    shutil.rmtree(keys.folder())
    shutil.copytree(backup, keys.folder(), dirs_exist_ok=True)
    issue(1)
    assert log.integrate() == 1
    newest = log.latest_checkpoint()
    assert newest is not None
    assert newest.size == 4


def test_a_database_from_before_a_rotation_of_the_log_is_noticed():
    issue(1)
    log.integrate()
    with database_of_now():
        keys.rotate(purpose="log", by="Ada")
        issue(1)
        log.integrate()
    with pytest.raises(memory.LogRolledBack, match="not signed by any key"):
        statements.issue(payload=b"{}")


def test_keys_restored_from_yesterday_beside_the_newest_database_go_on():
    issue(1)
    log.integrate()
    yesterday = (keys.folder() / memory.FILE).read_text()
    issue(1)
    log.integrate()
    (keys.folder() / memory.FILE).write_text(yesterday)
    issue(1)
    assert log.integrate() == 1


@pytest.mark.django_db(transaction=True)
def test_a_log_that_grows_while_somebody_signs_is_no_log_rolled_back(monkeypatch):
    """Between two questions of the one who signs, another integrates the log."""
    issue(1)
    log.integrate()
    issue(2)
    read_text = Path.read_text

    def integrate() -> None:
        try:
            log.integrate()
        finally:
            connection.close()

    def grow_first(path: Path, *args: object, **options: object) -> str:
        if path.name == memory.FILE and LogEntry.objects.pending().count() == 2:
            with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
                patched.setattr(Path, "read_text", read_text)
                pool.submit(integrate).result()
        return read_text(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", grow_first)
    issue(1)
    assert log.size_now() == 3
    assert log.integrate() == 1


def test_a_signer_without_its_memory_stops_and_says_how_to_go_on():
    issue(2)
    log.integrate()
    (keys.folder() / memory.FILE).unlink()
    with pytest.raises(keys.KeyMissing, match="/log/checkpoint") as refusal:
        statements.issue(payload=b"{}")
    assert memory.FILE in refusal.value.message
    newest = log.latest_checkpoint()
    assert newest is not None
    (keys.folder() / memory.FILE).write_text(newest.note)
    issue(1)
    assert log.integrate() == 1


def test_nothing_is_placed_that_could_not_be_signed_for():
    issue(2)
    log.integrate()
    issue(1)
    shutil.rmtree(keys.folder())
    with pytest.raises(keys.KeyMissing):
        log.integrate()
    assert log.size_now() == 2


def test_nothing_is_sold_while_the_log_stops():
    of = trade.offer()
    log.integrate()
    with database_of_now():
        issue(1)
        log.integrate()
    with pytest.raises(memory.LogRolledBack, match="Nothing was signed"), transaction.atomic():
        trade.buy(of)
    assert not Order.objects.exists()


def test_that_the_log_stops_is_said_seldom_and_anew_when_it_stops_again(caplog):
    issue(1)
    with database_of_now():
        issue(1)
        log.integrate()
    for _ in range(3):
        tasks.integrate_log_task()
    assert caplog.messages.count(tasks.ROLLED_BACK) == 1
    caches["told"].clear()  # The window is over.
    tasks.integrate_log_task()
    assert caplog.messages.count(tasks.ROLLED_BACK) == 2


def test_a_damaged_memory_stops():
    issue(2)
    log.integrate()
    path = keys.folder() / memory.FILE
    path.write_text(path.read_text().replace("\n2\n", "\n1\n"))
    with pytest.raises(memory.LogRolledBack, match="not signed by any key"):
        statements.issue(payload=b"{}")


def test_what_is_remembered_is_the_newest_checkpoint_as_it_was_published():
    for size in (1, 2, 3):
        issue(1)
        log.integrate()
        kept = (keys.folder() / memory.FILE).read_text()
        newest = log.latest_checkpoint()
        assert newest is not None
        assert kept == newest.note
        assert notes.open_checkpoint(kept, keys.log_verifiers()[0]).size == size


def test_a_checkpoint_is_remembered_before_anybody_sees_it(monkeypatch):
    """The machine dies between the two: what nobody saw is signed again, and nothing is lost."""
    issue(1)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint.objects, "create", die)
        with pytest.raises(SystemExit):
            log.integrate()
    assert log.latest_checkpoint() is None
    kept = notes.open_checkpoint((keys.folder() / memory.FILE).read_text(), keys.log_verifiers()[0])
    assert kept.size == 1
    issue(1)
    assert log.integrate() == 1
    newest = log.latest_checkpoint()
    assert newest is not None
    assert (newest.size, bytes(newest.root_hash)) == (2, merkle.tree_root(2, log.node))


def test_a_withdrawal_is_written_down_even_while_the_log_stops():
    """It is published once the log is whole again; nothing of it is lost."""
    place = status.place(name="thing")
    issue(1)
    log.integrate()
    with database_of_now():
        issue(1)
        log.integrate()
        right = (keys.folder() / memory.FILE).read_text()
    status.change(name="thing", index=place.index, status=1)
    with pytest.raises(memory.LogRolledBack):
        status.publish()
    assert status.find(name="thing", number=0).sequence == 0
    assert right == (keys.folder() / memory.FILE).read_text()
    newest = log.latest_checkpoint()
    assert newest is not None
    (keys.folder() / memory.FILE).write_text(newest.note)
    assert status.publish() == 1
