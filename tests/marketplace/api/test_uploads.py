"""Uploads over HTTP: parts in any order, resumed, checked, at signed addresses."""

import io

import pytest
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from ingestion.archive.storage import blob_store
from ingestion.models import Blob, File, Recording, Upload, UploadPart
from tests import sealed
from tests.marketplace.api.callers import (
    begin,
    checksum,
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


def test_a_file_arrives_in_parts_and_is_known_by_its_digest(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5000
    data = wav(1000)
    done = upload(editor, dataset, "audio/show.wav", data)
    assert done.status_code == 200
    assert done.json() == {
        "state": "complete",
        "file": {
            "path": "audio/show.wav",
            "sha256": sha256(data),
            "size": len(data),
            "kind": "audio",
            "recording": Recording.objects.get().pk,
        },
    }
    with blob_store().open(sha256(data)) as stored:
        assert stored.read() == data


def test_the_announcement_says_where_each_part_goes(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5000
    found = begin(editor, dataset, "show.wav", wav(1000)).json()
    assert found["state"] == "open"
    assert found["part_size"] == 5000
    assert found["error"] is None
    assert [(part["number"], part["offset"], part["size"]) for part in found["parts"]] == [
        (1, 0, 5000),
        (2, 5000, 5000),
        (3, 10000, 5000),
        (4, 15000, 1044),
    ]
    assert all(
        part["url"].startswith("http://testserver/api/v1/uploads/") for part in found["parts"]
    )


def test_an_interrupted_upload_goes_on_where_it_stopped(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5000
    data = wav(1000)
    begun = begin(editor, dataset, "show.wav", data).json()
    for number in (4, 2):
        part = begun["parts"][number - 1]
        send(part["url"], data[part["offset"] : part["offset"] + part["size"]])
    again = begin(editor, dataset, "show.wav", data).json()
    assert again["id"] == begun["id"]
    resumed = editor.get(f"/api/v1/uploads/{begun['id']}").json()
    assert [part["received"] for part in resumed["parts"]] == [False, True, False, True]
    for part in resumed["parts"]:
        if not part["received"]:
            send(part["url"], data[part["offset"] : part["offset"] + part["size"]])
    done = editor.post(f"/api/v1/uploads/{begun['id']}/complete", {"sha256": sha256(data)})
    assert done.json()["file"]["sha256"] == sha256(data)


def test_a_part_answers_with_its_digest_as_etag(dataset, editor):
    data = wav()
    part = begin(editor, dataset, "show.wav", data).json()["parts"][0]
    assert send(part["url"], data)["ETag"] == f'"{sha256(data)}"'


def test_completing_twice_gives_the_same_file(dataset, editor):
    data = wav()
    first = upload(editor, dataset, "show.wav", data)
    found = Upload.objects.get()
    again = editor.post(f"/api/v1/uploads/{found.pk}/complete", {"sha256": sha256(data)})
    assert again.json() == first.json()
    assert File.objects.count() == 1


def test_an_upload_that_was_given_up_takes_nothing_more(dataset, editor):
    data = wav()
    begun = begin(editor, dataset, "show.wav", data).json()
    assert editor.delete(f"/api/v1/uploads/{begun['id']}").status_code == 204
    problem(send(begun["parts"][0]["url"], data), 409, "upload-closed", "show.wav", "canceled")
    assert nothing_was_stored()


def test_an_upload_that_was_given_up_or_lapsed_is_gone(dataset, editor):
    for path, change in (
        ("a.wav", {"state": "canceled"}),
        ("b.wav", {"expires_at": timezone.now()}),
    ):
        begun = begin(editor, dataset, path, wav()).json()
        Upload.objects.filter(pk=begun["id"]).update(**change)
        problem(editor.get(f"/api/v1/uploads/{begun['id']}"), 404, "not-found")
        assert begin(editor, dataset, path, wav()).json()["id"] != begun["id"]


def test_an_upload_to_a_sealed_dataset_opens_its_next_version(station, editor):
    dataset = sealed.dataset(station, slug="morning")
    sealed.version(dataset)
    assert upload(editor, dataset, "new.wav", wav()).status_code == 200
    assert list(dataset.versions.order_by("number").values_list("number", "state")) == [
        (1, "sealed"),
        (2, "draft"),
    ]


def test_a_refused_announcement_opens_no_version(station, editor):
    dataset = sealed.dataset(station, slug="morning")
    sealed.version(dataset)
    problem(begin(editor, dataset, "../new.wav", wav()), 422, "invalid-path", "../new.wav")
    assert dataset.versions.count() == 1


class Wire(io.BytesIO):
    """A body that remembers how much was taken of it at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.most = max(self.most, len(found))
        return found


def test_a_part_is_never_whole_in_memory(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5 * 1024 * 1024
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    data = wav(400_000)
    part = begin(editor, dataset, "show.wav", data).json()["parts"][0]
    wire = Wire(data[: part["size"]])
    headers = {"x-amz-checksum-sha256": checksum(wire.getvalue())}
    sent = {"wsgi.input": wire, "CONTENT_LENGTH": str(part["size"])}
    answer = APIClient().generic("PUT", part["url"], headers=headers, **sent)
    assert answer.status_code == 200
    assert 0 < wire.most <= 1024 * 1024


# ---- what a part's address is good for -------------------------------------------------------


@pytest.fixture
def part(settings, dataset, editor):
    settings.UPLOAD_PART_SIZE = 5000
    return begin(editor, dataset, "show.wav", wav(1000)).json()["parts"][0]


def test_the_address_of_a_part_is_good_for_that_part_alone(part):
    other = part["url"].replace("/parts/1?", "/parts/2?")
    problem(send(other, wav(1000)[5000:10000]), 403, "link-invalid")
    assert not UploadPart.objects.exists()


def test_the_address_of_a_part_is_good_for_that_upload_alone(part, dataset, editor):
    other = begin(editor, dataset, "other.wav", wav(1000)).json()["id"]
    mine = Upload.objects.get(path="show.wav").pk
    problem(send(part["url"].replace(str(mine), other), wav(1000)[:5000]), 403, "link-invalid")


@pytest.mark.parametrize("method", ["get", "head", "post", "delete", "patch"])
def test_the_address_of_a_part_is_good_for_sending_alone(part, method):
    answer = getattr(APIClient(), method)(part["url"])
    assert answer.status_code == 405


def test_the_address_of_a_part_ends(part, monkeypatch):
    monkeypatch.setattr("marketplace.http.links.time.time", lambda: 4_000_000_000)
    problem(send(part["url"], wav(1000)[:5000]), 403, "link-invalid", "over")


def test_nobody_can_give_the_address_of_a_part_a_longer_life(part):
    longer = part["url"].replace("expires=1", "expires=2")
    assert longer != part["url"]
    problem(send(longer, wav(1000)[:5000]), 403, "link-invalid")


def test_without_its_signature_the_address_of_a_part_opens_nothing(part):
    problem(send(part["url"].partition("?")[0], wav(1000)[:5000]), 403, "link-invalid")


def test_another_deployment_can_make_no_address_for_us(part):
    with override_settings(SECRET_KEY="somebody else's"):
        problem(send(part["url"], wav(1000)[:5000]), 403, "link-invalid")


# ---- parts that can't be taken ---------------------------------------------------------------


def test_a_part_changed_on_the_way_is_refused(part):
    data = bytes(5000)
    answer = send(part["url"], data, **{"x-amz-checksum-sha256": checksum(b"other")})
    problem(answer, 422, "digest-mismatch", "Part 1", "show.wav")
    assert not UploadPart.objects.exists()


@pytest.mark.parametrize("digest", ["", "not base64!", checksum(b"x")[:-4], "é"])
def test_a_part_without_a_readable_digest_is_refused(part, digest):
    answer = send(part["url"], wav(1000)[:5000], **{"x-amz-checksum-sha256": digest})
    problem(answer, 422, "upload-invalid", "x-amz-checksum-sha256")


@pytest.mark.parametrize("size", [1, 4999, 5001, 100_000])
def test_a_part_of_another_size_is_refused_before_it_is_read(part, size):
    problem(send(part["url"], bytes(size)), 422, "part-size-wrong", "Part 1", "5,000", f"{size:,}")
    assert nothing_was_stored()


def test_a_part_that_ends_early_is_refused(part):
    cut = {"wsgi.input": io.BytesIO(bytes(4000)), "CONTENT_LENGTH": "5000"}
    headers = {"x-amz-checksum-sha256": checksum(bytes(5000))}
    answer = APIClient().generic("PUT", part["url"], headers=headers, **cut)
    problem(answer, 422, "part-refused", "5,000 bytes", "4,000")
    assert nothing_was_stored()


def test_a_part_without_its_length_is_refused(part):
    answer = send(part["url"], bytes(5000), **{"Content-Length": ""})
    problem(answer, 411, "length-required", "show.wav")


def test_what_a_part_replaces_is_forgotten(part, dataset, editor):
    data = wav(1000)
    send(part["url"], bytes(5000))
    send(part["url"], data[:5000])
    assert UploadPart.objects.get().sha256 == sha256(data[:5000])
