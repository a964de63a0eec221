from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.transcripts import (
    Segment,
    Word,
    corrected,
    segment_of,
    span_in_time,
    words_of,
)


def timed(text):
    """A segment whose words take 100 ms each, 50 ms apart."""
    words = tuple(
        Word(word.text, word.start_char, word.end_char, n * 150, n * 150 + 100, timed=True)
        for n, word in enumerate(words_of(text))
    )
    return Segment(text, words, 0, 150 * len(words))


def test_marks_around_a_word_are_not_part_of_it():
    text = "«Karibu!» she said: 'it's 5 o'clock' — (really)..."
    assert [word.text for word in words_of(text)] == (
        ["Karibu", "she", "said", "it's", "5", "o'clock", "really"]
    )


def test_corrected_words_that_stay_keep_their_times():
    segment = corrected(timed("my name is jane"), text="My name is Jane.")
    assert [word.start_ms for word in segment.words] == [0, 150, 300, 450]
    assert all(word.timed for word in segment.words)


def test_a_word_put_right_fills_the_gap_between_its_neighbors():
    segment = corrected(timed("call a hundred now"), text="call 0772 159 448 now")
    assert [(word.start_ms, word.end_ms) for word in segment.words] == [
        (0, 100),
        (100, 450),
        (100, 450),
        (100, 450),
        (450, 550),
    ]


def test_a_word_put_where_none_was_is_untimed_and_silences_its_segment():
    segment = corrected(timed("call me now"), text="call me 0772159448 now")
    added = segment.words[2]
    assert not added.timed
    span = span_in_time(segment, start_char=added.start_char, end_char=added.end_char)
    assert span == (0, 450, False)


def test_a_span_without_words_stands_for_its_whole_segment():
    segment = timed("call me")
    assert span_in_time(segment, start_char=4, end_char=5) == (0, 300, False)


def test_a_segment_survives_json():
    segment = timed("habari za asubuhi")
    assert Segment.from_json(segment.as_json()) == segment


@given(st.text(alphabet="ab c.", max_size=40), st.text(alphabet="ab c.", max_size=40))
def test_any_correction_keeps_words_in_their_places(before, after):
    segment = corrected(timed(before), text=after)
    assert [word.text for word in segment.words] == [word.text for word in words_of(after)]
    for word in segment.words:
        assert after[word.start_char : word.end_char] == word.text
        if word.timed:
            assert 0 <= word.start_ms <= word.end_ms <= (segment.end_ms or 0)


@given(st.text(max_size=80))
def test_words_lie_in_their_text(text):
    for word in segment_of(text).words:
        assert text[word.start_char : word.end_char] == word.text
