"""Bars and labels over any text and any decisions: what was decided lies under them, no more."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.steps.bars import Decision, bars_of, redacted_text
from ingestion.pipeline.transcripts import Segment, Word

# Property: over any text and any decisions. Every character stands once, so that it can be traced.

KINDS = ("phone", "email", "id-number", "address")


@st.composite
def spoken(draw):
    """Segments of words with and without times, and decisions on them."""
    segments = []
    decisions = []
    now = draw(st.integers(0, 500))
    for index in range(draw(st.integers(1, 4))):
        start = now
        words, position = [], 0
        for _ in range(draw(st.integers(1, 5))):
            length = draw(st.integers(1, 4))
            said = draw(st.integers(1, 600))
            timed = draw(st.integers(0, 9)) > 0
            words.append(
                Word("x" * length, position, position + length,
                     now if timed else None, now + said if timed else None, timed)
            )  # fmt: skip
            position += length + 1
            now += said
        segments.append(Segment("x" * (position - 1), tuple(words), start, now))
        for _ in range(draw(st.integers(0, 3))):
            first = draw(st.integers(0, position - 2))
            last = draw(st.integers(first + 1, position - 1))
            decisions.append(Decision(index, draw(st.sampled_from(KINDS)), first, last))
        now += draw(st.integers(0, 300))
    return segments, decisions, now


@given(case=spoken(), pad_ms=st.integers(0, 400))
def test_every_decided_word_lies_under_a_bar_with_its_pad(case, pad_ms):
    segments, decisions, duration_ms = case
    bars = bars_of(segments, decisions, pad_ms=pad_ms, duration_ms=duration_ms)
    for earlier, later in itertools.pairwise(bars):
        assert earlier.end_ms < later.start_ms
    assert all(0 <= bar.start_ms < bar.end_ms <= duration_ms for bar in bars)
    wanted = np.zeros(duration_ms, bool)
    for decision in decisions:
        segment = segments[decision.segment]
        touched = [
            word for word in segment.words
            if word.start_char < decision.end_char and decision.start_char < word.end_char
        ]  # fmt: skip
        if touched and all(word.timed for word in touched):
            start, end = touched[0].start_ms, touched[-1].end_ms
        else:
            said = [word for one in segments for word in one.words]
            here = [word for word in segment.words if word.start_char < decision.end_char]
            at = sum(len(one.words) for one in segments[: decision.segment])
            until = at + len(here)
            begun = until - len([one for one in here if one.end_char > decision.start_char])
            early = [word.end_ms for word in said[:begun] if word.timed]
            late = [word.start_ms for word in said[until:] if word.timed]
            start = min(segment.start_ms, early[-1] if early else 0)
            end = max(segment.end_ms, late[0] if late else duration_ms)
        wanted[max(0, start - pad_ms) : end + pad_ms] = True
    barred = np.zeros(duration_ms, bool)
    for bar in bars:
        barred[bar.start_ms : bar.end_ms] = True
    assert (barred == wanted).all()
    assert {bar.kind for bar in bars} <= {decision.kind for decision in decisions}


@st.composite
def decided(draw):
    """A text of characters that occur once, and decisions that may hang over its end."""
    size = draw(st.integers(1, 60))
    text = "".join(chr(0x4E00 + index) for index in range(size))
    spans = draw(st.lists(st.tuples(st.integers(0, size + 5), st.integers(0, size + 5)),
                          max_size=8))  # fmt: skip
    kinds = st.sampled_from(KINDS)
    return text, [Decision(0, draw(kinds), min(span), max(span)) for span in spans]


@given(case=decided())
def test_no_decided_character_survives_and_no_other_is_lost(case):
    text, decisions = case
    gone = {
        index for one in decisions for index in range(one.start_char, min(one.end_char, len(text)))
    }
    result = redacted_text(text, decisions)
    kept = [char for char in result if char >= "\u4e00"]
    assert kept == [char for index, char in enumerate(text) if index not in gone]
    labels = [label.partition("]")[0].lower() for label in result.split("[")[1:]]
    assert set(labels) <= {decision.kind for decision in decisions}
    assert len(result) == len(kept) + sum(len(label) + 2 for label in labels)
    islands = sum(index in gone and index - 1 not in gone for index in range(len(text)))
    assert len(labels) >= islands
    assert bool(labels) == bool(gone)
