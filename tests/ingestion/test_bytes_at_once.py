"""The same bytes in several hands at once: whoever is refused takes nothing from the others."""

import hashlib
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingestion.archive import blobs, fixity, storage, sweeping, uploads, versions
from ingestion.consent import evidence
from ingestion.models import Blob, StepFile, StepRun, Upload
from ingestion.pipeline import jobs
from tests import at_once, at_rest, factories, sealed, walks

pytestmark = pytest.mark.django_db(transaction=True)

DATA = b"Good morning from the valley."


def arrived(data: bytes, *, sha256: str = "") -> Upload:
    """An upload of another organization, of which every part is there."""
    version = sealed.dataset(factories.organization()).versions.get()
    begun = uploads.begin(
        version=version, path="a.txt", size=len(data), by=walks.editor(version), sha256=sha256
    )
    walks.send(begun, 1, data)
    return begun


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


def test_a_refused_upload_never_takes_a_strangers_bytes():
    """Hers is refused because her draft was closed meanwhile, just after his had arrived."""
    his, hers = arrived(DATA), arrived(DATA)
    with transaction.atomic():
        version = versions.lock_draft(hers.version_id)
        completing = at_once.Call(
            partial(uploads.complete, upload=hers, by=hers.created_by)
        ).until_it_waits()
        done = at_once.Call(partial(uploads.complete, upload=his, by=his.created_by)).result()
        version.state = version.State.PROCESSING
        version.save(update_fields=["state"])
    assert completing.result().state == Upload.State.REFUSED
    assert done.state == Upload.State.COMPLETE
    assert at_rest.read(done.recording.blob_id) == DATA


def test_forty_refusals_beside_forty_uploads_of_the_same_bytes_cost_nobody_a_byte():
    for number in range(40):
        data = f"{DATA.decode()} {number}".encode()
        his, hers = arrived(data), arrived(data, sha256="0" * 64)
        done, refused = at_once.all_of(
            partial(uploads.complete, upload=his, by=his.created_by),
            partial(uploads.complete, upload=hers, by=hers.created_by),
        )
        assert (done.state, refused.state) == (Upload.State.COMPLETE, Upload.State.REFUSED)
        sha256 = hashlib.sha256(data).hexdigest()
        assert at_rest.read(sha256) == data
        assert Blob.objects.filter(pk=sha256).exists()


def complete(upload: Upload) -> Upload:
    return uploads.complete(upload=upload, by=upload.created_by)


# ---- keepers beside the sweeper --------------------------------------------------------------

SHA256 = hashlib.sha256(DATA).hexdigest()


def let_go() -> Blob:
    """Bytes that nothing has named for two days."""
    blob = blobs.keep_bytes(data=DATA)
    Blob.objects.update(let_go_at=timezone.now() - timedelta(days=2))
    return blob


def name_it(blob: Blob) -> StepRun:
    """A row that names bytes."""
    version = sealed.dataset().versions.get()
    run = jobs.make_intake(recording=sealed.source(version))
    step = run.steps.first()
    files = {"a.flac": {"sha256": blob.pk, "size": blob.size}}
    StepRun.objects.filter(pk=step.pk).update(files=files)
    return step


def test_the_sweeper_leaves_alone_what_somebody_is_keeping():
    let_go()
    with transaction.atomic():
        kept = blobs.keep_bytes(data=DATA)
        assert at_once.Call(sweeping.sweep).result().removed == 0
        name_it(kept)
    assert at_once.Call(sweeping.sweep).result().removed == 0
    assert at_rest.read(SHA256) == DATA


def test_who_keeps_what_the_sweeper_is_removing_waits_and_has_it_whole():
    let_go()
    with transaction.atomic():
        Blob.objects.select_for_update().get(pk=SHA256)
        sweeper = at_once.Call(sweeping.sweep).until_it_waits()
        keeper = at_once.Call(lambda: name_it(blobs.keep_bytes(data=DATA)))
        keeper.until_it_waits()
    assert sweeper.result().removed == 1
    keeper.result()
    assert Blob.objects.filter(sweeping.named(), pk=SHA256).exists()
    assert at_rest.read(SHA256) == DATA


def test_who_names_without_keeping_what_was_let_go_long_ago_is_refused():
    """A row without bytes is worse than a refusal; whoever keeps them anew has them for a day."""
    blob = let_go()
    naming = transaction.atomic()
    naming.__enter__()
    name_it(blob)
    assert at_once.Call(sweeping.sweep).result().removed == 1
    with pytest.raises(IntegrityError):
        naming.__exit__(None, None, None)
    assert SHA256 not in at_rest.stored()
    assert not StepFile.objects.exists()


def test_of_two_sweepers_none_writes_down_what_the_other_removed():
    let_go()
    swept = at_once.all_of(*[sweeping.sweep] * 4)
    assert sum(one.removed for one in swept) == 1
    assert (Blob.objects.count(), at_rest.stored()) == (0, set())


def test_forty_rounds_of_keepers_and_sweepers_end_with_no_row_without_its_bytes():
    """The sweeper here gives nobody a day."""
    ever = timezone.now() + timedelta(days=1000)
    for number in range(40):
        data = f"round {number % 7}".encode()
        outcome = at_once.all_of(
            lambda data=data: name_it(sealed.keep(data)),
            partial(sweeping.remove_let_go, before=ever),
            partial(complete, arrived(data)),
            partial(sweeping.remove_let_go, before=ever),
        )
        wrong = [one for one in outcome if isinstance(one, Exception)]
        # Kept in one transaction and named in another, with not even an instant between them.
        assert all(isinstance(one, IntegrityError) for one in wrong)
        assert at_rest.named() <= at_rest.stored()
        assert set(Blob.objects.values_list("pk", flat=True)) <= at_rest.stored()


def test_who_keeps_bytes_waits_for_nobody_who_reads_damaged_ones_and_has_them_whole(monkeypatch):
    """The bytes are replaced while the damaged ones are read, and once more at the second look."""
    kept, looks = blobs.keep_bytes(data=DATA), [1, 2]
    at_rest.flip_a_bit(SHA256)
    opened = storage.LocalBlobStore.open

    def open_and_replace(store: storage.LocalBlobStore, sha256: str):
        file = opened(store, sha256)
        if looks and looks.pop():
            at_once.Call(partial(blobs.keep_bytes, data=DATA)).result(seconds=10)
        return file

    with monkeypatch.context() as patched:
        patched.setattr(storage.LocalBlobStore, "open", open_and_replace)
        assert fixity.check(kept) is None
    assert (looks, Blob.objects.get().damaged_at) == ([], None)


# ---- killed, and no room ---------------------------------------------------------------------

COMPLETE = """
import django
django.setup()
from django.conf import settings
settings.BLOB_DIR, settings.DATABASES["default"]["NAME"] = {store!r}, {database!r}
from ingestion.archive import uploads
from ingestion.models import Upload
upload = Upload.objects.get(pk={upload!r})
uploads.complete(upload=upload, by=upload.created_by)
"""


def completing_elsewhere(upload: Upload, store: Path) -> "subprocess.Popen[bytes]":
    """Another process that completes an upload."""
    name = connection.settings_dict["NAME"]
    code = COMPLETE.format(store=str(store), database=name, upload=str(upload.pk))
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])


def test_who_is_killed_between_the_bytes_and_their_row_leaves_nothing_half_stored(settings):
    upload = arrived(DATA)
    with transaction.atomic():
        # Its row waits for this one, while the bytes have their address already.
        Blob.objects.create(sha256=SHA256, size=len(DATA))
        child = completing_elsewhere(upload, settings.BLOB_DIR)
        deadline = time.monotonic() + 60
        while SHA256 not in at_rest.stored():
            assert child.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it never placed the bytes"
            time.sleep(0.01)
        child.kill()
        child.wait()
        transaction.set_rollback(True)
    upload.refresh_from_db()
    assert (upload.state, upload.recording) == (Upload.State.OPEN, None)
    assert not Blob.objects.exists()
    assert sweeping.sweep().found == 1
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert done.state == Upload.State.COMPLETE
    assert at_rest.read(done.recording.blob_id) == DATA
    assert at_rest.stored() == at_rest.named()


@pytest.fixture
def small_store(settings, tmp_path):
    """A store of two megabytes on a file system of its own: it takes root, or CAP_SYS_ADMIN."""
    store = tmp_path / "small"
    store.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "commonhold-test", str(store)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"this test must be allowed to mount a tmpfs: {done.stderr}"
    settings.BLOB_DIR = store
    settings.UPLOAD_PART_SIZE = 8 * 2**20
    yield store
    subprocess.run(["umount", str(store)], check=True)


def test_a_full_disk_costs_no_upload_and_keeps_no_halves(small_store):
    data = b"Nobody says this.\n" * 60_000
    upload = arrived(data)
    assert 2 * len(data) > 2 * 2**20 > len(data)
    before = sorted(small_store.rglob("*"))
    for _ in range(3):
        with pytest.raises(storage.StorageFull):
            uploads.complete(upload=upload, by=upload.created_by)
    assert sorted(small_store.rglob("*")) == before
    assert (Blob.objects.count(), at_rest.stored()) == (0, set())
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_store)], check=True)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert done.state == Upload.State.COMPLETE
    assert at_rest.read(done.recording.blob_id) == data


def test_a_part_that_finds_no_room_is_asked_for_again(small_store):
    data = b"x" * 3 * 2**20
    upload = walks.begin(sealed.dataset().versions.get(), "a.txt", data)
    with pytest.raises(storage.StorageFull):
        walks.send(upload, 1, data)
    assert not [path for path in small_store.rglob("*") if path.is_file()]
    assert not any(part.received for part in uploads.part_states(upload=upload))


def test_evidence_that_finds_no_room_leaves_nothing(small_store):
    with pytest.raises(storage.StorageFull):
        evidence.keep(name="form.pdf", chunks=[b"x" * 3 * 2**20])
    assert (Blob.objects.count(), at_rest.stored()) == (0, set())
