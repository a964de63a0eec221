"""Fixity: what changed at rest is found, held back, told, and handed out again once it is whole."""

import errno
import io
import json
import logging
import os
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from ingestion import consent
from ingestion.archive import blobs, fixity
from ingestion.archive.blobs import BytesDamaged, Fault
from ingestion.archive.recordings import PathTaken
from ingestion.archive.storage import LocalBlobStore, StorageAway, blob_store
from ingestion.models import Blob, PipelineRun, Recording, Upload
from ingestion.pipeline import jobs
from tests import at_rest, sealed, walks

pytestmark = pytest.mark.django_db

HARMS = {
    at_rest.flip_a_bit: Fault.DIGEST,
    at_rest.cut_short: Fault.SIZE,
    at_rest.lose: Fault.MISSING,
}
harms = pytest.mark.parametrize(
    ("harm", "fault"), HARMS.items(), ids=lambda one: getattr(one, "__name__", one)
)
LARGE = bytes(range(256)) * 4 * 4097


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def recording() -> Recording:
    return sealed.source(walks.draft())


def settled() -> None:
    """As the sweeper leaves what it has seen named."""
    Blob.objects.update(let_go_at=None)


def in_a_cycle(monkeypatch) -> set[str]:
    """What the rolling check finds in thirty days of hourly runs."""
    found: set[str] = set()
    start = timezone.now()
    for hour in range(30 * 24):
        if hour % 24 == 0 and not fresh_since(start):
            break
        with monkeypatch.context() as patched:
            at_rest.days_later((hour + 1) / 24, patched)
            found |= set(fixity.check_share())
    return found


def fresh_since(start) -> bool:
    """Whether something was not looked at since."""
    return Blob.objects.filter(last_checked__lte=start).exists()


# ---- found -----------------------------------------------------------------------------------


@harms
def test_what_changed_at_rest_is_found_within_a_cycle(recording, harm, fault, monkeypatch, caplog):
    others = [sealed.keep(bytes([number])) for number in range(20)]
    settled()
    harm(recording.blob_id)
    assert in_a_cycle(monkeypatch) == {recording.blob_id}
    assert Blob.objects.get(damaged_at__isnull=False).pk == recording.blob_id
    assert not Blob.objects.filter(pk__in=[one.pk for one in others], damaged_at__isnull=False)
    told = [one for one in caplog.records if one.levelno == logging.ERROR]
    found = {"sha256": recording.blob_id, "fault": str(fault)}
    assert [vars(one)["facts"] for one in told] == [found]


def test_each_hour_takes_its_share_and_those_first_that_waited_longest(settings):
    settings.FIXITY_DAYS = 1
    kept = [sealed.keep(bytes([number])) for number in range(48)]
    settled()
    for number, blob in enumerate(kept):
        was = timezone.now() - timedelta(days=100 - number)
        Blob.objects.filter(pk=blob.pk).update(last_checked=was)
    for number in range(24):
        fixity.check_share()
        checked = Blob.objects.filter(last_checked__gte=timezone.now() - timedelta(days=1))
        assert set(checked) == set(kept[: 2 * (number + 1)])


def test_the_whole_store_is_read_once_in_a_cycle_whatever_its_size(settings):
    settings.FIXITY_DAYS = 2
    start = timezone.now()
    for number in range(50):
        sealed.keep(bytes([number]))
    settled()
    Blob.objects.update(last_checked=start)
    for _ in range(2 * fixity.RUNS_A_DAY):
        fixity.check_share()
    assert not Blob.objects.filter(last_checked__lte=start).exists()


def test_sound_bytes_are_never_called_damaged():
    for number in range(200):
        sealed.keep(bytes([number]) * number)
    Blob.objects.update(let_go_at=None, last_checked=timezone.now() - timedelta(days=99))
    for _ in range(200):
        assert fixity.check_share() == {}


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.binary(min_size=1, max_size=2000), spot=st.integers(0), bit=st.integers(0, 7))
def test_no_flipped_bit_is_overlooked_or_handed_out(data, spot, bit):
    kept = sealed.keep(data)
    path = at_rest.path_of(kept.pk)
    changed = bytearray(data)
    changed[spot % len(data)] ^= 1 << bit
    path.write_bytes(changed)
    with pytest.raises(BytesDamaged):
        blobs.read(kept.pk)
    assert fixity.check(kept) == Fault.DIGEST
    path.write_bytes(data)
    assert fixity.check(Blob.objects.get(pk=kept.pk)) is None
    with blobs.read(kept.pk) as file:
        assert file.read() == data


def test_bytes_that_the_disk_cannot_read_are_damaged(recording):
    """A directory in their place: reading it fails as a bad sector does, with another number."""
    path = at_rest.path_of(recording.blob_id)
    size = recording.blob.size
    path.unlink()
    path.mkdir()
    Blob.objects.filter(pk=recording.blob_id).update(size=path.stat().st_size)
    assert size != path.stat().st_size
    with pytest.raises(BytesDamaged):
        blobs.read(recording.blob_id)
    assert fixity.check(Blob.objects.get(pk=recording.blob_id)) == Fault.UNREADABLE
    path.rmdir()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EACCES, errno.ESTALE])
def test_what_the_machine_cannot_do_just_now_says_nothing_of_the_bytes(number, monkeypatch):
    kept = sealed.keep(b"sound")
    settled()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobStore, "open", refuse)
        for look in (lambda: blobs.read(kept.pk), fixity.check_share):
            with pytest.raises(OSError, match=os.strerror(number)):
                look()
    assert blobs.read(kept.pk).read() == b"sound"


def test_a_store_that_is_away_says_nothing_of_its_bytes(settings, tmp_path):
    """A volume that is mounted after the site has started, say."""
    kept = sealed.keep(b"sound")
    settled()
    settings.BLOB_DIR.rename(tmp_path / "away")
    for look in (lambda: blobs.read(kept.pk), fixity.check_share):
        with pytest.raises(StorageAway):
            look()
    (tmp_path / "away").rename(settings.BLOB_DIR)
    assert blobs.read(kept.pk).read() == b"sound"


def test_bytes_that_could_not_be_read_once_are_looked_at_a_second_time(monkeypatch):
    kept, fails = sealed.keep(b"sound"), [True]
    opened = LocalBlobStore.open

    def fail_once(store: LocalBlobStore, sha256: str):
        if fails and fails.pop():
            raise OSError(errno.EIO, "the disk")
        return opened(store, sha256)

    monkeypatch.setattr(LocalBlobStore, "open", fail_once)
    assert blobs.read(kept.pk).read() == b"sound"
    assert Blob.objects.get().damaged_at is None


# ---- held back -------------------------------------------------------------------------------


@harms
@pytest.mark.parametrize("data", [b"short", LARGE], ids=["small", "large"])
def test_nothing_of_what_was_found_damaged_is_handed_out(harm, fault, data):
    kept = sealed.keep(data)
    harm(kept.pk)
    assert fixity.check(kept) == fault
    for _ in range(2):
        with pytest.raises(BytesDamaged) as refusal:
            blobs.read(kept.pk)
        assert refusal.value.details["sha256"] == kept.pk
    with pytest.raises(BytesDamaged), blobs.local(kept.pk):
        raise AssertionError


@pytest.mark.parametrize("harm", HARMS)
def test_small_bytes_are_looked_at_whole_before_the_rolling_check_comes_by(harm):
    kept = sealed.keep(b"small")
    harm(kept.pk)
    with pytest.raises(BytesDamaged):
        blobs.read(kept.pk)
    assert Blob.objects.get().damaged_at is not None


def test_large_bytes_of_another_size_are_not_handed_out_either():
    kept = sealed.keep(LARGE)
    at_rest.cut_short(kept.pk)
    with pytest.raises(BytesDamaged):
        blobs.read(kept.pk)
    assert Blob.objects.get().damaged_at is not None


def test_bytes_that_no_row_knows_are_not_handed_out():
    with blob_store().put_bytes(b"stray") as staged:
        blob_store().place(staged)
        with pytest.raises(BytesDamaged):
            blobs.read(staged.sha256)


def test_no_step_reads_a_damaged_original():
    version = walks.draft()
    walks.upload(version, "notes.txt", b"Nobody says this.")
    (run,) = jobs.start(version=version, by=walks.editor(version))
    at_rest.flip_a_bit(run.recording.blob_id)
    done = jobs.execute(run_id=run.pk)
    assert done.state == PipelineRun.State.PENDING
    assert done.error["parameters"]["what"]["parameters"]["sha256"] == run.recording.blob_id
    walks.upload(walks.draft(), "copy.txt", b"Nobody says this.")
    assert jobs.execute(run_id=run.pk).state == PipelineRun.State.DONE


# ---- whole again -----------------------------------------------------------------------------


@pytest.mark.parametrize("harm", HARMS)
def test_bytes_that_are_kept_again_are_whole_again(harm, recording):
    data = at_rest.read(recording.blob_id)
    harm(recording.blob_id)
    fixity.check(recording.blob)
    sealed.keep(data)
    with blobs.read(recording.blob_id) as file:
        assert file.read() == data


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_file_that_is_sent_to_its_place_again_is_whole_again(harm):
    version = walks.draft()
    recording = walks.upload(version, "notes.txt", b"Nobody says this.").recording
    with pytest.raises(PathTaken):
        walks.begin(version, "notes.txt", b"Nobody says this.")
    harm(recording.blob_id)
    fixity.check(recording.blob)
    with pytest.raises(PathTaken):
        walks.begin(version, "notes.txt", b"Somebody says this.")
    assert walks.upload(version, "notes.txt", b"Nobody said this.").state == Upload.State.REFUSED
    done = walks.upload(version, "notes.txt", b"Nobody says this.")
    assert (done.state, done.recording) == (Upload.State.COMPLETE, recording)
    assert version.files.get().recording == recording
    assert blobs.read(recording.blob_id).read() == b"Nobody says this."


def test_bytes_that_came_back_from_a_backup_are_handed_out_within_the_hour(recording):
    data = at_rest.read(recording.blob_id)
    settled()
    at_rest.flip_a_bit(recording.blob_id)
    fixity.check(recording.blob)
    at_rest.path_of(recording.blob_id).write_bytes(data)
    assert fixity.check_share() == {}
    assert blobs.read(recording.blob_id).read() == data


# ---- manage.py fsck --------------------------------------------------------------------------


def fsck(*arguments: str) -> tuple[int, str]:
    """What the command prints, and how it ends."""
    out = io.StringIO()
    try:
        call_command("fsck", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_fsck_says_that_nothing_is_damaged(recording):
    code, said = fsck()
    assert (code, "Nothing is damaged." in said) == (0, True)


@harms
def test_fsck_names_what_is_damaged_by_everything_that_names_it(harm, fault):
    version = sealed.version()
    clip = version.release_files.filter(kind="clip").first()
    harm(clip.blob_id)
    code, said = fsck("--json")
    (damage,) = json.loads(said)["damaged"]
    assert (code, damage["sha256"], damage["fault"]) == (1, clip.blob_id, fault)
    assert f"{clip.path} of {version}" in damage["named_by"]
    assert any("strip of recording" in name for name in damage["named_by"])
    assert str(clip.recording) not in said
    code, text = fsck()
    assert (code, f"DAMAGED {clip.blob_id} ({fault})" in text) == (1, True)
    assert Blob.objects.get(damaged_at__isnull=False).pk == clip.blob_id


def test_fsck_names_what_each_kind_of_row_names():
    version = sealed.version()
    form = sealed.keep(b"I agree.")
    record = consent.record(
        speaker=sealed.speaker(version.dataset, "Zuri"),
        notice=consent.Notice("We publish the show.", "en"),
        terms=consent.Terms(("research",), timezone.now().date(), "KE"),
        stretches=[consent.Stretch(version.files.get().recording)],
        by=walks.editor(version),
        evidence=consent.Evidence(form, "form.pdf"),
    )
    for sha256 in at_rest.named():
        at_rest.lose(sha256)
    code, said = fsck("--json", "--quick")
    names = {one["sha256"]: one["named_by"] for one in json.loads(said)["damaged"]}
    assert (code, set(names)) == (1, at_rest.named())
    assert all(names.values())
    assert names[form.pk] == [f"evidence of consent {record.pk} in {version.dataset}"]
    assert names[version.seal.index_id] == [f"index of {version}"]
    assert names[version.seal.croissant_id] == [f"croissant of {version}"]


def test_fsck_counts_bytes_that_no_row_names_and_that_no_row_knows(recording):
    let_go = sealed.keep(b"let go")
    with blob_store().put_bytes(b"stray") as staged:
        blob_store().place(staged)
    code, said = fsck("--json")
    report = json.loads(said)
    assert (code, report["damaged"]) == (0, [])
    assert report["unnamed"] == {let_go.pk: 6}
    assert report["unknown"] == {staged.sha256: 5}
    assert {let_go.pk, staged.sha256} < at_rest.stored()


def test_a_quick_fsck_reads_nothing_and_believes_nothing_sound(recording):
    at_rest.flip_a_bit(recording.blob_id)
    assert fsck("--quick")[0] == 0
    assert fsck()[0] == 1
    assert fsck("--quick")[0] == 1


def test_fsck_after_a_restored_file_hands_it_out_at_once(recording):
    data, path = at_rest.read(recording.blob_id), at_rest.path_of(recording.blob_id)
    at_rest.lose(recording.blob_id)
    assert fsck("--quick")[0] == 1
    path.write_bytes(data)
    assert fsck("--quick")[0] == 0
    assert blobs.read(recording.blob_id).read() == data


def test_the_checks_are_on_the_schedulers_list():
    tasks = {one["task"] for one in configured.CELERY_BEAT_SCHEDULE.values()}
    assert {"ingestion.tasks.sweep_bytes_task", "ingestion.tasks.check_bytes_task"} <= tasks
    assert configured.FIXITY_DAYS == 30
