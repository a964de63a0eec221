"""Word times that are handed out: in their clip, in the text's order, and never of what was cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.archive import blobs
from ingestion.pipeline.steps.bars import Decision, redacted_text
from ingestion.pipeline.transcripts import words_of
from ingestion.releases import words
from tests import sealed

CLIP_MS = 10_000
MARKS = ("", ",", ".", "?", "…", ")", "!\N{RIGHT DOUBLE QUOTATION MARK}")


def rows_of(version) -> list[dict]:
    """The rows of metadata.jsonl."""
    file = version.release_files.get(path="metadata.jsonl")
    with blobs.read(file.blob_id) as table:
        return [json.loads(line) for line in table.read().splitlines()]


@pytest.mark.django_db
def test_a_downloaded_clip_never_lacks_the_times_of_its_words():
    first, second, *_ = rows_of(sealed.version())
    assert [one["word"] for one in first["words"]] == first["text"].split()
    assert first["words"][0] == {"word": "Good", "start_ms": 0, "end_ms": 300}
    assert [one["word"] for one in second["words"]] == ["Call", "us", "at", "[PHONE]"]
    assert second["words"][-1]["end_ms"] <= second["duration_ms"]


@st.composite
def reviewed(draw) -> tuple[dict, dict, list[dict]]:
    """A clip, its segment before the redaction, and what is redacted in it; each word once."""
    said = [f"w{number}x" for number in range(draw(st.integers(1, 12)))]
    text = " ".join(word + draw(st.sampled_from(MARKS)) for word in said)
    start = draw(st.integers(0, 5000))
    ends = sorted(
        draw(st.lists(st.integers(-500, CLIP_MS + 500), min_size=2 * len(said), max_size=30))
    )
    timed = draw(st.lists(st.booleans(), min_size=len(said), max_size=len(said)))
    segment = {
        "words": [
            {
                "text": word.text,
                "start_char": word.start_char,
                "end_char": word.end_char,
                "start_ms": start + ends[2 * place],
                "end_ms": start + ends[2 * place + 1],
                "timed": timed[place],
            }
            for place, word in enumerate(words_of(text))
        ]
    }
    places = st.integers(0, len(text))
    cuts = draw(st.lists(st.tuples(places, places, st.sampled_from(["phone", "name"])), max_size=4))
    decisions = [
        {"segment": 0, "kind": kind, "start_char": min(a, b), "end_char": max(a, b)}
        for a, b, kind in cuts
        if a != b
    ]
    found = [Decision(0, one["kind"], one["start_char"], one["end_char"]) for one in decisions]
    clip = {
        "segment": 0,
        "start_ms": start,
        "end_ms": start + CLIP_MS,
        "text": redacted_text(text, found),
    }
    return clip, segment, decisions


@given(reviewed())
def test_no_word_under_a_bar_is_ever_handed_out(case):
    clip, segment, decisions = case
    told = words.told(words.published(clip=clip, segment=segment, decisions=decisions))
    handed_out = {one["word"] for one in told}
    for word in segment["words"]:
        cut = any(
            one["start_char"] < word["end_char"] and word["start_char"] < one["end_char"]
            for one in decisions
        )
        if cut:
            assert word["text"] not in handed_out
    if not decisions:
        assert [one["word"] for one in told] == [one["text"] for one in segment["words"]]


@given(reviewed())
def test_words_never_leave_their_clip_or_their_text(case):
    clip, segment, decisions = case
    told = words.told(words.published(clip=clip, segment=segment, decisions=decisions))
    position = 0
    for one in told:
        position = clip["text"].index(one["word"], position) + len(one["word"])
        assert (one["start_ms"] is None) == (one["end_ms"] is None)
        if one["start_ms"] is not None:
            assert 0 <= one["start_ms"] <= one["end_ms"] <= CLIP_MS
