"""Subtitles keep their words and times, and what is none is refused with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.archive.formats import media, rows
from ingestion.archive.formats.refusal import RefusedError
from ingestion.archive.formats.rows import Row

SRT = """\
1
00:00:01,000 --> 00:00:04,250
Good morning, <i>this is</i>
the breakfast show.

2
00:01:02,500 --> 00:01:04,000 X1:40 X2:600 Y1:20 Y2:50
{\\an8}Call us &amp; speak.
"""
VTT = """\
WEBVTT - Morning show
Language: en

NOTE
Nobody says this.

STYLE
::cue { color: lime }

opening
00:01.000 --> 00:04.250 align:start position:10%
<v.loud Amina Example>Good morning, <00:00:02.000><c.yellow>this is</c>
the breakfast show.

01:01:02.500 --> 01:01:04.000
Call us &lt;now&gt;.
"""


def read(tmp_path, text: str, form: str) -> list[Row]:
    path = tmp_path / f"show.{form}"
    path.write_text(text)
    assert media.sniff(path, path.name).kind == "text"
    return rows.read(path, name=path.name, form=form)


def test_subrip_keeps_its_words_and_times(tmp_path):
    assert read(tmp_path, SRT, "srt") == [
        Row(2, "Good morning, this is the breakfast show.", 1000, 4250),
        Row(7, "Call us & speak.", 62_500, 64_000),
    ]


def test_webvtt_keeps_its_words_times_and_speakers_and_nothing_else(tmp_path):
    assert read(tmp_path, VTT, "vtt") == [
        Row(11, "Good morning, this is the breakfast show.", 1000, 4250, "Amina Example"),
        Row(15, "Call us <now>.", 3_662_500, 3_664_000),
    ]


def test_words_after_a_blank_line_within_a_subtitle_are_not_lost(tmp_path):
    broken = SRT.replace("this is</i>\nthe", "this is</i>\n\nthe")

    assert [row.text for row in read(tmp_path, broken, "srt")] == [
        "Good morning, this is the breakfast show.", "Call us & speak.",
    ]  # fmt: skip


def test_a_byte_order_mark_and_windows_line_ends_make_no_difference(tmp_path):
    written = "\ufeff" + SRT.replace("\n", "\r\n")

    assert read(tmp_path, written, "srt") == read(tmp_path, SRT, "srt")


@pytest.mark.parametrize(
    ("form", "text", "line", "why"),
    [
        ("srt", "Good morning.\n", 1, "no line with two times"),
        ("srt", SRT.replace("00:00:01,000", "00:00:61,000"), 2, "write its times like"),
        ("srt", SRT.replace("00:00:04,250", "00:00:01,000"), 2, "its end is not after its start"),
        ("srt", SRT.replace("-->", "-- >", 1), 1, "no line with two times"),
        ("vtt", VTT.replace("WEBVTT", "WEBVT"), 1, "begins with the word WEBVTT"),
        ("vtt", VTT + "\nSomebody said this.\n", 18, "no line with two times"),
    ],
)
def test_what_is_no_subtitle_is_refused_with_its_line(tmp_path, form, text, line, why):
    with pytest.raises(RefusedError, match=why) as refused:
        read(tmp_path, text, form)
    assert refused.value.details["row"] == line


WORDS = st.lists(
    st.text(st.characters(categories=("L", "N"), max_codepoint=0x7FF), min_size=1, max_size=8),
    min_size=1, max_size=6,
).map(" ".join)  # fmt: skip
MOMENTS = st.lists(st.integers(0, 35_999_999), min_size=2, max_size=20, unique=True).map(sorted)


def clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{rest:03d}"


@given(MOMENTS, st.lists(WORDS, min_size=10, max_size=10), st.sampled_from(["srt", "vtt"]))
def test_every_cue_that_is_written_is_read(tmp_path_factory, moments, words, form):
    point = "," if form == "srt" else "."
    said = list(zip(moments[::2], moments[1::2], words, strict=False))
    cues = [
        f"{number}\n{clock(start, point)} --> {clock(end, point)}\n{text}\n"
        for number, (start, end, text) in enumerate(said, start=1)
    ]
    head = [] if form == "srt" else ["WEBVTT\n"]

    found = read(tmp_path_factory.mktemp("cues"), "\n".join([*head, *cues]), form)

    assert [(row.start_ms, row.end_ms, row.text) for row in found] == said
