"""What is damaged is said where its owner looks, and handed out nowhere."""

from datetime import date

import pytest

from ingestion import consent
from ingestion.archive import fixity
from ingestion.consent import evidence
from ingestion.models import ConsentRecord
from tests import at_rest, sealed
from tests.marketplace.pages.studio.test_access import address

PAGES = ("overview", "files", "consent", "pipeline", "seal")


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def version(station):
    return sealed.version(sealed.dataset(station))


def said(browser, version, page: str) -> str:
    return browser.get(address(version, page)).content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_original_is_said_on_every_page_of_its_dataset(browser, version, page):
    recording = version.files.get().recording
    assert "Damaged on our disk" not in said(browser, version, page)
    at_rest.flip_a_bit(recording.blob_id)
    fixity.check(recording.blob)
    text = said(browser, version, page)
    assert "Damaged on our disk" in text
    assert recording.name in text
    assert "1 file of this version is not what arrived any more" in text


def test_damaged_files_are_counted_and_marked_in_the_list(browser, version):
    recording = version.files.get().recording
    damaged = [recording.blob, *(file.blob for file in version.release_files.all())]
    for blob in damaged:
        at_rest.cut_short(blob.pk)
        fixity.check(blob)
    text = said(browser, version, "files")
    assert f"{len(damaged)} files of this version are not what arrived any more" in text
    assert "Damaged</span>" in text


def test_what_is_whole_again_is_said_no_more(browser, version):
    recording = version.files.get().recording
    data = at_rest.read(recording.blob_id)
    at_rest.flip_a_bit(recording.blob_id)
    fixity.check(recording.blob)
    sealed.keep(data)
    assert "amaged" not in said(browser, version, "files")


def test_anothers_damage_is_nobodys_business(browser, version):
    stray = sealed.keep(b"of somebody else")
    at_rest.lose(stray.pk)
    fixity.check(stray)
    assert "amaged" not in said(browser, version, "files")


@pytest.mark.parametrize("harm", [at_rest.flip_a_bit, at_rest.cut_short, at_rest.lose])
def test_a_damaged_original_is_not_handed_out(browser, version, harm):
    recording = version.files.get().recording
    harm(recording.blob_id)
    answer = browser.get(address(version, "original", recording.pk))
    assert (answer.status_code, answer.json()["code"]) == (500, "bytes-damaged")


def test_a_damaged_form_is_marked_and_not_handed_out(browser, version):
    form = evidence.keep(name="form.pdf", chunks=[b"I agree."])
    record = consent.record(
        speaker=sealed.speaker(version.dataset, "Zuri"),
        notice=consent.Notice("We publish the show.", "en"),
        terms=consent.Terms(("research",), date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(version.files.get().recording)],
        by=ConsentRecord.objects.first().created_by,
        evidence=consent.Evidence(form, "form.pdf"),
    )
    at_rest.lose(form.pk)
    answer = browser.get(address(version, "evidence", record.pk))
    assert (answer.status_code, answer.json()["code"]) == (500, "bytes-damaged")
    page = browser.get(address(version, "consent_record", record.pk)).content.decode()
    assert "Damaged on our disk" in page
