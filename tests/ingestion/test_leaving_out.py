"""Leaving a speaker out: what they say goes, also where they share a stretch; the rest stays."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import consent, releases, review
from ingestion.archive import recordings, versions
from ingestion.models import LeftOut, Version
from ingestion.releases import outlook
from ingestion.review.voices import BRUSH_MS, SHORTEST_MS
from tests import sealed
from tests.sealed import Said
from tests.tapes import WORDS, Tape
from tests.walks import editor

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Version:
    return sealed.dataset().versions.get()


@pytest.fixture
def tape(draft) -> Tape:
    return Tape(draft)


def published(version: Version) -> list[tuple[int | None, int | None, str]]:
    """What the version would publish: from when until when, and what is said."""
    return [(one.start_ms, one.end_ms, one.text) for one in review.published(version=version)]


def test_what_a_speaker_is_named_for_goes_and_the_rest_stays(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.said("Juma", 2000, 4000, "The road is open.")
    tape.said("Amina", 4000, 6000, "Thank you.")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    assert published(draft) == [(0, 2000, "Good morning."), (4000, 6000, "Thank you.")]
    assert review.progress(version=draft).is_complete


def test_a_shared_stretch_is_cut_to_what_the_others_say(draft, tape):
    tape.said("Amina", 0, 10_000)
    tape.agrees("Amina")
    tape.agrees("Juma", 4000, 6000)
    tape.without("Juma")
    assert published(draft) == [
        (0, 4000, "one two three four"),
        (6000, 10_000, "seven eight nine ten"),
    ]


def test_where_nobody_is_named_the_consents_say_who_is_heard(draft, tape):
    tape.said("", 0, 10_000)
    tape.agrees("Amina", 0, 10_000)
    tape.agrees("Juma", 0, 3000)
    tape.without("Juma")
    assert published(draft) == [(3000, 10_000, "four five six seven eight nine ten")]


def test_a_consent_for_the_whole_recording_takes_all_that_nobody_is_named_for(draft, tape):
    tape.said("", 0, 2000)
    tape.said("Amina", 2000, 4000, "Good morning.")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    assert published(draft) == [(2000, 4000, "Good morning.")]


def test_a_stretch_of_words_without_times_goes_whole(draft, tape):
    segment = tape.said("Amina", 0, 10_000)
    segment.words[7]["timed"] = False
    segment.save(update_fields=["words"])
    tape.said("Amina", 10_000, 12_000, "Thank you.")
    tape.agrees("Amina")
    tape.agrees("Juma", 4000, 6000)
    tape.without("Juma")
    assert published(draft) == [(10_000, 12_000, "Thank you.")]


def test_a_piece_that_holds_no_whole_word_goes_too(draft, tape):
    tape.said("Amina", 0, 10_000)
    tape.agrees("Amina")
    tape.said("Amina", 10_000, 12_000, "Thank you.")
    tape.agrees("Juma", 500, 9700)
    tape.without("Juma")
    assert published(draft) == [(10_000, 12_000, "Thank you.")]


def test_where_two_segments_overlap_both_voices_are_heard(draft, tape):
    tape.said("Amina", 0, 5000, "one two three four five")
    tape.said("Juma", 4000, 8000, "six seven eight nine")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    assert published(draft) == [(0, 4000, "one two three four")]


@pytest.mark.parametrize(("overlap", "is_cut"), [(BRUSH_MS - 1, False), (BRUSH_MS, True)])
def test_segments_that_only_touch_are_not_cut(draft, tape, overlap, is_cut):
    tape.said("Amina", 0, 5000, "one two three four five")
    tape.said("Juma", 5000 - overlap, 8000, "six seven eight nine")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    ((_, end, _),) = published(draft)
    assert end == (5000 - overlap if is_cut else 5000)


def test_rows_of_a_text_go_with_whom_they_are_named_for(draft):
    tape = Tape(draft, duration_ms=0)
    tape.said("Amina", None, None, "Good morning.")
    tape.said("Juma", None, None, "The road is open.")
    tape.said("", None, None, "Nobody knows who said this.")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    assert published(draft) == [(None, None, "Good morning.")]


def test_a_row_that_rests_on_another_speakers_consent_alone_stays(draft):
    tape = Tape(draft, duration_ms=0)
    tape.said("", None, None, "Good morning.")
    tape.agrees("Amina")
    tape.person("Juma")
    tape.without("Juma")
    assert published(draft) == [(None, None, "Good morning.")]


def test_who_is_left_out_needs_no_consent(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.said("Juma", 2000, 4000, "The road is open.")
    tape.agrees("Amina")
    assert review.progress(version=draft).uncovered_segments == 1
    tape.without("Juma")
    assert review.progress(version=draft).is_complete


def test_what_is_left_of_a_stretch_still_needs_the_consent_of_who_is_heard_there(draft, tape):
    tape.said("Amina", 0, 10_000)
    tape.agrees("Amina", 0, 5000)
    tape.agrees("Juma", 4000, 6000)
    tape.without("Juma")
    assert [one.is_covered for one in review.published(version=draft)] == [True, False]
    with pytest.raises(review.ReviewUnfinished, match="no consent that covers"):
        review.finish(version=draft, by=editor(draft))


def test_findings_go_along_with_their_words(draft, tape):
    segment = tape.said("Amina", 0, 10_000)
    for first, last in ((1, 1), (4, 4), (7, 8)):
        review.add_finding(
            segment=segment, first_word=first, last_word=last, kind="name", by=editor(draft)
        )
    tape.agrees("Amina")
    tape.agrees("Juma", 4000, 6000)
    tape.without("Juma")
    version = sealed.seal(draft)
    texts = version.release_files.exclude(told=None).values_list("path", "told__text")
    assert dict(texts) == {
        "audio/r0001/0001-1.flac": "one [NAME] three four",
        "audio/r0001/0001-2.flac": "seven [NAME] ten",
    }


def test_leaving_everybody_out_is_refused(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.said("Juma", 2000, 4000, "The road is open.")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    with pytest.raises(review.NobodyLeft, match="Without p-0001 nothing is left"):
        tape.without("Amina")
    assert [one.speaker.name for one in draft.left_out.all()] == ["Juma"]
    assert len(published(draft)) == 1


def test_while_recordings_wait_to_be_processed_nobody_knows_what_is_left(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.agrees("Amina")
    sealed.source(draft, path="later.wav")
    tape.without("Amina")
    assert published(draft) == []


def test_a_version_of_which_everything_is_left_out_is_not_finished(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.agrees("Amina")
    late = sealed.source(draft, path="later.wav")
    tape.without("Amina")
    recordings.number(version=draft)
    late.refresh_from_db()
    sealed.write_intake(late)
    with pytest.raises(review.ReviewUnfinished, match="nothing to publish"):
        review.finish(version=draft, by=editor(draft))


def test_a_speaker_of_another_dataset_can_not_be_left_out(draft):
    stranger = sealed.speaker(sealed.dataset(), "Stranger")
    for act in (review.leave_out_speaker, review.bring_back_speaker):
        with pytest.raises(review.SpeakerUnknown):
            act(version=draft, speaker=stranger, by=editor(draft))


def test_bringing_a_speaker_back_brings_everything_back(draft, tape):
    tape.said("Amina", 0, 10_000)
    tape.said("Juma", 10_000, 12_000, "The road is open.")
    tape.agrees("Amina")
    tape.agrees("Juma", 10_000, 12_000)
    before = published(draft)
    tape.without("Juma")
    tape.without("Juma")
    assert published(draft) != before
    juma = tape.person("Juma")
    review.bring_back_speaker(version=draft, speaker=juma, by=editor(draft))
    review.bring_back_speaker(version=draft, speaker=juma, by=editor(draft))
    assert published(draft) == before


def test_once_the_review_is_finished_nobody_is_left_out_or_brought_back(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.agrees("Amina")
    review.finish(version=draft, by=editor(draft))
    for act in (review.leave_out_speaker, review.bring_back_speaker):
        with pytest.raises(review.NotInReview):
            act(version=draft, speaker=tape.person("Amina"), by=editor(draft))


def test_the_outlook_says_what_each_speaker_would_add_and_what_the_release_then_holds(draft):
    said = (
        Said("Good morning from the valley."),
        Said("The road is open again.", "Juma", duration_ms=5000),
        Said("Thank you all.", duration_ms=2000),
    )
    sealed.add(draft, said=said)
    juma = draft.dataset.speakers.get(name="Juma")
    review.leave_out_speaker(version=draft, speaker=juma, by=editor(draft))
    found = outlook.of(version=draft)
    assert (found.clips, found.duration_ms) == (2, 5000)
    assert [
        (one.speaker.name, one.clips, one.duration_ms, one.is_left_out) for one in found.shares
    ] == [("Amina", 2, 5000, False), ("Juma", 1, 5000, True)]
    version = sealed.seal(draft)
    assert version.quality["clips"] == 2
    assert version.quality["speakers"] == 1
    assert set(version.release_consents.values_list("pseudonym", flat=True)) == {"p-0001"}
    assert "road" not in str(list(version.release_files.values_list("told", "words")))
    record = releases.seal_of(version=version).release["consent"]["records"]
    assert [one["subjectPseudonym"] for one in record] == ["p-0001"]


def test_who_was_left_out_withdraws_without_touching_the_version(draft):
    sealed.add(draft, said=(Said("Good morning."), Said("The road is open.", "Juma")))
    juma = draft.dataset.speakers.get(name="Juma")
    review.leave_out_speaker(version=draft, speaker=juma, by=editor(draft))
    version = sealed.seal(draft)
    consent.withdraw_speaker(speaker=juma, by=editor(draft))
    assert Version.objects.get(pk=version.pk).consent_state == Version.Consent.GIVEN


def test_a_stretch_that_is_said_to_be_theirs_after_the_review_stops_the_seal(draft, tape):
    tape.said("Amina", 0, 10_000)
    tape.agrees("Amina")
    tape.agrees("Juma", 4000, 6000)
    tape.without("Juma")
    for run in review.finish(version=draft, by=editor(draft)):
        sealed.finish_run(run)
    tape.agrees("Juma", 6000, 8000, on=date(2026, 3, 4))
    with pytest.raises(releases.SealRefused, match="changed after the review was finished"):
        releases.seal(version=draft)
    for run in review.finish(version=draft, by=editor(draft)):
        sealed.finish_run(run)
    version = releases.seal(version=draft)
    told = version.release_files.exclude(told=None).values_list("told__text", flat=True)
    assert list(told) == ["one two three four", "nine ten"]


def test_versions_leave_out_whom_they_leave_out(draft, tape):
    tape.said("Amina", 0, 2000, "Good morning.")
    tape.said("Juma", 2000, 4000, "The road is open.")
    tape.agrees("Amina")
    tape.agrees("Juma")
    tape.without("Juma")
    first = sealed.seal(draft)
    second = versions.open_draft(dataset=draft.dataset, by=editor(draft))
    juma = tape.person("Juma")
    review.bring_back_speaker(version=second, speaker=juma, by=editor(draft))
    second = sealed.seal(second)
    assert [one.quality["clips"] for one in (first, second)] == [1, 2]


stretches = st.lists(
    st.tuples(st.sampled_from(["Amina", "Juma", ""]), st.integers(1, 20), st.integers(-5, 8)),
    min_size=1,
    max_size=5,
)
scopes = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=3,
)


@settings(max_examples=50)
@given(told=stretches, mine=scopes)
def test_nothing_that_is_known_to_be_theirs_is_published(told, mine):
    draft = sealed.dataset().versions.get()
    tape, at = Tape(draft), 0
    named: list[tuple[int, int]] = []
    unnamed: list[tuple[int, int]] = []
    for name, length, shift in told:
        start, end = max(0, at + shift) * 250, (max(0, at + shift) + length) * 250
        tape.said(name, start, end, WORDS)
        named += [(start, end)] if name == "Juma" else []
        unnamed += [(start, end)] if not name else []
        at = max(0, at + shift) + length
    tape.agrees("Amina")
    for start, end in mine:
        tape.agrees("Juma", start * 250, end * 250)
    LeftOut.objects.create(version=draft, speaker=tape.person("Juma"), by=editor(draft))
    theirs = [(start * 250, end * 250) for start, end in mine]
    for piece in review.published(version=draft):
        frame = (piece.start_ms, piece.end_ms)
        assert all(overlap(frame, one) < BRUSH_MS for one in named)
        if piece.segment.speaker_id is None or not named:
            assert not any(overlap(frame, one) for one in theirs)
        assert piece.duration_ms >= SHORTEST_MS or not piece.part
        assert all(
            frame[0] <= word["start_ms"] and word["end_ms"] <= frame[1] for word in piece.words
        )


def overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
