"""Sending files by an ordinary form, and taking them out."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ingestion.archive import uploads
from ingestion.models import File, Recording, Upload
from tests import sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address


def send(browser, version, name, data):
    file = SimpleUploadedFile(name, data)
    return browser.post(address(version, "upload"), {"file": file}, follow=True)


def test_a_small_file_arrives_whole_without_scripts(browser, draft, settings):
    settings.UPLOAD_PART_SIZE = 20_000
    data = stages.wav()
    page = send(browser, draft, "morning.wav", data)
    made = stages.only_recording(draft)
    assert (made.name, made.kind, made.blob.size) == ("morning.wav", "audio", len(data))
    assert made.uploads.get().parts.count() == 4
    assert "«morning.wav» has arrived whole" in page.content.decode()


def test_a_transcript_is_paired_with_the_recording_of_its_name(browser, draft):
    send(browser, draft, "morning.wav", stages.wav())
    page = send(browser, draft, "morning.txt", b"Good morning.\n").content.decode()
    recording = Recording.objects.get(kind=Recording.Kind.AUDIO)
    assert recording.transcript == Recording.objects.get(kind=Recording.Kind.TRANSCRIPT)
    assert page.count("morning.txt") > 1


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.exe", b"MZ", "notes.exe"),
        ("fake.wav", b"this is no recording at all", "fake.wav"),
        ("empty.wav", b"", "empty"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_place_and_nothing_is_kept(
    browser, draft, name, data, words
):
    page = send(browser, draft, name, data)
    assert page.status_code == 422
    assert words in page.content.decode()
    assert page.context["form"].errors
    assert not draft.files.exists()


def test_a_path_that_is_taken_is_refused(browser, draft):
    send(browser, draft, "morning.wav", stages.wav())
    page = send(browser, draft, "MORNING.wav", stages.wav(3))
    assert page.status_code == 422
    assert "are one file on some systems" in page.content.decode()
    assert draft.files.count() == 1


def test_what_is_left_of_an_upload_of_other_bytes_is_never_mixed_in(browser, draft, contributor):
    data = stages.wav()
    uploads.begin(version=draft, path="morning.wav", size=len(data), by=contributor)
    page = send(browser, draft, "morning.wav", data)
    assert page.status_code == 422
    assert not draft.files.exists()


def test_an_upload_on_the_way_can_be_given_up(browser, draft, contributor):
    begun = uploads.begin(version=draft, path="long.wav", size=10_000, by=contributor)
    assert "long.wav" in browser.get(address(draft, "files")).content.decode()
    browser.post(address(draft, "cancel_upload", begun.pk))
    begun.refresh_from_db()
    assert begun.state == Upload.State.CANCELED
    assert "long.wav" not in [
        one.path for one in browser.get(address(draft, "files")).context["unfinished"]
    ]


def test_a_file_is_removed_from_a_draft(browser, draft):
    file = stages.recording(draft)
    page = browser.post(address(draft, "remove_file", file.pk), follow=True)
    assert not draft.files.exists()
    assert "«morning.wav» is removed" in page.content.decode()


def test_a_file_of_a_sealed_version_stays_and_the_page_says_why(browser, station):
    version = sealed.version(sealed.dataset(station))
    file = version.files.get()
    page = browser.post(address(version, "remove_file", file.recording_id))
    assert page.status_code == 409
    assert "it stays as it is" in page.content.decode()
    assert File.objects.filter(pk=file.pk).exists()


def test_a_version_in_review_takes_no_more_files(browser, station):
    version = stages.in_review(sealed.dataset(station))
    page = send(browser, version, "late.wav", stages.wav())
    assert page.status_code == 422
    assert "takes no more files" in page.content.decode()


def test_the_list_names_kind_partner_size_and_digest(browser, draft):
    file = stages.recording(draft)
    page = browser.get(address(draft, "files")).content.decode()
    assert file.blob_id in page
    assert "no transcript; the machine drafts one" in page
    assert "12 s" in page


def test_ten_thousand_files_come_in_pages(browser, station):
    version = stages.draft(sealed.dataset(station))
    common, blob = {"added_by": version.created_by}, sealed.keep(b"one")
    made = Recording.objects.bulk_create(
        Recording(
            dataset=version.dataset,
            kind="document",
            name=f"{n}.txt",
            name_key=f"{n}.txt",
            blob=blob,
            media_type="text/plain",
            **common,
        )
        for n in range(10_000)
    )
    File.objects.bulk_create(
        File(version=version, recording=one, key=one.name_key, **common) for one in made
    )
    page = browser.get(address(version, "files"))
    assert len(page.context["rows"]) == 100
