"""Who gets into whose studio."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from ingestion.models import ConsentRecord, Finding
from tests import factories, sealed
from tests.marketplace.pages.studio import stages

PAGES = (
    "overview",
    "files",
    "consent",
    "new_consent",
    "import_consent",
    "consent_template",
    "pipeline",
    "pipeline_live",
    "review",
    "seal",
    "seal_live",
    "offers",
    "open_version",
    "discard",
    "edit",
    "delete",
    "history",
)
BUTTONS = (
    "open_version",
    "discard",
    "edit",
    "delete",
    "upload",
    "start",
    "finish",
    "leave_out",
    "leave_out_unwritten",
    "leave_out_speakers",
)


def address(version, page, *args):
    dataset = version.dataset
    return reverse(f"studio:{page}", args=[dataset.organization.slug, dataset.slug, *args])


def everything_of(version):
    file = stages.only_recording(version)
    finding = Finding.objects.filter(segment__recording=file).first()
    record = ConsentRecord.objects.filter(dataset=version.dataset).first()
    return [
        *(("get", address(version, page)) for page in PAGES),
        *(("post", address(version, page)) for page in BUTTONS),
        ("get", address(version, "original", file.pk)),
        ("get", address(version, "recording", file.pk)),
        ("get", address(version, "consent_record", record.pk)),
        ("get", address(version, "evidence", record.pk)),
        ("post", address(version, "withdraw", record.pk)),
        ("post", address(version, "remove_file", file.pk)),
        ("get", address(version, "language", file.pk)),
        ("post", address(version, "language", file.pk)),
        ("get", address(version, "leave_out_speakers")),
        ("post", address(version, "bring_back", record.speaker.pk)),
        ("post", address(version, "undo", 1)),
        ("get", address(version, "withdraw_version", 1)),
        ("post", address(version, "withdraw_version", 1)),
        ("post", address(version, "decide", finding.pk)),
        ("post", address(version, "review_segment", finding.segment.pk)),
        ("post", address(version, "add_finding", finding.segment.pk)),
        ("get", address(version, "new_offer", "CC0-1.0")),
    ]


def test_strangers_find_nothing_on_any_page_or_button(db):
    version = stages.in_review()
    stranger = Client()
    stranger.force_login(factories.owner_of(factories.organization()))
    for method, url in everything_of(version):
        assert getattr(stranger, method)(url).status_code == 404, url


def test_visitors_are_sent_to_the_login_from_every_page_and_button(db):
    version = stages.in_review()
    for method, url in everything_of(version):
        response = getattr(Client(), method)(url)
        assert response.status_code == 302, url
        assert response["Location"].startswith("/accounts/login/"), url


def test_a_member_who_only_buys_may_not_work_on_a_dataset(db):
    version = stages.in_review()
    buyer = Client()
    buyer.force_login(factories.member(version.dataset.organization, Role.BUYER))
    for method, url in everything_of(version):
        assert getattr(buyer, method)(url).status_code == 403, url


@pytest.mark.parametrize("role", [Role.OWNER, Role.EDITOR])
def test_owners_and_editors_see_every_page(db, role):
    version = stages.in_review()
    client = Client()
    client.force_login(factories.member(version.dataset.organization, role))
    for page in PAGES:
        assert client.get(address(version, page)).status_code == 200, page


def test_a_row_of_another_dataset_is_not_found_under_ones_own_address(browser, station):
    mine = stages.in_review(sealed.dataset(station))
    other = stages.in_review()
    file = stages.only_recording(other)
    finding = Finding.objects.get(segment__recording=file)
    record = other.dataset.consent_records.first()
    for url in (
        address(mine, "original", file.pk),
        address(mine, "consent_record", record.pk),
        address(mine, "evidence", record.pk),
        address(mine, "recording", file.pk),
    ):
        assert browser.get(url).status_code == 404
    decided = browser.post(address(mine, "decide", finding.pk), {"decision": "keep"})
    finding.refresh_from_db()
    assert decided.status_code == 404
    assert finding.state == Finding.State.OPEN


def test_pages_that_name_people_are_kept_by_no_cache(browser, station):
    version = stages.in_review(sealed.dataset(station))
    for page in ("overview", "consent", "review"):
        assert "no-store" in browser.get(address(version, page))["Cache-Control"]


def test_an_original_is_streamed_in_ranges_to_contributors(browser, station):
    version = stages.in_review(sealed.dataset(station))
    file = stages.only_recording(version)
    url = address(version, "original", file.pk)
    whole = b"".join(browser.get(url).streaming_content)
    part = browser.get(url, headers={"Range": "bytes=2-5"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == whole[2:6]
    assert part["Content-Type"] == "audio/wav"
