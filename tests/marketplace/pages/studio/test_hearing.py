"""“Heard” on the pages of the review: what was played counts, by whom, and nothing else does."""

import json

import pytest
from django.test import Client

from ingestion.models import Finding, Hearing
from tests import factories, sealed
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address
from tests.sealed import Said


@pytest.fixture
def version(station):
    return stages.in_review(sealed.dataset(station))


@pytest.fixture
def colleague(station):
    client = Client()
    client.force_login(factories.member(station, "editor"))
    return client


def plays(browser, version, *ranges):
    url = address(version, "heard", stages.only_recording(version).pk)
    body = json.dumps({"ranges": [list(one) for one in ranges]})
    return browser.post(url, body, content_type="application/json")


def room(browser, version):
    return browser.get(
        address(version, "recording", stages.only_recording(version).pk) + "?show=all"
    )


def words(browser, version):
    return [one["mark"]["word"] for one in room(browser, version).context["passages"]]


def test_what_was_played_is_kept_for_who_played_it(browser, version, contributor):
    assert plays(browser, version, (0, 2000), (1500, 3000)).status_code == 200
    hearing = Hearing.objects.get()
    assert (hearing.user, hearing.ranges) == (contributor, [[0, 3000]])


def test_a_passage_says_whether_it_was_heard_and_by_whom(browser, colleague, version):
    assert words(browser, version) == ["Not heard yet"] * 4
    plays(browser, version, (0, 4000))
    assert words(browser, version)[:3] == ["Heard by you", "Heard in part", "Not heard yet"]
    assert words(colleague, version)[0] == "Heard by 1 person"
    plays(colleague, version, (0, 3000), (4000, 6000))
    assert words(browser, version)[:2] == ["Heard by you and 1 other", "Heard by 2 people"]


def test_a_finding_says_it_of_its_own_words(browser, version):
    finding = Finding.objects.of(version).get()
    plays(browser, version, (finding.start_ms, finding.end_ms))
    passage = room(browser, version).context["passages"][1]
    assert passage["mark"]["word"] == "Heard in part"
    assert passage["findings"][0]["mark"]["word"] == "Heard by you"


def test_the_answer_holds_what_the_page_tells_anew_and_no_more(browser, version):
    first, second, *others = stages.segments(version)
    finding = Finding.objects.of(version).get()
    part = plays(browser, version, (0, finding.end_ms)).content.decode()
    assert "<html" not in part
    assert f'id="heard-{first.pk}"' in part
    assert f'id="heard-{second.pk}"' in part
    assert f'id="heard-f{finding.pk}"' in part
    assert not any(f'id="heard-{one.pk}"' in part for one in others)
    assert "6 s of 12 s heard" in part


def test_the_head_of_a_recording_counts_what_would_be_published(browser, station, version):
    assert "Nothing of 12 s heard yet" in room(browser, version).content.decode()
    plays(browser, version, (0, 6000))
    assert "6 s of 12 s heard" in room(browser, version).content.decode()
    stages.left_out(version, "Juma")
    page = room(browser, version)
    assert "3 s of 6 s heard" in page.content.decode()
    assert page.context["heard_line"]["unheard"] == [(6000, 9000)]
    plays(browser, version, (6000, 9000))
    assert "All 6 s heard" in room(browser, version).content.decode()


def test_the_review_says_how_much_of_each_recording_and_of_all_was_heard(browser, version):
    sealed.add(version, path="evening.wav")
    evening = version.files.get(recording__name="evening.wav").recording
    url = address(version, "heard", evening.pk)
    browser.post(url, '{"ranges": [[0, 3000]]}', content_type="application/json")
    page = browser.get(address(version, "review"))
    told = {row["recording"].name: row["heard"] for row in page.context["rows"]}
    assert told == {"morning.wav": "Nothing of 12 s heard yet", "evening.wav": "3 s of 12 s heard"}
    assert page.context["heard_in_words"] == "3 s of 24 s heard"


def test_neither_opening_a_recording_nor_deciding_about_it_nor_reading_it_is_hearing_it(
    browser, version
):
    finding = Finding.objects.of(version).get()
    b"".join(browser.get(address(version, "original", finding.segment.recording_id)))
    browser.post(address(version, "decide", finding.pk), {"decision": "confirm"})
    for one in stages.segments(version):
        browser.post(address(version, "review_segment", one.pk), {"action": "read"})
    assert words(browser, version) == ["Not heard yet"] * 4
    assert "All 12 s heard" not in browser.get(address(version, "review")).content.decode()
    assert not Hearing.objects.exists()


def test_what_was_decided_unheard_says_so(browser, version):
    finding = Finding.objects.of(version).get()
    answer = browser.post(
        address(version, "decide", finding.pk),
        {"decision": "confirm"},
        headers={"HX-Request": "true"},
    )
    row = answer.context["passage"]["findings"][0]
    assert (row["word"], row["mark"]["word"]) == ("Will be redacted", "Not heard yet")


def test_a_page_without_scripts_says_that_nothing_counts(browser, version):
    page = room(browser, version).content.decode()
    assert "Without scripts nobody can know what you heard" in page


def test_what_is_left_out_need_not_be_heard_and_says_nothing(browser, version):
    stages.left_out(version, "Juma")
    marks = [bool(one["mark"]) for one in room(browser, version).context["passages"]]
    assert marks == [True, False, True, False]


def test_of_a_shared_stretch_only_what_stays_has_to_be_heard(browser, station):
    said = [Said("One two three four five six.", duration_ms=6000)]
    version = stages.in_review(sealed.dataset(station), said=said)
    stages.agreed(version, stages.only_recording(version), name="Peter", start_ms=2000, end_ms=4000)
    stages.left_out(version, "Peter")
    plays(browser, version, (0, 2000), (4000, 6000))
    assert words(browser, version) == ["Heard by you"]


def test_a_text_has_nothing_to_hear(browser, version):
    for one in stages.segments(version):
        one.start_ms = one.end_ms = None
        one.save()
    assert [one["mark"] for one in room(browser, version).context["passages"]] == [None] * 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "Say what was played as a list of stretches."),
        ("[]", "Say what was played as a list of stretches."),
        ('{"ranges": 7}', "Say what was played as a list of stretches."),
        ('{"ranges": [7]}', "Say what was played as a list of stretches."),
        ('{"ranges": []}', "Report 1 to 500 stretches at a time."),
        ('{"ranges": [[0, "1"]]}', "A stretch is two numbers of milliseconds."),
        ('{"ranges": [[0, 1000], [13000, 14000]]}', "is 12,000 ms long"),
    ],
)
def test_a_report_that_cannot_be_true_is_refused_and_nothing_of_it_kept(
    browser, version, body, words
):
    url = address(version, "heard", stages.only_recording(version).pk)
    response = browser.post(url, body, content_type="application/json")
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Hearing.objects.exists()


def test_hearing_needs_the_token_of_the_page(version, contributor):
    client = Client(enforce_csrf_checks=True)
    client.force_login(contributor)
    assert plays(client, version, (0, 1000)).status_code == 403
    assert not Hearing.objects.exists()


def test_listening_asks_few_questions_of_the_database(
    browser, station, django_assert_max_num_queries
):
    version = stages.in_review(sealed.dataset(station), said=sealed.MORNING * 10)
    url = address(version, "heard", stages.only_recording(version).pk)
    # Five of them count what is written, in the table that all processes share.
    with django_assert_max_num_queries(24):
        told = browser.post(url, '{"ranges": [[0, 120000]]}', content_type="application/json")
    assert told.content.decode().count("Heard by you") == 50
