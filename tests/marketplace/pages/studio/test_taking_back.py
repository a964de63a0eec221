"""Undo in the review: every act is offered to be taken back, and a refusal says why."""

import pytest
from django.test import Client

from ingestion import review
from ingestion.models import Finding, Segment
from tests import factories, sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

HTMX = {"HX-Request": "true"}


@pytest.fixture
def version(station):
    return stages.in_review(sealed.dataset(station))


@pytest.fixture
def finding(version):
    return Finding.objects.of(version).get()


@pytest.fixture
def colleague(station):
    return factories.member(station, "editor")


def room(browser, version, query=""):
    return browser.get(address(version, "recording", stages.only_recording(version).pk) + query)


def decide(browser, version, finding, decision="confirm", **headers):
    url = address(version, "decide", finding.pk)
    return browser.post(url, {"decision": decision}, headers=headers)


def log(browser, version):
    return browser.get(address(version, "review")).context["done_last"]


def leave_out(browser, version, segment):
    browser.post(address(version, "review_segment", segment.pk), {"action": "leave-out"})


def test_the_room_offers_to_undo_ones_own_last_act_and_leads_back_to_its_passage(
    browser, version, finding
):
    assert room(browser, version).context["last"] is None
    decide(browser, version, finding)
    last = room(browser, version).context["last"]
    assert last["sentence"] == "«five five five, oh one two three» will be redacted"
    assert last["at"] == "0:03"
    page = browser.post(last["undo_url"], follow=True)
    finding.refresh_from_db()
    assert finding.state == Finding.State.OPEN
    assert page.redirect_chain[0][0].endswith(f"at={finding.segment_id}#s-{finding.segment_id}")
    assert page.context["undone"]["sentence"] == last["sentence"]
    assert page.context["last"] is None


def test_a_decision_by_htmx_brings_the_undo_along(browser, version, finding):
    part = decide(browser, version, finding, **HTMX).content.decode()
    assert 'id="last-act" hx-swap-oob="true"' in part
    assert "data-undo" in part


def test_an_undo_by_htmx_leads_to_the_passage(browser, version, finding):
    decide(browser, version, finding)
    url = room(browser, version).context["last"]["undo_url"]
    answer = browser.post(url, headers=HTMX)
    assert answer["HX-Redirect"].endswith(f"#s-{finding.segment_id}")


def mark(browser, version, segment):
    posted = {"first_word": "0", "last_word": "1", "kind": "name"}
    browser.post(address(version, "add_finding", segment.pk), posted)


def correct(browser, version, segment):
    posted = {"action": "read", "text": "Something else was said."}
    browser.post(address(version, "review_segment", segment.pk), posted)


def read(browser, version, segment):
    browser.post(address(version, "review_segment", segment.pk), {"action": "read"})


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (mark, "«Good morning» will be redacted"),
        (correct, "Words corrected"),
        (read, "Read as right"),
        (leave_out, "A stretch left out"),
    ],
)
def test_each_act_is_told_and_taken_back(browser, version, act, sentence):
    before = review.acts.newest(version=version)
    segment = stages.segments(version)[0]
    act(browser, version, segment)
    (done,) = log(browser, version)
    assert done["sentence"] == sentence
    assert done["url"].endswith(f"?at={segment.pk}#s-{segment.pk}")
    page = browser.post(done["undo_url"], follow=True)
    now = Segment.objects.get(pk=segment.pk)
    facts = ("text", "words", "excluded", "reviewed_at", "reviewed_by")
    assert [getattr(now, one) for one in facts] == [getattr(segment, one) for one in facts]
    assert not now.findings.exists()
    assert page.redirect_chain[0][0] == address(version, "review")
    assert [row["is_undone"] for row in page.context["done_last"]] == [True]
    assert before == []


def test_what_was_left_out_for_want_of_consent_comes_back_at_once(browser, station):
    version = stages.in_review(sealed.dataset(station), covered=False)
    page = browser.post(address(version, "leave_out"), follow=True)
    assert "4 stretches are left out of the release" in page.content.decode()
    (message,) = page.context["messages"]
    assert f'action="{message.extra_tags}"' in page.content.decode()
    (done,) = page.context["done_last"]
    assert done["sentence"] == "4 stretches without consent left out"
    browser.post(message.extra_tags)
    assert not Segment.objects.of(version).filter(excluded=True).exists()


def test_a_speaker_who_is_left_out_is_brought_back_from_the_log(browser, version):
    stages.left_out(version, "Juma")
    (done,) = log(browser, version)
    assert done["sentence"] == "p-0002 left out of this version"
    browser.post(done["undo_url"])
    assert not version.left_out.exists()


def test_the_log_offers_no_undo_of_what_was_built_upon(browser, version, finding):
    for decision in ("confirm", "keep"):
        decide(browser, version, finding, decision)
    leave_out(browser, version, stages.segments(version)[0])
    assert [bool(row["undo_url"]) for row in log(browser, version)] == [True, True, False]
    browser.post(log(browser, version)[1]["undo_url"])
    rows = log(browser, version)
    assert [row["is_undone"] for row in rows] == [False, True, False]
    assert [bool(row["undo_url"]) for row in rows] == [True, False, True]


def test_the_last_act_is_ones_own(browser, version, finding, colleague):
    decide(browser, version, finding)
    segment = stages.segments(version)[0]
    review.review_segment(segment=segment, excluded=True, by=colleague)
    assert "five five five" in room(browser, version).context["last"]["sentence"]
    assert log(browser, version)[0]["by"] == colleague


def decided_anew(browser, version, finding, colleague):
    """The address that undoes a decision after which somebody else decided."""
    decide(browser, version, finding)
    url = room(browser, version).context["last"]["undo_url"]
    review.decide(finding=finding, redact=False, by=colleague)
    return url


def test_an_undo_after_somebody_decided_anew_is_refused_in_the_room(
    browser, version, finding, colleague
):
    url = decided_anew(browser, version, finding, colleague)
    plain = browser.post(url)
    assert plain.status_code == 409
    assert "This was changed again since." in plain.content.decode()
    assert plain.context["recording"] == stages.only_recording(version)
    part = browser.post(url, headers=HTMX)
    assert part.status_code == 409
    assert "<html" not in part.content.decode()
    assert "This was changed again since." in part.content.decode()
    finding.refresh_from_db()
    assert finding.state == Finding.State.REJECTED


def test_an_undo_from_the_log_is_refused_on_the_review_tab(browser, version, finding, colleague):
    decide(browser, version, finding)
    (done,) = log(browser, version)
    review.decide(finding=finding, redact=False, by=colleague)
    refused = browser.post(done["undo_url"])
    assert refused.status_code == 409
    assert "This was changed again since." in refused.content.decode()


def test_nothing_is_undone_once_it_is_sealed(browser, version, finding):
    decide(browser, version, finding)
    url = room(browser, version).context["last"]["undo_url"]
    sealed.seal(version)
    part = browser.post(url, headers=HTMX)
    assert part.status_code == 409
    assert browser.post(url, follow=True).redirect_chain[0][0] == address(version, "review")
    finding.refresh_from_db()
    assert finding.state == Finding.State.CONFIRMED


def test_undone_twice_says_that_it_was_undone(browser, version, finding):
    decide(browser, version, finding)
    url = room(browser, version).context["last"]["undo_url"]
    browser.post(url)
    assert "This was undone already." in browser.post(url, headers=HTMX).content.decode()


def test_an_act_in_another_dataset_is_not_found(browser, station, version, finding):
    decide(browser, version, finding)
    decision = version.decisions.get()
    other = stages.draft(sealed.dataset(station))
    assert browser.post(address(other, "undo", decision.pk)).status_code == 404
    stranger = Client()
    stranger.force_login(factories.owner_of(factories.organization()))
    assert stranger.post(address(version, "undo", decision.pk)).status_code == 404


def test_a_passage_is_found_wherever_it_stands_in_the_lists(browser, station):
    version = stages.in_review(sealed.dataset(station), said=sealed.MORNING * 15)
    segment = stages.segments(version)[48]
    page = room(browser, version, f"?at={segment.pk}")
    assert (page.context["show"], page.context["page"].number) == ("all", 2)
    assert segment in [one["segment"] for one in page.context["passages"]]
    open_one = stages.segments(version)[1]
    assert room(browser, version, f"?at={open_one.pk}").context["show"] == "to-do"
    assert room(browser, version, "?at=nothing&undone=nothing").status_code == 200
