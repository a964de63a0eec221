"""Hearing what was found, deciding, reading drafts, and finishing."""

from dataclasses import replace

import pytest
from commonhold.sentences import _

from ingestion import releases, review
from ingestion.models import Finding, Segment, StepRun, Version
from tests import sealed, walks
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

HTMX = {"HX-Request": "true"}


@pytest.fixture
def version(station):
    return stages.in_review(sealed.dataset(station))


@pytest.fixture
def finding(version):
    return Finding.objects.of(version).get()


def recording(browser, version, query=""):
    found = stages.only_recording(version)
    return browser.get(address(version, "recording", found.pk) + query)


def needing_a_person(version, number=0):
    segment = stages.segments(version)[number]
    segment.needs_review, segment.review_reason = True, "draft unknown-speech"
    segment.save()
    return segment


def test_the_review_counts_what_is_left_and_leads_to_the_seal(browser, version):
    page = browser.get(address(version, "review"))
    assert page.context["counts"].left == 1
    assert "Still 1 finding to hear" in page.content.decode()
    assert f'href="{address(version, "seal")}"' in page.content.decode()


def test_a_recording_shows_each_finding_in_its_words_with_what_to_hear(browser, version, finding):
    page = recording(browser, version)
    row = page.context["passages"][0]["findings"][0]
    assert row["finding"] == finding
    assert row["before"] == "Call us at "
    assert row["hear"]["from"] == finding.start_ms - 1000
    assert row["hear"]["to"] == finding.end_ms + 1000
    assert address(version, "original", finding.segment.recording_id) in page.content.decode()


def test_only_passages_that_need_somebody_are_shown_at_first(browser, version):
    assert len(recording(browser, version).context["passages"]) == 1
    assert len(recording(browser, version, "?show=all").context["passages"]) == 4


@pytest.mark.parametrize(("decision", "state"), [("confirm", "confirmed"), ("keep", "rejected")])
def test_a_decision_is_noted_and_leads_back_to_the_passage(
    browser, version, finding, contributor, *, decision, state
):
    response = browser.post(
        address(version, "decide", finding.pk),
        {"decision": decision, "query": "show=all&page=1&evil=//x"},
    )
    finding.refresh_from_db()
    assert (finding.state, finding.decided_by) == (state, contributor)
    assert response["Location"].endswith(f"?show=all&page=1#s-{finding.segment_id}")


def test_a_decision_by_htmx_swaps_the_passage_and_the_progress(browser, version, finding):
    response = browser.post(
        address(version, "decide", finding.pk), {"decision": "confirm"}, headers=HTMX
    )
    part = response.content.decode()
    assert response.status_code == 200
    assert part.lstrip().startswith("<li")
    assert "<html" not in part
    assert 'id="review-progress"' in part
    assert part.count('hx-swap-oob="true"') == len(("progress", "finish", "last act"))
    assert "Will be redacted" in part


def test_a_button_that_is_not_ours_decides_nothing(browser, version, finding):
    response = browser.post(
        address(version, "decide", finding.pk), {"decision": "whatever"}, headers=HTMX
    )
    finding.refresh_from_db()
    assert response.status_code == 422
    assert finding.state == Finding.State.OPEN
    assert "Choose «redact it» or «keep it»" in response.content.decode()


def test_selected_words_are_marked_for_redaction(browser, version):
    segment = stages.segments(version)[0]
    browser.post(
        address(version, "add_finding", segment.pk),
        {"first_word": "5", "last_word": "3", "kind": "name"},
    )
    made = segment.findings.get()
    assert (made.text, made.kind, made.state) == (
        "the valley, this",
        "name",
        Finding.State.CONFIRMED,
    )


@pytest.mark.parametrize(
    ("posted", "words"),
    [
        ({"first_word": "", "last_word": "", "kind": "name"}, "Select the words to redact first"),
        ({"first_word": "0", "last_word": "999", "kind": "name"}, "This stretch has the words"),
        ({"first_word": "0", "last_word": "1", "kind": "secret"}, "Choose what it is"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused_beside_its_words(
    browser, version, posted, words
):
    segment = stages.segments(version)[0]
    for headers in ({}, HTMX):
        response = browser.post(
            address(version, "add_finding", segment.pk), posted, headers=headers
        )
        assert response.status_code == 422
        assert words in response.content.decode()
    assert not segment.findings.exists()


def test_a_draft_counts_as_read_only_when_a_person_says_so(browser, version, contributor):
    segment = needing_a_person(version)
    assert "The words are right" in recording(browser, version).content.decode()
    browser.post(
        address(version, "review_segment", segment.pk), {"action": "read", "text": segment.text}
    )
    segment.refresh_from_db()
    assert segment.reviewed_by == contributor
    assert browser.get(address(version, "review")).context["counts"].unread == 0


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("draft unknown-speech", "a name. Numbers and addresses said aloud are not looked for in"),
        ("Something that was said before there were codes.", "The machine is not sure of these"),
    ],
)
def test_why_a_stretch_has_to_be_read_is_said_in_full(browser, version, reason, told):
    segment = needing_a_person(version)
    Segment.objects.filter(pk=segment.pk).update(review_reason=reason)
    assert told in recording(browser, version).content.decode()


def test_corrected_words_are_kept_and_searched_again(browser, version):
    segment = needing_a_person(version)
    text = "Good morning from the valley, call 0772 555 012 or write to amina@example.org."
    browser.post(address(version, "review_segment", segment.pk), {"action": "read", "text": text})
    segment.refresh_from_db()
    assert segment.text == text
    assert "amina@example.org" in {found.text for found in segment.findings.all()}


def test_a_correction_to_nothing_is_refused_and_leaves_the_words(browser, version):
    segment = needing_a_person(version)
    before = segment.text
    response = browser.post(
        address(version, "review_segment", segment.pk),
        {"action": "read", "text": "  "},
        headers=HTMX,
    )
    segment.refresh_from_db()
    assert response.status_code == 422
    assert "leave out" in response.content.decode()
    assert segment.text == before
    assert segment.reviewed_at is None


def test_a_refused_correction_gives_back_what_was_typed(browser, version, finding):
    segment = finding.segment
    Version.objects.filter(pk=version.pk).update(state=Version.State.PROCESSING)
    response = browser.post(
        address(version, "review_segment", segment.pk),
        {"action": "read", "text": "Half a thought"},
    )
    assert response.status_code == 409
    assert "Half a thought" in response.content.decode()


def test_a_passage_is_left_out_and_brought_back(browser, version, finding):
    url = address(version, "review_segment", finding.segment_id)
    browser.post(url, {"action": "leave-out"})
    assert Segment.objects.get(pk=finding.segment_id).excluded
    assert browser.get(address(version, "review")).context["counts"].left == 0
    browser.post(url, {"action": "read"})
    assert not Segment.objects.get(pk=finding.segment_id).excluded


def test_a_draft_that_was_left_out_unread_comes_back_only_with_its_words_read(browser, version):
    segment = needing_a_person(version)
    Segment.objects.filter(pk=segment.pk).update(excluded=True)
    page = recording(browser, version, "?show=all").content.decode()
    assert "The words are right; bring it back" in page


def test_everything_without_consent_is_left_out_at_once(browser, station):
    version = stages.in_review(sealed.dataset(station), covered=False)
    heard = stages.only_recording(version)
    stages.agreed(version, heard, start_ms=0, end_ms=3000)
    stages.agreed(version, heard, name="Juma", start_ms=3000, end_ms=6000)
    page = browser.get(address(version, "review"))
    assert page.context["counts"].uncovered == 2
    assert "Leave out everything without consent" in page.content.decode()
    browser.post(address(version, "leave_out"))
    left_out = Segment.objects.of(version).filter(excluded=True)
    assert [segment.position for segment in left_out] == [2, 3]


def test_whom_a_transcript_names_and_nobody_knows_is_named_beside_what_to_do(browser, station):
    said = tuple(replace(one, kind="") for one in sealed.MORNING)
    version = stages.in_review(sealed.dataset(station), said=said)
    version.dataset.speakers.get(name="Juma").delete()
    stages.agreed(version, stages.only_recording(version))
    Segment.objects.filter(speaker=None).update(label="Juma <b>")
    found = recording(browser, version)
    assert [one["stranger"]["label"] for one in found.context["passages"]] == ["Juma <b>"] * 2
    page = found.content.decode()
    assert "The transcript says that <bdi>Juma &lt;b&gt;</bdi> speaks here" in page
    assert f'href="{address(version, "new_consent")}?label=' in page


def test_nothing_is_decided_once_the_review_is_finished(browser, version, finding):
    browser.post(address(version, "decide", finding.pk), {"decision": "confirm"})
    browser.post(address(version, "finish"), stages.CONFIRMED)
    response = browser.post(
        address(version, "decide", finding.pk), {"decision": "keep"}, headers=HTMX
    )
    finding.refresh_from_db()
    assert response.status_code == 409
    assert finding.state == Finding.State.CONFIRMED
    assert recording(browser, version).status_code == 302


def test_a_seal_that_was_refused_opens_the_review_again_and_says_why(browser, version):
    refusal = releases.SealRefused(_("Speaker %(speaker)s withdrew meanwhile."), speaker="p-0001")
    Version.objects.filter(pk=version.pk).update(seal_error=refusal.as_record())
    page = browser.get(address(version, "review")).content.decode()
    assert "The seal was refused, so the review is open again" in page
    assert "Speaker p-0001 withdrew meanwhile." in page


def test_what_people_said_is_never_markup(browser, station):
    said = [
        sealed.Said(
            "Read <script>alert(1)</script> aloud, and call five five five now.",
            kind="phone",
            finding="five five five",
        )
    ]
    version = stages.in_review(sealed.dataset(station), said=said)
    page = recording(browser, version).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def missing(version, start_ms=1000, end_ms=1800):
    """Speech without text in the one recording of a version."""
    first, *_others = stages.segments(version)
    return Segment.objects.create(
        recording=first.recording,
        run=first.run,
        position=Segment.objects.of(version).count(),
        start_ms=start_ms,
        end_ms=end_ms,
        needs_review=True,
        unwritten=True,
    )


def settle(browser, version, segment, **form):
    return browser.post(address(version, "review_segment", segment.pk), form, headers=HTMX)


def test_speech_without_text_is_a_stretch_of_its_own_to_hear_and_to_settle(browser, version):
    stretch = missing(version)
    page = recording(browser, version)
    row = next(one for one in page.context["passages"] if one["segment"] == stretch)
    assert row["hear"] == {"from": 1000, "to": 1800, "at": 1000}
    told = page.content.decode()
    assert "Somebody seems to speak here" in told
    assert "Not heard yet" in told
    assert 'value="nothing-said"' in told
    overview = browser.get(address(version, "review")).content.decode()
    assert "1 stretch to settle" in overview
    assert "Leave out all speech without text" in overview


def test_words_that_are_missing_are_added_and_searched(browser, version):
    stretch = missing(version, 11_000, 11_800)
    text = "write to amina@example.org"
    assert settle(browser, version, stretch, action="write", text=text).status_code == 200
    assert Finding.objects.of(version).filter(kind="email").exists()
    empty = settle(browser, version, missing(version, 11_900, 12_000), action="write", text=" ")
    assert empty.status_code == 422
    assert "Write down what is said there" in empty.content.decode()


def test_speech_without_text_is_kept_only_by_its_own_button(browser, version):
    stretch = missing(version)
    refused = settle(browser, version, stretch, action="read", text="")
    assert refused.status_code == 422
    assert (
        "Nothing more is said"
        in settle(browser, version, stretch, action="nothing-said").content.decode()
    )
    stretch.refresh_from_db()
    assert not stretch.is_silenced
    settle(browser, version, stretch, action="leave-out")
    stretch.refresh_from_db()
    assert stretch.is_silenced


def test_all_speech_without_text_is_left_out_by_one_button(browser, version):
    stretches = [missing(version), missing(version, 5000, 5600)]
    page = browser.post(address(version, "leave_out_unwritten"), follow=True)
    assert "2 stretches of speech without text are left out" in page.content.decode()
    for stretch in stretches:
        stretch.refresh_from_db()
        assert stretch.is_silenced
    assert review.progress(version=version).unsettled_segments == 0


def test_a_line_without_a_place_is_given_its_times(browser, version):
    stretch = missing(version)
    line = stages.segments(version)[1]
    Segment.objects.filter(pk=line.pk).update(start_ms=None, end_ms=None)
    page = recording(browser, version)
    row = next(one for one in page.context["passages"] if one["segment"] == line)
    assert (row["start"], row["end"]) == ("0:01.0", "0:01.8")
    refused = settle(browser, version, line, action="place", start="soon", end="0:05")
    assert refused.status_code == 422
    assert "is not a time" in refused.content.decode()
    assert 'name="start" value="soon"' in refused.content.decode()
    assert 'name="end" value="0:05"' in refused.content.decode()
    settle(browser, version, line, action="place", start="0:00.9", end="0:02.0")
    line.refresh_from_db()
    stretch.refresh_from_db()
    assert (line.start_ms, line.end_ms) == (900, 2000)
    assert not stretch.is_silenced


def test_what_was_not_looked_for_is_said_where_people_review(browser, version):
    detect = StepRun.objects.get(run__recording__files__version=version, name="detect")
    told = {"kinds_checked": ["phone"], "kinds_spoken": ["phone"]}
    StepRun.objects.filter(pk=detect.pk).update(output=told)
    page = browser.get(address(version, "review")).content.decode()
    assert "Not looked for in English:" in page
    assert "names of people" in page
    assert "Rules looked for: phone numbers." in page


def test_a_page_that_is_old_takes_no_words_back(browser, version):
    host = needing_a_person(version)
    read, mark = (address(version, name, host.pk) for name in ("review_segment", "add_finding"))
    page = recording(browser, version).content.decode()
    assert page.count(f'name="text_was" value="{host.text}"') == len(("read", "mark"))
    review.review_segment(
        segment=host, by=walks.editor(version), text=f"{host.text} Call 0772 159 448."
    )
    old = {"text_was": host.text}
    for url, form in (
        (read, {"action": "read", "text": "Good mourning from here"}),
        (mark, {"first_word": "0", "last_word": "1", "kind": "name"}),
    ):
        for headers in ({}, HTMX):
            refused = browser.post(url, old | form, headers=headers)
            assert refused.status_code == 409
            told = refused.content.decode()
            assert "The text was changed since" in told
            assert "0772 159 448.</textarea>" in told
            assert form.get("text", "") in told
    assert Finding.objects.filter(segment=host).get().kind == "phone"
    now = {"text_was": Segment.objects.get(pk=host.pk).text}
    assert browser.post(read, now | {"action": "read"}).status_code == 302


def test_words_that_are_added_stand_at_once_in_the_passage_that_has_them(browser, version):
    host = stages.segments(version)[0]
    first, *others, last = host.words
    for word, start in ((first, host.start_ms), *((one, host.end_ms - 300) for one in others)):
        word["start_ms"], word["end_ms"] = start, start + 100
    last["start_ms"], last["end_ms"] = host.end_ms - 200, host.end_ms - 100
    host.save(update_fields=["words"])
    stretch = missing(version, host.start_ms + 150, host.end_ms - 350)
    added = settle(browser, version, stretch, action="write", text="and Joseph").content.decode()
    assert added.lstrip().startswith(f'<li class="passage" id="s-{stretch.pk}"')
    assert f'id="s-{host.pk}" data-passage hx-swap-oob="true"' in added
    assert "and Joseph" in Segment.objects.get(pk=host.pk).text
