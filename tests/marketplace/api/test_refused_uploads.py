"""Uploads that can't be taken: told why over HTTP, and nothing of them is stored."""

import struct
import unicodedata

import pytest

from ingestion.archive.storage import blob_store
from ingestion.models import Blob, File, Upload
from tests import factories, sealed
from tests.marketplace.api.callers import (
    begin,
    client_of,
    problem,
    send,
    sha256,
    upload,
    wav,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_store")]


def nothing_was_stored():
    """Neither a file nor bytes, in the database or in the store."""
    stored = [path for path in blob_store().root.rglob("*") if path.is_file()]
    return not File.objects.exists() and not Blob.objects.exists() and not stored


# ---- announcements that can't stand ----------------------------------------------------------

COMPOSED = unicodedata.normalize("NFC", "grüße.wav")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("../show.wav", "../show.wav"),
        ("audio/../../show.wav", "“..”"),
        ("/etc/show.wav", "/etc/show.wav"),
        ("audio//show.wav", "audio//show.wav"),
        ("./show.wav", "./show.wav"),
        ("audio\\show.wav", "audio\\show.wav"),
        ("show\n.wav", "U+000A"),
        ("show\x1b[2J.wav", "U+001B"),
        ("show\u202evaw.wav", "U+202E"),
        ("sh\u200bow.wav", "U+200B"),
        (DECOMPOSED, "NFC"),
        ("CON.wav", "CON.wav"),
        ("x" * 300 + ".wav", "255"),
        ("", "empty"),
    ],
)
def test_a_path_that_could_mean_another_file_is_refused(dataset, editor, path, word):
    found = problem(begin(editor, dataset, path, wav()), 422, "invalid-path", word)
    assert "\u202e" not in found["detail"]
    assert not Upload.objects.exists()


def test_a_name_with_a_null_character_is_refused(dataset, editor):
    problem(begin(editor, dataset, "sh\x00ow.wav", wav()), 422, "invalid-request", "path")


@pytest.mark.parametrize("name", ["show.zip", "show", "show.wav.exe", "README.md"])
def test_a_kind_of_file_that_is_not_taken_is_refused_by_its_name(dataset, editor, name):
    found = problem(begin(editor, dataset, name, wav()), 422, "file-refused", name)
    assert found["reason"] == "unsupported-type"


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_file_is_refused(dataset, editor, size):
    answer = begin(editor, dataset, "show.wav", b"", size=size)
    problem(answer, 422, "upload-invalid", "show.wav", "empty")


def test_a_file_too_large_is_refused_before_it_is_sent(dataset, editor):
    answer = begin(editor, dataset, "show.wav", b"", size=10**14)
    problem(answer, 422, "upload-invalid", "show.wav", "Split")


@pytest.mark.parametrize("size", ["many", None, 1.5, [1]])
def test_a_size_that_is_no_number_is_refused(dataset, editor, size):
    problem(begin(editor, dataset, "show.wav", b"", size=size), 422, "invalid-request", "size")


@pytest.mark.parametrize(
    ("first", "second"),
    [("show.wav", "show.wav"), ("show.wav", "Show.WAV"), (COMPOSED, COMPOSED.upper())],
)
def test_a_second_file_of_one_name_is_refused(dataset, editor, first, second):
    upload(editor, dataset, first, wav())
    found = problem(begin(editor, dataset, second, wav(2000)), 409, "path-taken", second)
    assert found["taken_by"] == first
    assert File.objects.count() == 1


def test_the_twin_of_a_file_on_its_way_is_refused(dataset, editor):
    begin(editor, dataset, "show.wav", wav())
    problem(begin(editor, dataset, "SHOW.wav", wav()), 409, "path-taken", "SHOW.wav", "show.wav")


def test_a_digest_that_is_none_is_refused(dataset, editor):
    problem(begin(editor, dataset, "show.wav", wav(), sha256="ABC"), 422, "upload-invalid", "hex")


@pytest.mark.parametrize("name", ["radio-valley", "radio-valley/show/1", "/show", ""])
def test_a_dataset_that_is_not_named_whole_is_refused(editor, name):
    body = {"dataset": name, "path": "show.wav", "size": 9}
    problem(editor.post("/api/v1/uploads", body), 422, "invalid-request", "dataset")


def test_somebody_elses_draft_looks_as_if_it_were_not_there(dataset):
    stranger = client_of(factories.organization())
    problem(begin(stranger, dataset, "show.wav", wav()), 404, "not-found")
    assert not Upload.objects.exists()


def test_a_version_in_review_takes_no_more_files(dataset, editor):
    dataset.versions.update(state="review")
    problem(begin(editor, dataset, "show.wav", wav()), 409, "version-closed", "in review")


# ---- bytes that can't be taken ---------------------------------------------------------------


def with_channels(count: int) -> bytes:
    """A WAV file whose header says that it has so many channels."""
    data = bytearray(wav())
    data[22:24] = struct.pack("<H", count)
    return bytes(data)


def with_rate(rate: int) -> bytes:
    """A WAV file whose header says so many samples a second."""
    data = bytearray(wav())
    data[24:28] = struct.pack("<I", rate)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("cut.wav", wav()[:-500], "cut off"),
        ("head.wav", wav()[:30], "cut off"),
        ("cut.flac", sealed.tone(1000, 200)[0][:30], "cut off"),
        ("picture.wav", b"\x89PNG\r\n\x1a\n" + bytes(900), "a PNG picture"),
        ("zip.mp3", b"PK\x03\x04" + bytes(900), "a ZIP archive"),
        ("wave.flac", wav(), "is a WAV file, not a FLAC file"),
        ("noise.wav", bytes(range(256)) * 8, "can't be recognized"),
        ("silent.wav", with_channels(0), "channels"),
        ("crowd.wav", wav(10, channels=200), "200 channels"),
        ("absurd.wav", with_rate(4_000_000_000), "4,000,000,000 Hz"),
        ("slow.wav", with_rate(1), "sample rate is 1 Hz"),
        ("words.txt", wav(), "is a WAV file"),
        ("words.jsonl", b"{not json}\n", "line 1"),
        ("words.txt", b"caf\xe9 au lait", "UTF-8"),
    ],
)
def test_bytes_that_are_not_what_the_name_says_are_refused_and_forgotten(
    dataset, editor, name, data, word
):
    found = problem(upload(editor, dataset, name, data), 422, "upload-refused", name, word)
    assert found["reason"] == "file-refused"
    assert nothing_was_stored()
    assert Upload.objects.get().state == "refused"


def test_a_whole_with_another_digest_is_refused_and_forgotten(dataset, editor):
    data = wav()
    begun = begin(editor, dataset, "show.wav", data).json()
    send(begun["parts"][0]["url"], data)
    done = editor.post(f"/api/v1/uploads/{begun['id']}/complete", {"sha256": "0" * 64})
    found = problem(done, 422, "upload-refused", "show.wav", sha256(data)[:8], "00000000")
    assert found["reason"] == "digest-mismatch"
    assert nothing_was_stored()


def test_a_whole_that_is_not_there_cannot_be_completed(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5000
    begun = begin(editor, dataset, "show.wav", wav(1000)).json()
    send(begun["parts"][1]["url"], wav(1000)[5000:10000])
    done = editor.post(f"/api/v1/uploads/{begun['id']}/complete", {"sha256": "0" * 64})
    assert problem(done, 409, "parts-missing", "show.wav", "3 of 4")["missing"] == [1, 3, 4]


@pytest.mark.parametrize("digest", ["", "xyz", "A" * 64, None])
def test_a_completion_without_a_digest_is_refused(dataset, editor, digest):
    begun = begin(editor, dataset, "show.wav", wav()).json()
    done = editor.post(f"/api/v1/uploads/{begun['id']}/complete", {"sha256": digest})
    problem(done, 422, "invalid-request", "sha256")


def test_a_refused_file_can_be_sent_again_better(dataset, editor):
    upload(editor, dataset, "show.wav", wav()[:-500])
    assert upload(editor, dataset, "show.wav", wav()).status_code == 200


def test_bytes_that_another_file_has_too_stay_when_a_refusal_forgets_its_own(dataset, editor):
    data = wav()
    upload(editor, dataset, "show.wav", data)
    problem(upload(editor, dataset, "show.flac", data), 422, "upload-refused", "show.flac")
    with blob_store().open(sha256(data)) as kept:
        assert kept.read() == data


def test_a_refused_upload_is_told_of_in_the_version(dataset, editor):
    upload(editor, dataset, "show.wav", wav()[:-500])
    found = editor.get("/api/v1/datasets/radio-valley/show/versions/1").json()
    assert [(file["path"], file["state"]) for file in found["files"]] == [("show.wav", "refused")]
    assert "show.wav" in found["files"][0]["error"]
