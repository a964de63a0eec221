"""Speech without text and text without a place: nothing leaves until they are settled."""

import pytest
from django.db import IntegrityError, transaction

from ingestion import review
from ingestion.archive import versions
from ingestion.models import Decision, Finding, Segment
from ingestion.review import finishing, voices
from tests import sealed
from tests.tapes import Tape
from tests.walks import editor

pytestmark = pytest.mark.django_db

HOST = "please call me before ten tonight"


@pytest.fixture
def tape() -> Tape:
    """Two stretches with their texts; in the first more is said, between 2000 and 5000."""
    tape = Tape(sealed.dataset().versions.get())
    host = tape.said("Amina", 0, 8000, HOST)
    for word, start in zip(host.words, (0, 700, 1400, 5000, 5700, 6400), strict=True):
        word["start_ms"], word["end_ms"] = start, start + 600
    host.save(update_fields=["words"])
    tape.said("Amina", 8000, 11_000, "thank you and good night")
    tape.agrees("Amina", 0, 11_000)
    return tape


def settle(tape: Tape, stretch: Segment, **what: str) -> Segment:
    return review.write_down(segment=stretch, by=editor(tape.version), **what)


def silenced(tape: Tape) -> list[list[int]]:
    """What the run after the review is told to silence."""
    scene = voices.scene(recording=tape.recording, version=tape.version)
    voices.with_findings([scene])
    return finishing.decided(scene)["unwritten"]


def left(tape: Tape) -> int:
    return review.progress(version=tape.version).unsettled_segments


def test_speech_without_text_is_silent_and_keeps_the_review_open_until_it_is_settled(tape):
    stretch = tape.unwritten(2000, 5000)
    assert (left(tape), silenced(tape)) == (1, [[2000, 5000]])
    with pytest.raises(review.ReviewUnfinished, match=r"not in the text.*morning.*0:00:02"):
        review.finish(version=tape.version, by=editor(tape.version))
    review.review_segment(segment=stretch, excluded=True, by=editor(tape.version))
    assert (left(tape), silenced(tape)) == (0, [[2000, 5000]])
    assert review.finish(version=tape.version, by=editor(tape.version))


def test_only_who_says_so_brings_speech_without_text_into_a_release(tape):
    stretch = tape.unwritten(2000, 5000)
    for excluded in (None, False):
        with pytest.raises(review.DecisionInvalid, match="Write down what is said"):
            review.review_segment(segment=stretch, excluded=excluded, by=editor(tape.version))
    with pytest.raises(review.DecisionInvalid):
        review.review_segment(segment=stretch, text="nothing", by=editor(tape.version))
    with pytest.raises(review.DecisionInvalid):
        settle(tape, stretch, text=" … ")
    assert silenced(tape) == [[2000, 5000]]
    review.keep_unwritten(segment=stretch, by=editor(tape.version))
    assert (left(tape), silenced(tape)) == (0, [])
    assert review.published(version=tape.version)[0].text == HOST


def test_what_is_written_down_inside_a_stretch_goes_into_its_text_and_is_scrubbed(tape):
    stretch = tape.unwritten(2000, 5000)
    host = settle(tape, stretch, text="on 0772 159 448")
    assert host.text == "please call me on 0772 159 448 before ten tonight"
    (found,) = Finding.objects.of(tape.version)
    assert (found.kind, found.text) == ("phone", "0772 159 448")
    # Nobody knows when in the stretch the number is said: all of it is silenced.
    assert found.start_ms <= 2000
    assert found.end_ms >= 5000
    assert (left(tape), silenced(tape)) == (0, [])
    before = [word for word in host.words if word["timed"]]
    assert [word["text"] for word in before] == HOST.split()


def test_what_is_written_down_beside_all_others_is_a_stretch_of_its_own(tape):
    stretch = tape.unwritten(11_500, 14_000)
    tape.agrees("Juma", 11_000, 15_000)
    mine = settle(tape, stretch, text="write to juma@example.org")
    assert (mine.pk, mine.unwritten, mine.needs_review) == (stretch.pk, False, True)
    published = [one for one in review.published(version=tape.version) if one.segment == mine]
    assert [(one.start_ms, one.end_ms, one.text) for one in published] == [
        (11_500, 14_000, "write to juma@example.org")
    ]
    (found,) = Finding.objects.of(tape.version)
    assert found.kind == "email"
    with pytest.raises(review.DecisionInvalid, match="has a text by now"):
        settle(tape, stretch, text="once more")
    with pytest.raises(review.DecisionInvalid, match="has a text by now"):
        review.keep_unwritten(segment=stretch, by=editor(tape.version))


def test_all_that_nobody_settled_is_left_out_in_one_act(tape):
    kept, *others = (
        tape.unwritten(*at) for at in ((2000, 5000), (12_000, 13_000), (15_000, 16_000))
    )
    review.keep_unwritten(segment=kept, by=editor(tape.version))
    assert review.leave_out_unwritten(version=tape.version, by=editor(tape.version)) == 2
    assert silenced(tape) == [[one.start_ms, one.end_ms] for one in others]
    assert review.leave_out_unwritten(version=tape.version, by=editor(tape.version)) == 0
    review.undo(decision=Decision.objects.latest("pk"), by=editor(tape.version))
    assert left(tape) == 2


def test_a_decision_about_speech_without_text_goes_on_into_the_next_version(tape):
    stretch = tape.unwritten(2000, 5000)
    review.keep_unwritten(segment=stretch, by=editor(tape.version))
    sealed.seal(tape.version)
    second = versions.open_draft(dataset=tape.version.dataset, by=editor(tape.version))
    assert review.progress(version=second).is_complete
    assert not Segment.objects.of(second).get(pk=stretch.pk).is_silenced


def test_who_is_left_out_need_not_be_written_down(tape):
    tape.agrees("Juma", 11_000, 15_000)
    tape.unwritten(11_500, 14_000)
    assert left(tape) == 1
    tape.without("Juma")
    assert (left(tape), silenced(tape)) == (0, [[11_500, 14_000]])


def test_where_nothing_is_published_nothing_needs_to_be_settled(tape):
    tape.unwritten(2000, 5000)
    for segment in Segment.objects.of(tape.version).filter(unwritten=False):
        review.review_segment(segment=segment, excluded=True, by=editor(tape.version))
    assert left(tape) == 0


def test_a_line_that_has_no_place_is_not_published_until_it_has_its_times(tape):
    line = tape.said("Amina", None, None, "write to juma@example.org")
    assert left(tape) == 1
    assert line.text not in [one.text for one in review.published(version=tape.version)]
    with pytest.raises(review.ReviewUnfinished, match="has no place in the recording"):
        review.finish(version=tape.version, by=editor(tape.version))
    with pytest.raises(review.DecisionInvalid, match="Say when it is said"):
        review.review_segment(segment=line, by=editor(tape.version))
    by = editor(tape.version)
    for start, end in ((-1, 5), (5, 5), (100, 60_001)):
        with pytest.raises(review.DecisionInvalid, match="Its start comes before its end"):
            review.place(segment=line, start_ms=start, end_ms=end, by=by)
    review.place(segment=line, start_ms=12_000, end_ms=14_000, by=by)
    assert left(tape) == 0
    (piece,) = [one for one in review.published(version=tape.version) if one.text == line.text]
    assert (piece.start_ms, piece.end_ms) == (12_000, 14_000)
    with pytest.raises(review.DecisionInvalid, match="has its times already"):
        review.place(segment=line, start_ms=1, end_ms=2, by=by)


@pytest.mark.parametrize(
    ("at", "waits"),
    [
        ((12_000, 14_000), []),
        ((11_800, 14_100), []),
        ((10_000, 13_000), [[10_000, 12_000]]),
        ((13_000, 15_000), [[14_000, 15_000]]),
        ((10_000, 16_000), [[10_000, 16_000]]),
        ((15_000, 16_000), [[15_000, 16_000]]),
    ],
)
def test_a_line_that_is_placed_answers_for_the_speech_that_it_covers_and_no_more(tape, at, waits):
    line = tape.said("Amina", None, None, "and this is what I said")
    tape.unwritten(*at)
    review.place(segment=line, start_ms=12_000, end_ms=14_000, by=editor(tape.version))
    assert silenced(tape) == waits
    review.undo(decision=Decision.objects.latest("pk"), by=editor(tape.version))
    assert silenced(tape) == [list(at)]


def test_speech_that_was_written_down_and_then_left_out_is_silent_again(tape):
    stretch = tape.unwritten(11_500, 14_000)
    by = editor(tape.version)
    settle(tape, stretch, text="my brother daniel drinks")
    assert silenced(tape) == []
    review.review_segment(segment=stretch, excluded=True, by=by)
    assert silenced(tape) == [[11_500, 14_000]]
    review.review_segment(segment=stretch, excluded=False, by=by)
    assert silenced(tape) == []


def test_a_line_that_was_placed_in_another_and_then_left_out_is_silent(tape):
    line = tape.said("Amina", None, None, "and this is what I said")
    review.place(segment=line, start_ms=2000, end_ms=5000, by=editor(tape.version))
    review.review_segment(segment=line, excluded=True, by=editor(tape.version))
    assert silenced(tape) == [[2000, 5000]]


def test_what_is_left_out_with_the_times_of_its_words_silences_nothing_beside_it(tape):
    review.review_segment(
        segment=Segment.objects.of(tape.version)[1], excluded=True, by=editor(tape.version)
    )
    assert silenced(tape) == []


def test_a_line_that_is_placed_answers_for_no_speech_that_was_left_out(tape):
    line = tape.said("Amina", None, None, "and this is what I said")
    stretch = tape.unwritten(12_000, 14_000)
    review.review_segment(segment=stretch, excluded=True, by=editor(tape.version))
    review.place(segment=line, start_ms=11_000, end_ms=15_000, by=editor(tape.version))
    assert silenced(tape) == [[12_000, 14_000]]


def test_what_is_written_down_makes_no_text_longer_than_a_correction_may(tape):
    for at, words in (((2000, 5000), 1995), ((11_500, 14_000), 2001)):
        stretch = tape.unwritten(*at)
        with pytest.raises(review.DecisionInvalid, match="at most 10,000 characters"):
            settle(tape, stretch, text="word " * words)
        stretch.refresh_from_db()
        assert stretch.is_silenced


def test_a_line_without_a_place_silences_what_lies_between_its_neighbors(tape):
    line = tape.said("Amina", None, None, "write to juma@example.org")
    Segment.objects.filter(pk=line.pk).update(position=99)
    Segment.objects.filter(recording=tape.recording, position=1).update(position=2)
    Segment.objects.filter(pk=line.pk).update(position=1)
    review.add_finding(
        segment=line, first_word=2, last_word=2, kind="email", by=editor(tape.version)
    )
    scene = voices.scene(recording=tape.recording, version=tape.version)
    voices.with_findings([scene])
    inputs = finishing.decided(scene)
    assert [one["position"] for one in inputs["segments"]] == [0, 1, 2]
    assert inputs["excluded"] == [1]
    (decision,) = inputs["decisions"]
    assert decision["segment"] == 1


def test_the_database_keeps_speech_without_text_without_text(tape):
    stretch = tape.unwritten(2000, 5000)
    for change in ({"text": "hello"}, {"needs_review": False}, {"start_ms": None, "end_ms": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Segment.objects.filter(pk=stretch.pk).update(**change)
