"""Files that arrive while others are announced: a browser sends several at once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.db import transaction

from ingestion.archive import blobs, datasets, recordings, storage, uploads, versions
from ingestion.archive.formats import media
from ingestion.models import Blob, Recording, Upload, Version
from tests import at_once, walks

pytestmark = pytest.mark.django_db(transaction=True)


def arrived(version, path: str, data: bytes) -> Upload:
    """An upload of which every part is there, and that is not completed yet."""
    begun = walks.begin(version, path, data)
    walks.send(begun, 1, data)
    return begun


def test_a_file_is_completed_while_the_next_is_announced():
    version = walks.draft()
    by = walks.editor(version)
    upload = arrived(version, "morning.txt", b"Good morning from the valley.")
    with transaction.atomic():
        held = versions.open_draft(dataset=version.dataset, by=by)
        completing = at_once.Call(partial(uploads.complete, upload=upload, by=upload.created_by))
        completing.thread.join(5)
        uploads.begin(version=held, path="evening.txt", size=10, by=by)
    assert completing.result().state == Upload.State.COMPLETE
    assert version.files.get().recording.name == "morning.txt"


def test_two_files_are_completed_at_once():
    version = walks.draft()
    texts = {f"{name}.txt": f"Good {name}.".encode() for name in ("morning", "evening", "night")}
    begun = [arrived(version, path, data) for path, data in texts.items()]
    done = at_once.all_of(
        *(partial(uploads.complete, upload=one, by=one.created_by) for one in begun)
    )
    assert [one.state for one in done] == [Upload.State.COMPLETE] * 3
    assert version.files.count() == 3


def discard(version: Version) -> None:
    versions.discard(version=version, by=walks.editor(version))


def delete_dataset(version: Version) -> None:
    datasets.delete(dataset=version.dataset, by=walks.editor(version))


@pytest.mark.parametrize("remove", [discard, delete_dataset])
def test_a_file_that_arrives_while_its_version_goes_hears_so(monkeypatch, remove):
    """The version goes once the parts are joined and before the file has its place."""
    version = walks.draft()
    upload = arrived(version, "morning.txt", b"Good morning from the valley.")
    joined, looks = media.sniff, [1]

    def meanwhile(path: Path, name: str) -> media.MediaInfo:
        if looks and looks.pop():
            at_once.Call(partial(remove, version)).result(seconds=10)
        return joined(path, name)

    monkeypatch.setattr(media, "sniff", meanwhile)
    with pytest.raises(uploads.UploadClosed):
        uploads.complete(upload=upload, by=upload.created_by)
    assert not Version.objects.exists()


@pytest.mark.parametrize("remove", [discard, delete_dataset])
def test_who_removes_a_version_waits_for_a_file_that_gets_its_place(monkeypatch, remove):
    version = walks.draft()
    upload, waiting = arrived(version, "morning.txt", b"Good morning from the valley."), []
    added = recordings.add

    def slowly(**what) -> Recording:
        waiting.append(at_once.Call(partial(remove, version)).until_it_waits())
        return added(**what)

    monkeypatch.setattr(recordings, "add", slowly)
    assert uploads.complete(upload=upload, by=upload.created_by).state == Upload.State.COMPLETE
    waiting[0].result()
    assert not Version.objects.exists()


def test_an_upload_that_is_given_up_while_it_is_joined_hears_so(monkeypatch):
    upload = arrived(walks.draft(), "morning.txt", b"Good morning from the valley.")
    read = storage.read_chunks

    def too_late(path: Path) -> Iterator[bytes]:
        at_once.Call(partial(uploads.cancel, upload=upload, by=upload.created_by)).result(
            seconds=10
        )
        return read(path)

    monkeypatch.setattr(storage, "read_chunks", too_late)
    with pytest.raises(uploads.UploadClosed, match="canceled"):
        uploads.complete(upload=upload, by=upload.created_by)
    upload.refresh_from_db()
    assert (upload.state, upload.error) == (Upload.State.CANCELED, None)


def test_a_file_that_is_completed_twice_at_once_is_joined_once(monkeypatch):
    upload = arrived(walks.draft(), "morning.txt", b"Good morning from the valley.")
    kept, waiting = blobs.keep, []

    def slowly(*, staged: storage.Staged) -> Blob:
        waiting.append(
            at_once.Call(
                partial(uploads.complete, upload=upload, by=upload.created_by)
            ).until_it_waits()
        )
        return kept(staged=staged)

    monkeypatch.setattr(blobs, "keep", slowly)
    done = uploads.complete(upload=upload, by=upload.created_by)
    assert waiting[0].result().recording == done.recording
    assert len(waiting) == 1
