"""Version 2 begins from version 1: on every tab, with a speaker who withdrew, without another."""

import pytest

from ingestion import releases
from ingestion.models import PipelineRun, Segment, Version
from licensing import following
from tests import sealed, trade
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address
from tests.sealed import Said

HTMX = {"HX-Request": "true"}


@pytest.fixture
def draft(station):
    return stages.carried_over(sealed.dataset(station))


def text(browser, version, tab, *args):
    return browser.get(address(version, tab, *args)).content.decode()


def step(browser, version):
    return browser.get(address(version, "overview")).context["step"]


def test_the_button_begins_the_next_version_with_everything_of_the_last(browser, station):
    version = sealed.version(sealed.dataset(station))
    page = browser.post(address(version, "open_version"), follow=True)
    draft = version.dataset.versions.newest()
    assert (draft.number, draft.begun_from) == (2, version)
    assert "Version 2 is open, with everything that version 1 holds." in page.content.decode()
    files = browser.get(address(draft, "files"))
    assert [row["is_carried_over"] for row in files.context["rows"]] == [True]


def test_a_version_that_began_with_nothing_says_no_more_than_that(browser, station):
    version = sealed.version(sealed.dataset(station))
    releases.withdraw(version=version, reason="A mistake.", by=version.created_by)
    page = browser.post(address(version, "open_version"), follow=True).content.decode()
    assert "Version 2 is open." in page
    assert "with everything" not in page


def test_what_is_carried_over_shows_on_every_tab(browser, draft):
    name = stages.only_recording(draft).name
    assert name in text(browser, draft, "files")
    assert "carried over" in text(browser, draft, "files")
    assert "Consent covers all of it" in text(browser, draft, "consent")
    assert "was processed before" in text(browser, draft, "pipeline")
    assert name in text(browser, draft, "review")
    assert "Only a sealed version" not in text(browser, draft, "offers")


def test_the_thread_of_a_carried_over_version_is_as_far_as_its_work(browser, draft):
    page = browser.get(address(draft, "overview"))
    states = {name: one["state"] for name, one in page.context["stations"].items()}
    assert states == {
        "source": "done",
        "consent": "done",
        "text": "done",
        "scrub": "done",
        "review": "active",
        "seal": "waiting",
        "license": "waiting",
        "download": "waiting",
    }
    assert page.context["step"].action == "Go on to the seal"


def test_its_passages_can_be_heard_and_decided_anew(browser, draft):
    recording = stages.only_recording(draft)
    finding = stages.segments(draft)[1].findings.get()
    page = browser.get(address(draft, "recording", recording.pk))
    assert len(page.context["passages"]) == 4
    browser.post(address(draft, "decide", finding.pk), {"decision": "keep"})
    finding.refresh_from_db()
    assert finding.state == "rejected"


def test_finished_with_nothing_to_do_it_is_sealed_at_once(
    browser, draft, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as asked:
        browser.post(address(draft, "finish"), stages.CONFIRMED)
    assert len(asked) == 1
    assert "Sealing version 2" in text(browser, draft, "seal")
    assert "Files redacted as you decided" in text(browser, draft, "seal_live")
    releases.seal(version=draft)
    draft.refresh_from_db()
    assert draft.state == Version.State.SEALED


def test_what_is_new_in_it_is_all_that_the_machine_is_asked_for(
    browser, draft, django_capture_on_commit_callbacks
):
    new = stages.recording(draft, path="evening.wav")
    stages.agreed(draft, new)
    assert "1 of 2 recordings and texts go through it" in text(browser, draft, "pipeline")
    assert "The review has not begun" in text(browser, draft, "review")
    assert step(browser, draft).action == "Start processing"
    thread = browser.get(address(draft, "overview")).context["stations"]
    assert (thread["text"]["state"], thread["text"]["label"]) == ("waiting", "1 of 2 files")
    with django_capture_on_commit_callbacks() as asked:
        response = browser.post(address(draft, "start"))
    assert response["Location"] == address(draft, "pipeline")
    assert len(asked) == 1
    assert PipelineRun.objects.get(state="pending").recording == new
    assert browser.get(address(draft, "pipeline")).context["done_of_total"] == "1 of 2"


def test_started_with_nothing_new_it_goes_on_to_the_review(browser, draft):
    response = browser.post(address(draft, "start"))
    draft.refresh_from_db()
    assert response["Location"] == address(draft, "review")
    assert draft.state == Version.State.REVIEW


def test_an_upload_on_its_way_keeps_the_review_from_being_finished(browser, draft, contributor):
    stages.announced(draft, by=contributor)
    assert step(browser, draft).action == "Finish the uploads"
    response = browser.post(address(draft, "finish"), stages.CONFIRMED)
    assert response.status_code == 409
    assert "has not arrived whole" in response.content.decode()


def test_a_recording_that_was_removed_is_not_found_but_lasts(browser, draft):
    recording = stages.only_recording(draft)
    browser.post(address(draft, "remove_file", recording.pk))
    assert browser.get(address(draft, "recording", recording.pk)).status_code == 404
    assert b"".join(browser.get(address(draft, "original", recording.pk)).streaming_content)
    assert step(browser, draft).action == "Add files"


@pytest.fixture
def offered(station):
    version = sealed.version(sealed.dataset(station))
    trade.offer(version)
    return version


def test_a_withdrawal_is_followed_by_whatever_rests_on_it(
    browser, offered, django_capture_on_commit_callbacks
):
    record = offered.dataset.consent_records.get(speaker__name="Juma")
    assert step(browser, offered).action == "See the public page"
    with django_capture_on_commit_callbacks() as asked:
        browser.post(address(offered, "withdraw", record.pk))
    assert len(asked) == 1
    following.follow()
    assert "A consent that it needs ended" in text(browser, offered, "offers")
    thread = browser.get(address(offered, "overview")).context["stations"]
    assert thread["consent"] | {"href": ""} == {
        "state": "refused",
        "label": "1 ended since",
        "href": "",
    }
    assert thread["license"]["state"] == "refused"
    assert step(browser, offered).action == "Begin version 2 without p-0002"


def test_what_a_speaker_took_back_is_drawn_told_and_left_to_decide_in_the_next_version(
    browser, draft
):
    stages.withdrawn(draft, "Juma")
    page = browser.get(address(draft, "consent"))
    assert page.context["strips"][0].ended == [(3000, 6000), (9000, 12_000)]
    assert "Withdrawn" in page.content.decode()
    assert browser.get(address(draft, "review")).context["counts"].uncovered == 2
    assert (
        step(browser, draft).sentence
        == "Everything in it was processed before. Left to do: 2 to hear."
    )
    for number, there in enumerate([False, True, False, True]):
        passage = stages.segments(draft)[number]
        shown = browser.get(address(draft, "recording", passage.recording.pk) + "?show=all")
        assert shown.context["passages"][number]["uncovered"] is there
    browser.post(address(draft, "leave_out"))
    assert browser.get(address(draft, "review")).context["counts"].left == 0
    assert browser.post(address(draft, "finish"), stages.CONFIRMED).status_code == 302


def test_a_recording_of_which_everything_is_left_out_stays_in_the_list(browser, draft):
    Segment.objects.filter(recording=stages.only_recording(draft)).update(excluded=True)
    page = browser.get(address(draft, "review"))
    assert [row["is_published"] for row in page.context["rows"]] == [False]
    assert "Nothing of it is published" in page.content.decode()


def test_what_a_left_out_speaker_says_needs_nobody_and_shows_as_left_out(browser, station):
    version = stages.left_out(stages.in_review(sealed.dataset(station)), "Juma")
    review = browser.get(address(version, "review"))
    assert (review.context["counts"].total, review.context["counts"].left) == (0, 0)
    recording = stages.only_recording(version)
    page = browser.get(address(version, "recording", recording.pk))
    states = [one["is_left_out"] for one in page.context["passages"]]
    assert states == [False, True, False, True]
    assert "p-0002 is left out of this version" in page.content.decode()
    assert "Bring it back" not in page.content.decode()


def test_a_stretch_that_is_shared_with_a_left_out_speaker_shows_what_is_left_of_it(
    browser, station
):
    said = [Said("One two three four five six.", duration_ms=6000)]
    version = stages.in_review(sealed.dataset(station), said=said)
    recording = stages.only_recording(version)
    stages.agreed(version, recording, name="Peter", start_ms=2000, end_ms=4000)
    stages.left_out(version, "Peter")
    (passage,) = browser.get(address(version, "recording", recording.pk)).context["passages"]
    assert [one["pseudonym"] for one in passage["without"]] == ["p-0002"]
    assert passage["parts"] == [
        {"time": "0:00.0\N{EN DASH}0:02.0", "text": "One two"},
        {"time": "0:04.0\N{EN DASH}0:06.0", "text": "five six."},
    ]
    page = text(browser, version, "recording", recording.pk)
    assert "These words stay:" in page


def test_a_decision_counts_the_other_recordings_as_the_page_knew_them(browser, station):
    version = stages.in_review(sealed.dataset(station))
    first = stages.only_recording(version)
    sealed.add(version)
    other = Segment.objects.of(version).exclude(recording=first).first()
    Segment.objects.filter(pk=other.pk).update(needs_review=True)
    page = browser.get(address(version, "recording", first.pk))
    passage = page.context["passages"][0]
    answer = browser.post(
        address(version, "decide", passage["findings"][0]["finding"].pk),
        {"decision": "confirm", "query": passage["query"]},
        headers=HTMX,
    )
    whole = browser.get(address(version, "review"))
    assert answer.context["counts"] == whole.context["counts"]
    assert answer.context["counts"].left == 1


@pytest.mark.parametrize("query", ["", "elsewhere=1-2-3", "elsewhere=1-2-3-4-x"])
def test_a_decision_from_a_page_that_knows_nothing_counts_everything(browser, station, query):
    version = stages.in_review(sealed.dataset(station))
    passage = stages.segments(version)[0]
    answer = browser.post(
        address(version, "review_segment", passage.pk),
        {"action": "leave-out", "query": query},
        headers=HTMX,
    )
    assert answer.context["counts"].left == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_version_begins_from_another_than_the_one_that_was_named(browser, station, method):
    first = sealed.version(sealed.dataset(station))
    second = sealed.version(first.dataset)
    releases.withdraw(version=first, reason="A mistake.", by=first.created_by)

    named = f"{address(second, 'open_version')}?from=1"
    answer = browser.get(named) if method == "get" else browser.post(named, {"from": "1"})

    assert answer.status_code == 409
    assert "version 1" in answer.content.decode().lower()
    assert second.dataset.versions.count() == 2
