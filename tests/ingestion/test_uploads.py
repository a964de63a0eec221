"""Uploads: parts in any order, resumed, checked as a whole, and refused without a trace."""

import base64
import errno
import hashlib
from datetime import timedelta

import pytest
from commonhold.errors import Recorded
from commonhold.paths import InvalidPathError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, Role
from ingestion.archive import storage, uploads, versions
from ingestion.archive.recordings import PathTaken
from ingestion.archive.storage import blob_store
from ingestion.models import Blob, File, Recording, Upload, Version
from ingestion.pipeline.contract import RefusedError
from tests import factories, walks

pytestmark = pytest.mark.django_db

DATA = walks.recording()
PART = 16_000


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def version() -> Version:
    return walks.draft()


def begin(version: Version, path: str = "a.wav", **announced) -> Upload:
    size = announced.pop("size", len(DATA))
    upload = uploads.begin(
        version=version, path=path, size=size, by=walks.editor(version), **announced
    )
    Upload.objects.filter(pk=upload.pk).update(part_size=PART)
    upload.refresh_from_db()
    return upload


def send_all(upload: Upload, data: bytes = DATA, *, backwards: bool = False) -> None:
    parts = uploads.part_states(upload=upload)
    for part in reversed(parts) if backwards else parts:
        walks.send(upload, part.number, data[part.offset : part.offset + part.size])


def test_parts_that_come_backwards_make_the_same_file(version):
    upload = begin(version)
    send_all(upload, backwards=True)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert done.recording.blob_id == hashlib.sha256(DATA).hexdigest()


@given(size=st.integers(1, 10**13), part=st.integers(1, 10**9))
def test_parts_cover_the_file_once(size, part):
    upload = Upload(size=size, part_size=part)
    last = upload.part_count
    assert (last - 1) * part + upload.part_length(last) == size
    assert 0 < upload.part_length(last) <= part


def test_beginning_again_resumes_where_it_stopped(version):
    digest = hashlib.sha256(DATA).hexdigest()
    upload = begin(version, sha256=digest)
    walks.send(upload, 2, DATA[PART : 2 * PART])
    again = uploads.begin(
        version=version, path="a.wav", size=len(DATA), by=walks.editor(version), sha256=digest
    )
    assert again == upload
    received = [part.number for part in uploads.part_states(upload=again) if part.received]
    assert received == [2]


def test_two_files_on_their_way_do_not_mix(version):
    first, second = begin(version, "a.wav"), begin(version, "b.wav")
    assert first != second
    with pytest.raises(PathTaken, match="on its way in another upload"):
        begin(version, "A.wav")
    with pytest.raises(PathTaken):
        begin(version, "a.wav", sha256="0" * 64)
    with pytest.raises(PathTaken):
        begin(version, "a.wav", size=len(DATA) + 1)


def send_changed(upload: Upload, number: int) -> None:
    """Send a part whose bytes are not those that its checksum is of."""
    size = upload.part_length(number)
    with pytest.raises(uploads.DigestMismatch, match=f"Part {number} of «a.wav»"):
        uploads.receive_part(
            upload=upload, number=number, chunks=[bytes(size)], checksum="A" * 43 + "="
        )


def test_a_part_changed_on_the_way_is_refused_and_asked_for_again(version):
    upload = begin(version)
    send_changed(upload, 1)
    with pytest.raises(uploads.PartsMissing) as refusal:
        uploads.complete(upload=upload, by=upload.created_by)
    assert 1 in refusal.value.details["missing"]
    send_all(upload)
    assert uploads.complete(upload=upload, by=upload.created_by).state == Upload.State.COMPLETE


def test_a_part_sent_again_and_changed_on_the_way_never_replaces_the_good_one(version):
    upload = begin(version)
    send_all(upload)
    send_changed(upload, 1)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert done.recording.blob_id == hashlib.sha256(DATA).hexdigest()


def test_a_whole_that_is_not_what_was_announced_keeps_nothing(version):
    upload = begin(version, sha256="0" * 64)
    send_all(upload)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert (done.state, done.error["code"]) == (Upload.State.REFUSED, "digest-mismatch")
    assert done.error["parameters"]["path"] == "a.wav"
    assert not Recording.objects.exists()
    assert not Blob.objects.exists()
    with pytest.raises(storage.BlobMissing):
        blob_store().open(hashlib.sha256(DATA).hexdigest())


def test_a_full_store_costs_no_upload(version, monkeypatch):
    upload = begin(version)
    send_all(upload)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", no_room)
        with pytest.raises(storage.StorageFull):
            uploads.complete(upload=upload, by=upload.created_by)
    upload.refresh_from_db()
    assert upload.state == Upload.State.OPEN
    assert uploads.complete(upload=upload, by=upload.created_by).state == Upload.State.COMPLETE


def no_room(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_refusing_a_second_copy_leaves_the_first_one_whole(version):
    walks.upload(version, "a.wav", DATA)
    upload = begin(version, "b.mp3")
    send_all(upload)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert done.state == Upload.State.REFUSED
    assert "b.mp3" in Recorded.of(done.error).message
    kept = Recording.objects.get().blob_id
    with blob_store().open(kept) as blob:
        assert hashlib.sha256(blob.read()).hexdigest() == kept


def test_completing_twice_is_completing_once(version):
    upload = begin(version)
    send_all(upload)
    first = uploads.complete(upload=upload, by=upload.created_by).recording
    assert (
        uploads.complete(upload=upload, by=upload.created_by).recording
        == first
        == File.objects.get().recording
    )


def test_a_canceled_or_expired_upload_takes_no_parts(version):
    upload = begin(version)
    uploads.cancel(upload=upload, by=upload.created_by)
    upload.refresh_from_db()
    with pytest.raises(uploads.UploadClosed):
        walks.send(upload, 1, DATA[:PART])
    late = begin(version, "late.wav")
    Upload.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert uploads.expire() == 1
    late.refresh_from_db()
    assert late.state == Upload.State.CANCELED


def test_the_history_names_who_completed_a_file_and_who_gave_one_up(version):
    colleague = factories.member(version.dataset.organization, Role.EDITOR)
    added, dropped = begin(version), begin(version, "b.wav")
    left = begin(version, "c.wav")
    send_all(added)
    uploads.complete(upload=added, by=colleague)
    for _ in range(2):
        uploads.cancel(upload=dropped, by=colleague)
    Upload.objects.filter(pk=left.pk).update(expires_at=timezone.now())
    uploads.expire()
    done = AuditEntry.objects.filter(verb__in=["recording.added", "upload.canceled"])
    assert list(done.order_by("pk").values_list("verb", "actor")) == [
        ("recording.added", colleague.email),
        ("upload.canceled", colleague.email),
        ("upload.canceled", "the site"),
    ]


def give_up(upload: Upload) -> None:
    uploads.cancel(upload=upload, by=upload.created_by)


def discard_its_version(upload: Upload) -> None:
    versions.discard(version=upload.version, by=walks.editor(upload.version))


@pytest.mark.parametrize("end", [give_up, discard_its_version])
def test_a_part_that_is_on_its_way_when_its_upload_ends_hears_so(version, end):
    upload = begin(version)

    def piece():
        yield DATA[: PART // 2]
        end(upload)
        yield DATA[PART // 2 : PART]

    checksum = base64.b64encode(hashlib.sha256(DATA[:PART]).digest()).decode()
    with pytest.raises(uploads.UploadClosed):
        uploads.receive_part(upload=upload, number=1, chunks=piece(), checksum=checksum)


@pytest.mark.parametrize(
    ("path", "size", "refusal"),
    [
        ("../a.wav", 10, InvalidPathError),
        ("a\u202ewav.exe", 10, InvalidPathError),
        ("a.exe", 10, RefusedError),
        ("a.wav", 0, uploads.UploadInvalid),
        ("a.wav", 10**15, uploads.UploadInvalid),
    ],
)
def test_what_can_never_be_taken_is_refused_before_a_byte_is_sent(version, path, size, refusal):
    with pytest.raises(refusal):
        begin(version, path, size=size)
    assert not Upload.objects.exists()


def test_a_transcript_is_paired_with_its_recording_whichever_comes_first(version):
    walks.upload(version, "x/a.txt", b"he was not an ill disposed young man")
    walks.upload(version, "x/a.wav", DATA)
    walks.upload(version, "notes.txt", b"Nobody says this.")
    recording = walks.named(version, "x/a.wav")
    assert recording.transcript == walks.named(version, "x/a.txt")
    assert walks.named(version, "notes.txt").kind == Recording.Kind.DOCUMENT


@given(size=st.integers(1, 20 * 2**30))
def test_a_broken_line_never_costs_more_than_a_mebibyte_of_a_file_below_a_gibibyte(size):
    part = uploads.part_size(size)
    assert 2**20 <= part <= 8 * 2**20
    if size <= 2**30:
        assert part == 2**20
    assert -(-size // part) <= 2560
