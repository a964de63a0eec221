"""Keys: made once, found again, replaced on purpose, and never silently."""

import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from commonhold.signing import KeyFileError, make_key, save_key
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from notary import instance, keys, locks, statements
from notary.models import SigningKey

pytestmark = pytest.mark.django_db
PURPOSES = keys.Purpose.values
ALGORITHMS = {"manifest": "ES256", "status": "ES256", "log": "Ed25519", "root": "Ed25519"}


def file_of(purpose: str) -> Path:
    """Where the private half of the key in use is."""
    return keys.folder() / f"{purpose}-{keys.in_use(purpose).keyid[:16]}.pem"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_key_is_made_at_first_use_and_found_again(purpose):
    first, second = keys.signer(purpose), keys.signer(purpose)
    assert first.keyid == second.keyid == SigningKey.objects.get().keyid
    assert first.algorithm == ALGORITHMS[purpose]
    assert file_of(purpose).exists()
    second.public.verify(first.sign(b"text"), b"text")
    assert keys.public(first.keyid) == second.public


def test_keys_are_for_their_owner_alone():
    for purpose in PURPOSES:
        keys.signer(purpose)
    assert stat.S_IMODE(keys.folder().stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.folder().iterdir()} == {0o600}
    file_of("manifest").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.signer("manifest")


def test_a_missing_folder_is_made_closed(settings, tmp_path):
    settings.KEY_DIR = tmp_path / "new" / "keys"
    keys.signer("manifest")
    assert stat.S_IMODE(settings.KEY_DIR.stat().st_mode) == 0o700


def test_what_is_dated_to_a_little_before_the_key_was_made_counts():
    key = keys.in_use("manifest")
    assert key.valid_from <= timezone.now() - timedelta(minutes=59)
    assert key.valid_until is None


def test_a_missing_key_file_stops_with_what_to_do_and_makes_no_new_key():
    keys.signer("manifest")
    shutil.rmtree(keys.folder())
    with pytest.raises(keys.KeyMissing, match="Restore KEY_DIR from the backup"):
        keys.signer("manifest")
    assert list(keys.folder().iterdir()) == []
    assert SigningKey.objects.count() == 1


def test_a_file_that_holds_another_key_stops_with_what_to_do():
    keys.signer("manifest")
    path = file_of("manifest")
    path.unlink()
    save_key(make_key("ES256"), path)
    with pytest.raises(keys.KeyChanged, match="another key") as refusal:
        keys.signer("manifest")
    assert str(keys.folder()) not in refusal.value.message


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_together_agree_on_one_key_and_leave_one_file():
    def ask(_: int) -> str:
        try:
            return keys.signer("log").keyid
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(16)))
    assert len(found) == 1
    assert [path.name for path in keys.folder().iterdir()] == [f"log-{found.pop()[:16]}.pem"]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_rotation_retires_the_old_key_and_keeps_its_public_half(purpose):
    old, before = keys.signer(purpose), timezone.now()
    done = keys.rotate(purpose=purpose, by="Ada")
    now = keys.signer(purpose)
    assert (done.retired, done.in_use) == (old.keyid, now.keyid)
    assert now.keyid != old.keyid
    assert now.algorithm == old.algorithm
    retired = SigningKey.objects.get(pk=old.keyid)
    assert retired.valid_until == done.retired_at
    assert before < done.retired_at <= timezone.now() + timedelta(seconds=1)
    assert done.retired_at.microsecond == 0
    assert keys.public(old.keyid) == old.public
    assert SigningKey.objects.get(pk=now.keyid).made_by == "Ada"
    assert done.old_file.exists()
    assert done.new_file == file_of(purpose)


def test_the_periods_of_two_keys_leave_no_second_between_them():
    for _ in range(3):
        keys.rotate(purpose="manifest", by="Ada")
    periods = SigningKey.objects.filter(purpose="manifest").order_by("valid_until")
    ends = [key.valid_until for key in periods]
    starts = [key.valid_from for key in periods]
    assert all(later <= end for end, later in zip(ends[:-1], starts[1:], strict=True))


def in_a_thread(work):
    """Do it on another connection, which waits for no lock longer than a moment."""

    def alone():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


@pytest.mark.django_db(transaction=True)
def test_the_logs_key_is_not_replaced_while_a_checkpoint_is_under_way():
    for purpose in PURPOSES:
        keys.signer(purpose)
    with transaction.atomic():
        locks.hold(locks.Lock.LOG)
        with pytest.raises(OperationalError, match="lock timeout"):
            in_a_thread(lambda: keys.rotate(purpose="log", by="Ada"))
        for purpose in ("manifest", "status", "root"):
            in_a_thread(lambda purpose=purpose: keys.rotate(purpose=purpose, by="Ada"))


@pytest.mark.django_db(transaction=True)
def test_a_key_is_replaced_while_it_signs():
    """A sale under way holds up no rotation, and its signature by the old key counts."""
    keys.trusted_root()
    with transaction.atomic():
        statement = statements.issue(payload=b"{}")
        done = in_a_thread(lambda: keys.rotate(purpose="manifest", by="Ada"))
    assert statement.key_id == done.retired
    assert statement.created_at < done.retired_at


@pytest.mark.django_db(transaction=True)
def test_two_who_rotate_at_once_do_it_one_after_the_other():
    keys.trusted_root()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: in_a_thread(rotate_status), range(2)))
    assert SigningKey.objects.filter(purpose="status").count() == 3
    assert {one.retired for one in done} & {one.in_use for one in done}


def rotate_status() -> keys.Rotation:
    return keys.rotate(purpose="status", by="Ada")


def test_a_lost_key_is_replaced_without_its_file_but_not_the_root_key():
    for purpose in ("manifest", "status", "log", "root"):
        keys.signer(purpose)
    keys.trusted_root()
    for purpose in ("manifest", "status", "log"):
        file_of(purpose).unlink()
        keys.rotate(purpose=purpose, by="Ada")
        keys.signer(purpose)
    before = keys.in_use("root").keyid
    file_of("root").unlink()
    with pytest.raises(keys.KeyMissing):
        keys.rotate(purpose="root", by="Ada")
    assert keys.in_use("root").keyid == before
    keys.rotate(purpose="root", by="Ada", lost=True)
    assert keys.in_use("root").keyid != before


def test_a_rotation_that_fails_leaves_no_key_behind(settings):
    keys.trusted_root()
    before = {path.name for path in keys.folder().iterdir()}
    settings.LOG_ORIGIN = "renamed.example"
    with pytest.raises(instance.LogOriginChanged), transaction.atomic():
        keys.rotate(purpose="manifest", by="Ada")
    assert {path.name for path in keys.folder().iterdir()} == before
    assert not SigningKey.objects.exclude(valid_until=None).exists()


def test_the_database_keeps_one_key_in_use_and_every_one_that_was():
    keys.signer("manifest")
    old = keys.rotate(purpose="manifest", by="Ada").retired
    for change in ({"valid_until": timezone.now()}, {"valid_until": None}, {"public_pem": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SigningKey.objects.filter(pk=old).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.filter(pk=old).delete()
    second = SigningKey.objects.get(valid_until=None, purpose="manifest")
    second.keyid = "0" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save(force_insert=True)


# ---- the command -----------------------------------------------------------------------------


def test_the_command_says_what_was_done_and_what_to_do_with_the_old_file():
    old = keys.signer("status").keyid
    out = StringIO()
    call_command("rotate_key", "status", stdout=out)
    said = out.getvalue()
    assert f"The status key {old[:16]} is retired" in said
    assert f"The status key {keys.in_use('status').keyid[:16]} signs from now on" in said
    assert str(keys.folder() / f"status-{old[:16]}.pem") in said
    assert "destroy it" in said
    assert "rotate_key" in SigningKey.objects.get(valid_until=None, purpose="status").made_by


def test_the_command_refuses_in_words():
    keys.signer("root")
    shutil.rmtree(keys.folder())
    with pytest.raises(CommandError, match="Restore KEY_DIR"):
        call_command("rotate_key", "root")
    with pytest.raises(CommandError, match="root key alone"):
        call_command("rotate_key", "log", "--lost")
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("rotate_key", "everything")
    out = StringIO()
    call_command("rotate_key", "root", "--lost", stdout=out)
    assert "Announce the change" in out.getvalue()
    assert "still in" not in out.getvalue()
