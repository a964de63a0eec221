import json

import numpy as np
import pytest
import soundfile

from ingestion.pipeline.contract import RefusedError
from ingestion.pipeline.steps.vad import RATE
from tests.ingestion.steps import sounds
from tests.ingestion.steps.voices import hush, librivox, spoken

GAP = 0.6


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """All five sentences with pauses between them; where each begins and ends, in ms."""
    parts, bounds, position = [hush(GAP)], [], int(GAP * RATE)
    for utterance in librivox():
        bounds.append((position * 1000 // RATE, (position + len(utterance.audio)) * 1000 // RATE))
        parts += [utterance.audio, hush(GAP)]
        position += len(utterance.audio) + int(GAP * RATE)
    path = tmp_path_factory.mktemp("reading") / "reading.flac"
    soundfile.write(path, np.concatenate(parts), RATE)
    return path, bounds


def aligned(source, folder, transcript, content, *, language="en"):
    """The text step's output for a recording with this transcript beside it."""
    path = folder / transcript
    path.write_text(content, encoding="utf-8")
    done = sounds.chain(
        source,
        folder,
        *("decode", "vad", "text"),
        transcript=path,
        transcript_name=transcript,
        language=language,
    )
    return done["text"].output


def words(output):
    return [word for segment in output["segments"] for word in segment["words"]]


def assert_sound(output, duration_ms):
    """What holds of every output: order, bounds, places in the text."""
    for segment in output["segments"]:
        assert 0 <= segment["start_ms"] < segment["end_ms"] <= duration_ms
        assert segment["end_ms"] - segment["start_ms"] <= 30_000
        for word in segment["words"]:
            assert segment["text"][word["start_char"] : word["end_char"]] == word["text"]
            if word["timed"]:
                assert segment["start_ms"] - 500 <= word["start_ms"] < word["end_ms"]
                assert word["end_ms"] <= segment["end_ms"] + 500


def test_a_plain_transcript_is_placed_word_by_word(reading, tmp_path):
    source, bounds = reading
    text = " ".join(utterance.text for utterance in librivox())
    output = aligned(source, tmp_path, "reading.txt", text)
    assert (output["method"], output["grade"]) == ("aligned", "reference")
    assert_sound(output, 30_000)
    placed = words(output)
    assert " ".join(word["text"] for word in placed) == text
    position = 0
    for utterance, (start, end) in zip(librivox(), bounds, strict=True):
        count = len(utterance.text.split())
        for word in placed[position : position + count]:
            assert word["timed"]
            assert start - 100 <= word["start_ms"] < word["end_ms"] <= end + 400
            assert 30 <= word["end_ms"] - word["start_ms"] <= 1500
            assert 0 <= word["confidence"] <= 1000
        position += count
    assert all(segment["end_ms"] - segment["start_ms"] >= 2000 for segment in output["segments"])
    assert output["untranscribed"] == []


def test_a_line_per_utterance_with_labels_makes_a_segment_per_line(reading, tmp_path):
    source, bounds = reading
    lines = [f"Reader {n % 2}: {one.text.capitalize()}." for n, one in enumerate(librivox())]
    output = aligned(source, tmp_path, "reading.txt", "\n".join(lines))
    segments = output["segments"]
    assert [segment["speaker"] for segment in segments] == [f"Reader {n % 2}" for n in range(5)]
    for segment, utterance, (start, end) in zip(segments, librivox(), bounds, strict=True):
        assert segment["text"] == utterance.text.capitalize() + "."
        assert abs(segment["start_ms"] - start) < 400
        assert abs(segment["end_ms"] - end) < 400


def in_its_place(output, bounds):
    """How many words of each utterance were placed, and that none was placed outside it."""
    placed = [0] * len(bounds)
    for segment in output["segments"]:
        number = next(
            number for number, one in enumerate(librivox()) if segment["text"] in said(one.text)
        )
        start, end = bounds[number]
        for word in segment["words"]:
            if word["timed"]:
                assert start - 500 <= word["start_ms"] < word["end_ms"] <= end + 500
                placed[number] += 1
    return placed


def said(text):
    """A text as the test's transcripts have it, with and without the words put in between."""
    return f"{text} | {with_more(text)}"


def with_more(text):
    """A text with a word more after each sixth."""
    words = text.split()
    return " ".join(f"{word} umbrella" if n % 6 == 5 else word for n, word in enumerate(words))


def test_two_swapped_sentences_cost_no_other_sentence_its_place(reading, tmp_path):
    source, bounds = reading
    lines = [one.text for one in librivox()]
    lines[1], lines[2] = lines[2], lines[1]
    output = aligned(source, tmp_path, "reading.txt", "\n".join(lines))
    placed = in_its_place(output, bounds)
    counts = [len(one.text.split()) for one in librivox()]
    for number in (0, 3, 4):
        assert placed[number] >= 0.8 * counts[number]
    # What was said and has no placed text now waits for a person.
    lost = [number for number in (1, 2) if placed[number] < 0.5 * counts[number]]
    for number in lost:
        start, end = bounds[number]
        waiting = [min(end, last) - max(start, first) for first, last in output["untranscribed"]]
        assert sum(ms for ms in waiting if ms > 0) >= 0.7 * (end - start)


def test_words_that_nobody_said_do_not_stop_the_rest(reading, tmp_path):
    source, bounds = reading
    lines = [with_more(one.text) for one in librivox()]
    output = aligned(source, tmp_path, "reading.txt", "\n".join(lines))
    placed = in_its_place(output, bounds)
    assert sum(placed) >= 0.5 * sum(len(one.text.split()) for one in librivox())


def clock(seconds: float) -> str:
    """Write a time as SubRip does."""
    return f"00:{int(seconds) // 60:02}:{seconds % 60:06.3f}".replace(".", ",")


@pytest.mark.parametrize("form", ["csv", "jsonl", "srt"])
def test_rows_with_times_keep_them(reading, tmp_path, form):
    source, bounds = reading
    rows = [
        {"start": start / 1000, "end": end / 1000, "speaker": "A", "text": utterance.text}
        for utterance, (start, end) in zip(librivox()[:2], bounds, strict=False)
    ]
    if form == "srt":
        content = "\n\n".join(
            f"{clock(row['start'])} --> {clock(row['end'])}\nA: {row['text']}" for row in rows
        )
    elif form == "csv":
        content = "start;end;speaker;text\n" + "".join(
            f"{row['start']};{row['end']};A;{row['text']}\n" for row in rows
        )
    else:
        content = "\n".join(json.dumps(row) for row in rows)
    output = aligned(source, tmp_path, f"reading.{form}", content)
    assert [segment["speaker"] for segment in output["segments"]] == ["A", "A"]
    assert all(word["timed"] for word in words(output))
    for segment, (start, end) in zip(output["segments"], bounds, strict=False):
        first, last = segment["words"][0], segment["words"][-1]
        assert start - 150 <= segment["start_ms"] == max(start - 150, first["start_ms"] - 150)
        assert end + 150 >= segment["end_ms"] >= last["end_ms"]
        assert segment["end_ms"] <= last["end_ms"] + 150
    # What the transcript leaves out is named, so that nobody takes it for checked.
    assert output["untranscribed"][0][0] >= bounds[1][1] - 300
    assert output["untranscribed"][-1][1] >= bounds[4][1] - 700


def test_whole_numbers_past_the_end_are_milliseconds(reading, tmp_path):
    source, bounds = reading
    start, end = bounds[1]
    content = f"start,end,text\n{start},{end},{librivox()[1].text}\n"
    output = aligned(source, tmp_path, "reading.csv", content)
    assert abs(output["segments"][0]["start_ms"] - start) <= 150


def test_a_row_that_says_something_else_gets_no_word_times(reading, tmp_path):
    source, bounds = reading
    start, end = (time / 1000 for time in bounds[0])
    content = f"start,end,text\n{start},{end},the market opens every tuesday behind the old mill\n"
    output = aligned(source, tmp_path, "reading.csv", content)
    assert not any(word["timed"] for word in words(output))
    assert abs(output["segments"][0]["start_ms"] - bounds[0][0]) <= 150
    # What is said there instead waits for a person.
    assert output["untranscribed"][0][0] <= bounds[0][0] + 300


def test_a_number_that_a_row_with_times_leaves_out_is_no_word_of_it(tmp_path):
    parts = ("please call me at home on", "seven four one two two nine", "before ten tonight")
    sounded = [spoken(part) for part in parts]
    source = sounds.write(tmp_path / "a.wav", np.concatenate([hush(GAP), *sounded, hush(GAP)]))
    edges = np.cumsum([GAP, *(len(part) / RATE for part in sounded)])
    content = f"start,end,text\n{edges[0]:.2f},{edges[3]:.2f},{parts[0]} {parts[2]}\n"
    output = aligned(source, tmp_path, "a.csv", content)
    first, last = (int(edge * 1000) for edge in edges[1:3])
    assert all(
        word["end_ms"] <= first + 100 or word["start_ms"] >= last - 300
        for word in words(output)
        if word["timed"]
    )
    # espeak's reading ends in a third of a second of silence.
    assert any(start <= first + 100 and end >= last - 400 for start, end in output["untranscribed"])


def test_a_transcript_of_another_recording_is_refused_with_advice(tmp_path):
    source = sounds.write(tmp_path / "a.wav", librivox()[0].audio)
    other = "the market opens every tuesday behind the old mill where farmers sell their maize"
    with pytest.raises(RefusedError, match=r"give it with times") as caught:
        aligned(source, tmp_path, "a.txt", other)
    assert caught.value.reason == "unplaced"


def test_a_sentence_that_nobody_said_is_left_without_times(tmp_path):
    first, second, third = librivox()[1], librivox()[2], librivox()[4]
    sound = np.concatenate(
        [hush(GAP), first.audio, hush(GAP), second.audio, hush(GAP), third.audio, hush(GAP)]
    )
    source = sounds.write(tmp_path / "a.wav", sound)
    ghost = "next tuesday the farmers market moves behind the yellow church"
    lines = [first.text, ghost, second.text, third.text]
    output = aligned(source, tmp_path, "a.txt", "\n".join(lines))
    said = [word["timed"] for word in words(output)]
    start = len(first.text.split())
    stop = start + len(ghost.split())
    assert sum(said[start:stop]) <= 3
    assert sum(said[:start] + said[stop:]) >= 0.85 * (len(said) - (stop - start))


@pytest.mark.parametrize(
    ("voice", "language", "text"),
    [
        ("sw", "swh-KE", "Bibi yangu alipanda miti hii kabla ya barabara kujengwa mwaka 1984"),
        ("es", "es", "Por favor llame a la emisora si ha visto las 12 cabras perdidas"),
        ("de", "de-AT", "Meine Großmutter hat diese Bäume vor 30 Jahren gepflanzt"),
    ],
)
def test_other_languages_are_placed_by_their_letters(tmp_path, voice, language, text):
    sound = np.concatenate([hush(GAP), spoken(text, voice=voice), hush(GAP)])
    source = sounds.write(tmp_path / "a.wav", sound)
    output = aligned(source, tmp_path, "a.txt", text, language=language)
    starts = [word["start_ms"] for word in words(output)]
    assert all(word["timed"] for word in words(output))
    assert starts == sorted(starts)
    assert starts[0] < 900
    assert words(output)[-1]["end_ms"] > len(sound) * 1000 // RATE - 1500


def test_a_script_without_rules_falls_back_to_the_rows_times(tmp_path):
    source = sounds.write(tmp_path / "a.wav", np.concatenate([librivox()[1].audio, hush(GAP)]))
    output = aligned(source, tmp_path, "a.csv", "start,end,text\n0,2.9,你好世界\n", language="zh")
    segment = output["segments"][0]
    assert (segment["start_ms"], segment["text"]) == (0, "你好世界")
    assert not any(word["timed"] for word in segment["words"])
    with pytest.raises(RefusedError, match=r"can't be read out"):
        aligned(source, tmp_path, "a.txt", "你好世界", language="zh")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("start,end,text\n0,99,hello\n", "line 2: it ends at 99,000 ms"),
        ("start,end,text\n2,1,hello\n", "its end is not after its start"),
        ("start,end,text\nsoon,1,hello\n", "start must be seconds"),
        ("start,text\n1,hello\n", "give both or neither"),
        ("start,end,text\n0,1,hello\n,,there\n", "not for line 3"),
        ("begin,words\n0,hello\n", "one of them must be text"),
        ('start,end,text\n0,1,"hello\n', "not CSV"),
    ],
)
def test_a_bad_row_is_named(tmp_path, content, said):
    source = sounds.write(tmp_path / "a.wav", librivox()[1].audio)
    with pytest.raises(RefusedError, match=said) as caught:
        aligned(source, tmp_path, "a.csv", content)
    assert caught.value.reason == "bad-row"


def test_without_a_transcript_english_is_heard_as_a_draft(tmp_path):
    source = sounds.write(tmp_path / "a.wav", librivox()[0].audio)
    output = sounds.chain(source, tmp_path, "decode", "vad", "text", language="en")["text"].output
    assert (output["method"], output["grade"]) == ("transcribed", "draft")
    assert "how much there might be" in output["segments"][0]["text"]


def test_a_text_document_is_read_row_by_row(tmp_path):
    source = tmp_path / "stories.txt"
    source.write_text(
        "A hard\nwrapped paragraph.\n\nAnother one,\nwith an end.\n", encoding="utf-8"
    )
    output = sounds.chain(source, tmp_path, "text", language="en")["text"].output
    assert output["method"] == "read"
    texts = [segment["text"] for segment in output["segments"]]
    assert texts == ["A hard wrapped paragraph.", "Another one, with an end."]
    assert output["segments"][0]["start_ms"] is None
    assert not any(word["timed"] for word in words(output))


def test_a_documents_other_columns_reach_nobody(tmp_path):
    source = tmp_path / "stories.jsonl"
    source.write_text('{"text": "A story.", "author": "Jane Doe", "speaker": "S1"}\n')
    output = sounds.chain(source, tmp_path, "text", language="en")["text"].output
    assert "Jane" not in json.dumps(output)
    assert output["segments"][0]["speaker"] == "S1"


@pytest.mark.parametrize(("form", "head"), [("srt", "1\n"), ("vtt", "WEBVTT\n\n")])
def test_names_in_subtitles_without_a_recording_stay_out_of_their_text(tmp_path, form, head):
    source = tmp_path / f"stories.{form}"
    source.write_text(f"{head}00:00:01.000 --> 00:00:03.000\nAna Kato: Good morning.\n")
    output = sounds.chain(source, tmp_path, "text", language="en")["text"].output
    told = [(segment["speaker"], segment["text"]) for segment in output["segments"]]
    assert told == [("Ana Kato", "Good morning.")]
