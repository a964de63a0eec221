"""Which voice has no words: over any words and any voice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.steps import unwritten
from ingestion.pipeline.steps.places import Placed
from ingestion.pipeline.steps.seams import seams, without_islands
from ingestion.pipeline.transcripts import Segment
from tests.ingestion.steps import sounds

LENGTH = 10_000


def segment(*times, start=0, end=LENGTH):
    text = " ".join("word" for _ in times)
    document = sounds.segment(text, list(times), start_ms=start, end_ms=end)
    return Segment.from_json(document)


def found(voiced, *segments):
    return unwritten.stretches(voiced, segments, duration_ms=LENGTH)


@pytest.mark.parametrize(
    ("voiced", "expected"),
    [
        ([(0, 10_000)], [(0, 1000), (2000, 6000), (7000, 10_000)]),
        ([(2600, 3200)], [(2480, 3320)]),
        # A breath, a pause, a word that is drawn out, and one that begins early after it.
        ([(3000, 3300)], []),
        ([], []),
        ([(1000, 2390)], []),
        ([(1000, 2250), (5750, 6500)], []),
        # What goes on from a word is more than the word.
        ([(1000, 2400)], [(2000, 2520)]),
        # Two figures with a pause between them are one stretch, two sentences are two.
        ([(2500, 2800), (3900, 4200)], [(2380, 4320)]),
        ([(2500, 2950), (5200, 5650)], [(2380, 3070), (5080, 5770)]),
    ],
)
def test_voice_without_a_word_is_found_from_word_to_word(voiced, expected):
    assert found(voiced, segment((1000, 2000), (6000, 7000))) == expected


def test_a_gap_that_voice_fills_is_found_from_the_length_of_a_name_on():
    def gap(length):
        return found([(0, 9000)], segment((0, 4000), (4000 + length, 9000)))

    assert gap(unwritten.LEAST_MS) == [(4000, 4400)]
    assert gap(unwritten.LEAST_MS - 1) == []


def test_a_word_without_a_time_answers_for_no_voice():
    assert found([(0, 10_000)], segment((0, 2000), None, (6000, 10_000))) == [(2000, 6000)]


def test_words_whose_place_is_guessed_answer_for_it():
    row = segment((3000, 6000), (3000, 6000), start=3000, end=6000)
    guessed = replace(row, words=tuple(replace(word, timed=False) for word in row.words))
    assert found([(0, 10_000)], guessed) == [(0, 3000), (6000, 10_000)]


def test_a_row_of_which_no_word_was_found_answers_for_nothing():
    assert found([(3200, 5800)], segment(None, None, start=3000, end=6000)) == [(3080, 5920)]


def test_a_line_without_a_place_answers_for_nothing():
    line = Segment("lost words", segment(None, None).words)
    assert found([(2000, 5000)], segment((0, 1000)), line) == [(1880, 5120)]


@st.composite
def tapes(draw):
    """Words and voice, each in order and apart."""

    def laid(longest):
        at, parts = draw(st.integers(0, 800)), []
        while at < LENGTH - 10 and len(parts) < 9:
            end = min(LENGTH, at + draw(st.integers(10, longest)))
            parts.append((at, end))
            at = end + draw(st.integers(1, 2500))
        return parts

    return laid(900), laid(3000)


@given(tape=tapes())
def test_all_voice_lies_under_a_word_or_in_a_stretch_or_is_too_short(tape):
    words, voiced = tape
    stretches = found(voiced, segment(*words)) if words else found(voiced)
    covered, wordy, voice = (np.zeros(LENGTH, bool) for _ in range(3))
    for mask, parts in ((covered, stretches), (wordy, words), (voice, voiced)):
        for start, end in parts:
            mask[max(0, start) : end] = True
    assert stretches == sorted(stretches)
    assert not (covered & wordy).any()
    rest = np.flatnonzero(np.diff(np.concatenate([[0], (voice & ~covered & ~wordy), [0]])))
    assert all(end - start <= unwritten.LEAST_MS for start, end in rest.reshape(-1, 2))


def placed(*times):
    return [Placed(at, at + 300, 30, 30, -30.0) if at is not None else None for at in times]


def test_a_word_alone_in_speech_without_words_is_taken_back():
    # "on [before] … ten": "before" was drawn to the first of the figures that nobody wrote.
    tokens = placed(0, 400, 800, 1450, 5000, 5400)
    voiced = [(0, 5700)]
    assert seams(tokens, voiced) == [(3, 4)]
    kept = without_islands(tokens, voiced)
    assert [token is not None for token in kept] == [True, True, True, False, True, True]


def test_of_a_row_only_what_lies_between_its_words_is_looked_at():
    # Other rows are said before and after it: that is no voice without words.
    tokens = placed(4000, 4600, 4900, 5200, 5800)
    voiced = [(0, 10_000)]
    assert without_islands(tokens, voiced)[::4] == [None, None]
    assert without_islands(tokens, voiced, is_row=True) == tokens


def test_words_between_pauses_stay():
    tokens = placed(0, 400, 1600, 5000, 5400)
    voiced = [(0, 700), (1600, 1900), (2600, 4000), (5000, 5700)]
    assert seams(tokens, voiced) == [(2, 3)]
    assert without_islands(tokens, voiced) == tokens


def test_nothing_placed_has_no_seams():
    assert seams([None, None], [(0, 5000)]) == []
