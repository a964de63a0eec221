"""Corrections: what was to be silenced stays silenced, and what is new is looked for anew."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import review
from ingestion.models import Decision, Finding, Segment, Version
from tests import sealed
from tests.tapes import Tape
from tests.walks import editor

pytestmark = pytest.mark.django_db
State = Finding.State


@pytest.fixture
def draft() -> Version:
    return sealed.dataset().versions.get()


@pytest.fixture
def tape(draft) -> Tape:
    return Tape(draft)


def mark(segment: Segment, first: int, last: int, kind: str = "name") -> Finding:
    return review.add_finding(
        segment=segment,
        first_word=first,
        last_word=last,
        kind=kind,
        by=editor_of(segment),
    )


def correct(segment: Segment, text: str) -> Segment:
    return review.review_segment(
        segment=Segment.objects.get(pk=segment.pk), by=editor_of(segment), text=text
    )


def editor_of(segment: Segment):
    return editor(segment.recording.files.get().version)


def found(segment: Segment) -> list[tuple[str, str, str]]:
    """What is found in a segment: kind, words, and what was decided."""
    rows = Finding.objects.filter(segment=segment).select_related("segment")
    return [(one.kind, one.text, one.state) for one in rows.order_by("start_char", "kind")]


def silenced(segment: Segment) -> set[int]:
    """The hundredths of a second that a tone will lie over."""
    rows = Finding.objects.filter(segment=segment).exclude(state=State.REJECTED)
    return {moment for one in rows for moment in range(one.start_ms // 10, one.end_ms // 10)}


def test_a_redaction_that_a_person_made_outlives_a_correction_elsewhere_in_the_text(tape):
    segment = tape.said("Amina", 0, 8000, "my neighbor zawadi sels fish by the bridge")
    made = mark(segment, 2, 2)
    correct(segment, "my neighbor zawadi sells fish by the bridge")
    kept = Finding.objects.get(segment=segment)
    assert (kept.text, kept.state, kept.detector) == ("zawadi", State.CONFIRMED, Finding.PERSON)
    assert (kept.start_ms, kept.end_ms) == (made.start_ms, made.end_ms)
    assert kept.decided_by == made.decided_by


def test_a_redaction_follows_its_words_when_they_are_spelled_otherwise(tape):
    segment = tape.said("Amina", 0, 8000, "my neighbor savadi sells fish by the bridge")
    made = mark(segment, 2, 2)
    correct(segment, "my neighbor Zawadi sells fish by the bridge")
    kept = Finding.objects.get(segment=segment)
    assert kept.text == "Zawadi"
    assert kept.start_ms <= made.start_ms < made.end_ms <= kept.end_ms


def test_the_sound_stays_silenced_when_the_words_are_taken_out_of_the_text(tape):
    segment = tape.said("Amina", 0, 8000, "my neighbor zawadi sells fish by the bridge")
    before = mark(segment, 2, 2)
    correct(segment, "my neighbor sells fish by the bridge")
    (kept,) = Finding.objects.filter(segment=segment)
    assert kept.text == "neighbor sells"
    assert kept.start_ms <= before.start_ms < before.end_ms <= kept.end_ms


def test_a_number_whose_words_are_taken_out_waits_to_be_heard_whatever_is_corrected_then(tape):
    segment = tape.said("Amina", 0, 9000, "call me on 0772 159 448 before ten tonight")
    review.review_segment(segment=segment, by=editor_of(segment), text=f"{segment.text} please")
    (number,) = Finding.objects.filter(segment=segment)
    before = silenced(segment)
    for text, words in (
        ("call me on before ten tonight please", "on before"),
        ("call me at before ten tonight please", "at before"),
        ("call me before ten tonight please", "me before"),
    ):
        correct(segment, text)
        assert found(segment) == [("phone", words, State.OPEN)]
        assert before <= silenced(segment)
    review.decide(finding=Finding.objects.get(), redact=False, by=editor_of(segment))
    correct(segment, "call me before ten today please")
    assert found(segment) == [("phone", "me before", State.REJECTED)]
    assert number.kind == "phone"


def test_a_number_that_gives_way_to_fewer_words_waits_to_be_heard(tape):
    segment = tape.said("Amina", 0, 9000, "call me on 0772 159 448 before ten")
    correct(segment, "call me on 0772 159 448 before nine")
    correct(segment, "call me at before nine")
    assert ("phone", "at", State.OPEN) in found(segment)


def test_what_is_heard_and_no_longer_written_waits_to_be_heard(tape):
    segment = tape.said("Amina", 0, 9000, "my brother daniel lives in the old town tonight")
    correct(segment, "my lives in the old town")
    assert found(segment) == [("other", "my lives", State.OPEN)]
    assert silenced(segment) == set(range(100, 300))
    correct(segment, "my brother daniel lives in the old town")
    correct(segment, "my brother lives in the old town")
    assert {state for _, _, state in found(segment)} == {State.OPEN}
    assert silenced(segment) >= set(range(100, 300))


def test_words_at_an_edge_and_words_that_take_no_time_are_taken_out_unasked(tape):
    segment = tape.said("Amina", 0, 3000, "well so so the road is open now ladies")
    correct(segment, "so the road is open now")
    assert found(segment) == []


def test_what_was_written_down_and_taken_out_again_waits_to_be_heard(tape):
    segment = tape.said("Amina", 0, 8000, "please call before ten")
    for word, start in zip(segment.words, (0, 1000, 6000, 7000), strict=True):
        word["start_ms"], word["end_ms"] = start, start + 900
    segment.save(update_fields=["words"])
    stretch = tape.unwritten(2000, 5900)
    by = editor_of(segment)
    review.write_down(segment=stretch, text="my brother in the yellow house", by=by)
    correct(segment, "please call before ten")
    assert found(segment) == [("other", "call before", State.OPEN)]
    assert silenced(segment) == set(range(190, 600))


def test_a_row_of_a_text_forgets_what_is_taken_out_of_it(draft):
    segment = Tape(draft, duration_ms=0).said("", None, None, "call me on 0772 159 448 at ten")
    correct(segment, "call me on 0772 159 448 at nine")
    correct(segment, "call me at nine")
    assert found(segment) == []


def test_two_redactions_that_come_to_lie_on_one_word_silence_both(tape):
    segment = tape.said("Amina", 0, 3000, "now zawadi baraka")
    mark(segment, 1, 1)
    mark(segment, 2, 2)
    before = silenced(segment)
    correct(segment, "now")
    assert found(segment) == [("name", "now", State.CONFIRMED)]
    assert before <= silenced(segment)


def test_a_kept_word_does_not_uncover_a_redaction_that_comes_to_lie_on_it(tape):
    segment = tape.said("Amina", 0, 3000, "now zawadi baraka")
    review.decide(finding=mark(segment, 0, 0), redact=False, by=editor_of(segment))
    mark(segment, 1, 2)
    before = silenced(segment)
    correct(segment, "now")
    assert found(segment) == [("name", "now", State.CONFIRMED)]
    assert before <= silenced(segment)


def test_a_text_without_a_word_is_no_correction(tape):
    segment = tape.said("Amina", 0, 3000, "call zawadi now")
    mark(segment, 1, 1)
    for text in ("…", " - ", "?!"):
        with pytest.raises(review.DecisionInvalid, match="no words is left out"):
            correct(segment, text)
    assert found(segment) == [("name", "zawadi", State.CONFIRMED)]


def test_what_a_person_kept_stays_kept_while_its_words_are_the_same(tape):
    segment = tape.said("Amina", 0, 8000, "write to info@radio.example if you sels fish")
    correct(segment, "write to info@radio.example if you sels fish today")
    (email,) = Finding.objects.filter(segment=segment)
    assert (email.kind, email.state) == ("email", State.OPEN)
    review.decide(finding=email, redact=False, by=editor_of(segment))
    correct(segment, "write to info@radio.example if you sell fish today")
    assert found(segment) == [("email", "info@radio.example", State.REJECTED)]


def test_other_words_in_the_place_of_what_was_kept_are_looked_through_anew(tape):
    segment = tape.said("Amina", 0, 8000, "write to the station if you sell fish")
    kept = mark(segment, 2, 3, kind="email")
    review.decide(finding=kept, redact=False, by=editor_of(segment))
    correct(segment, "write to amina@home.example if you sell fish")
    assert ("email", "amina@home.example", State.OPEN) in found(segment)
    assert not Finding.objects.filter(segment=segment, state=State.REJECTED).exists()


def test_what_a_rule_found_in_words_that_are_gone_is_gone(tape):
    segment = tape.said("Amina", 0, 8000, "write to amina@home.example now")
    correct(segment, "write to amina@home.example today")
    correct(segment, "write to the station today")
    assert found(segment) == []


def test_a_spoken_number_that_goes_on_in_the_next_stretch_is_found_whole(tape):
    first = tape.said("Amina", 0, 4000, "you can call zero seven seven two")
    second = tape.said("Amina", 4500, 8000, "five five zero one two three any time")
    correct(first, "you can call me zero seven seven two")
    assert found(first) == [("phone", "zero seven seven two", State.OPEN)]
    assert found(second) == [("phone", "five five zero one two three", State.OPEN)]


def test_a_correction_keeps_the_second_half_of_a_number_that_begins_before_it(tape):
    tape.said("Amina", 0, 4000, "you can call zero seven seven two")
    second = tape.said("Amina", 4500, 8000, "five five zero one two three any time")
    correct(second, "five five zero one two three any tyme")
    correct(second, "five five zero one two three any time at all")
    assert found(second) == [("phone", "five five zero one two three", State.OPEN)]


def test_what_was_decided_in_the_next_stretch_is_not_asked_again(tape):
    first = tape.said("Amina", 0, 4000, "you can call zero seven seven two")
    second = tape.said("Amina", 4500, 8000, "five five zero one two three any time")
    mark(second, 0, 5, kind="phone")
    correct(first, "you can call me zero seven seven two")
    assert found(second) == [("phone", "five five zero one two three", State.CONFIRMED)]


def test_spoken_numbers_are_found_in_swahili_by_whichever_tag_it_goes(draft, tape):
    text = "nipigie sifuri saba saba mbili tano tano tano sifuri moja mbili"
    for tag in ("sw", "swh", "swh-KE", "swa", "sw-TZ"):
        type(tape.recording).objects.filter(pk=tape.recording.pk).update(language=tag)
        segment = tape.said("Amina", 10_000 * tape.count, 10_000 * tape.count + 6000, text)
        correct(segment, text.replace("nipigie", "unipigie"))
        assert [kind for kind, _, _ in found(segment)] == ["phone"], tag
        segment.delete()


def test_a_correction_of_spelling_alone_keeps_the_times_of_the_other_words(tape):
    segment = tape.said("Amina", 0, 4000, "the rode is open")
    correct(segment, "the road is open")
    segment.refresh_from_db()
    assert segment.text == "the road is open"
    assert [word["start_ms"] for word in segment.words if word["text"] != "road"] == [
        0,
        2000,
        3000,
    ]


def test_a_text_that_is_the_same_is_read_and_not_corrected(tape):
    segment = tape.said("Amina", 0, 4000, "the road is open")
    correct(segment, " the road is open ")
    assert [one.act for one in Decision.objects.all()] == [Decision.Act.READ]


def test_a_finding_that_a_correction_took_away_can_not_be_decided(tape):
    segment = tape.said("Amina", 0, 8000, "write to amina@home.example now")
    correct(segment, "write to amina@home.example today")
    (gone,) = Finding.objects.filter(segment=segment)
    correct(segment, "write to the station today")
    with pytest.raises(review.DecisionInvalid, match="changed since"):
        review.decide(finding=gone, redact=True, by=editor_of(segment))


words = st.lists(st.sampled_from(["now", "zawadi", "five"]), max_size=5)
kinds = st.sampled_from(["name", "other"])
ranges = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 1), st.booleans(), kinds), min_size=1, max_size=4
)


@settings(max_examples=40)
@given(before=words.filter(bool), marked=ranges, texts=st.lists(words.filter(bool), max_size=3))
def test_no_correction_uncovers_what_a_person_had_silenced(before, marked, texts):
    segment = Tape(sealed.dataset().versions.get()).said("", 0, 6000, " ".join(before))
    for first, more, is_kept, kind in marked:
        if first < len(before):
            last = min(first + more, len(before) - 1)
            made = mark(segment, first, last, kind)
            review.decide(finding=made, redact=not is_kept, by=editor_of(segment))
    wanted = silenced(segment)
    for text in texts:
        correct(segment, " ".join(text))
        assert wanted <= silenced(segment)
