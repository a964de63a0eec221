"""What a file is, told from its bytes before anything decodes it."""

import itertools
import json
import struct

import pytest

from ingestion.archive.formats import media
from ingestion.pipeline.contract import RefusedError
from tests.ingestion.steps import sounds

AUDIO = tuple(sounds.RECIPES)
CONTAINERS = {
    "voice.wav": "wav",
    "voice.flac": "flac",
    "voice.mp3": "mp3",
    "voice.ogg": "ogg",
    "voice.opus": "ogg",
    "voice.m4a": "m4a",
}
ONE_SECOND = bytes(2 * sounds.RATE)


@pytest.fixture
def sniff(tmp_path):
    """Judge bytes that are stored under a name that says nothing."""

    def judge(data: bytes, name: str) -> media.MediaInfo:
        path = tmp_path / "e3b0c44298fc"
        path.write_bytes(data)
        return media.sniff(path, name)

    return judge


@pytest.fixture
def refusal(sniff):
    """Judge bytes that must be refused by a message that names the file."""

    def judge(data: bytes, name: str) -> RefusedError:
        with pytest.raises(RefusedError) as caught:
            sniff(data, name)
        assert f"«{name}»" in caught.value.message
        return caught.value

    return judge


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("voice.wav", "pcm"),
        ("voice.flac", "flac"),
        ("voice.mp3", "mp3"),
        ("voice.ogg", "vorbis"),
        ("voice.opus", "opus"),
        ("voice.m4a", "mp4a"),
    ],
)
def test_each_format_is_told_from_its_bytes(sniff, name, codec):
    seen = sniff(sounds.sample(name), name)
    assert (seen.kind, seen.container, seen.codec) == ("audio", CONTAINERS[name], codec)
    assert seen.media_type == media.MEDIA_TYPES[CONTAINERS[name]]
    if name != "voice.m4a":
        assert seen.channels == 1
        assert seen.sample_rate == (48_000 if name == "voice.opus" else sounds.RATE)


@pytest.mark.parametrize("name", [name for name in AUDIO if name != "voice.mp3"])
@pytest.mark.parametrize("seconds", [0.7, 3.21])
def test_the_duration_stands_in_the_header(sniff, name, seconds):
    seen = sniff(sounds.sample(name, seconds=seconds), name)
    assert abs(seen.duration_ms - 1000 * seconds) <= 60


@pytest.mark.parametrize(
    ("real", "claimed"),
    [
        pair
        for pair in itertools.product(AUDIO, (*AUDIO, "talk.txt", "talk.jsonl", "talk.csv"))
        if CONTAINERS[pair[0]] != CONTAINERS.get(pair[1])
    ],
)
def test_a_recording_of_another_format_than_its_name_says_is_refused(refusal, real, claimed):
    refused = refusal(sounds.sample(real), claimed)
    assert refused.reason == "wrong-type"
    assert media.NAMES[CONTAINERS[real]] in refused.message


@pytest.mark.parametrize("name", [*AUDIO, "talk.txt", "talk.jsonl", "talk.csv"])
def test_an_empty_file_is_refused(refusal, name):
    assert refusal(b"", name).reason == "empty"


@pytest.mark.parametrize("name", ["voice.exe", "voice", "voice.wav.zip", "../../etc/passwd"])
def test_a_name_without_a_known_ending_is_refused(refusal, name):
    assert refusal(sounds.sample(), name).reason == "unsupported-type"


@pytest.mark.parametrize("name", ["voice.wav", "voice.mp3", "voice.ogg", "voice.opus", "voice.m4a"])
@pytest.mark.parametrize("permille", [500, 900, 999])
def test_a_cut_off_recording_is_refused(refusal, name, permille):
    whole = sounds.sample(name)
    assert refusal(whole[: len(whole) * permille // 1000], name).reason == "truncated"


@pytest.mark.parametrize("name", AUDIO)
@pytest.mark.parametrize("size", [1, 3, 12, 30, 43])
def test_the_first_bytes_alone_are_no_recording(refusal, name, size):
    refused = refusal(sounds.sample(name)[:size], name)
    assert refused.reason in {"truncated", "wrong-type", "bad-header"}


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"channels": 0}, "bad-header"),
        ({"rate": 0}, "bad-header"),
        ({"rate": 4_000_000_000}, "bad-header"),
        ({"channels": 65_535}, "too-many-channels"),
        ({"channels": 9}, "too-many-channels"),
        ({"declared": 4 * len(ONE_SECOND)}, "truncated"),
        ({"declared": 0xFFFFFF00}, "truncated"),
        ({"declared": 0}, "empty"),
        ({"tag": 0x0055}, "unsupported-codec"),
        ({"form": b"RF64", "declared": 0xFFFFFFFF}, "bad-header"),
        ({"form": b"RF64", "declared": 0xFFFFFFFF, "ds64": 2**40}, "truncated"),
        ({"form": b"RF64", "declared": 0xFFFFFFFF, "ds64": 2**64 - 73}, "truncated"),
        ({"form": b"RF64", "declared": 0xFFFFFFFF, "ds64": 0}, "empty"),
    ],
)
def test_a_wav_header_that_lies_is_refused(refusal, lie, reason):
    data = sounds.wav(bytes(64) if lie.get("channels", 1) > 8 else ONE_SECOND, **lie)
    # The block size of 65,535 channels does not fit its field: any refusal of it will do.
    expected = {reason, "bad-header"} if lie.get("channels") == 65_535 else {reason}
    assert refusal(data, "market.wav").reason in expected


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"declared": 0xFFFFFFFF},
        {"form": b"RF64", "declared": 0xFFFFFFFF, "ds64": len(ONE_SECOND)},
        {"form": b"BW64", "declared": 0xFFFFFFFF, "ds64": len(ONE_SECOND)},
    ],
    ids=["plain", "from a pipe", "RF64", "BW64"],
)
def test_honest_lengths_of_every_kind_are_taken(sniff, header):
    assert sniff(sounds.wav(ONE_SECOND, **header), "market.wav").duration_ms == 1000


def test_a_wav_whose_sound_or_format_is_missing_is_refused(refusal):
    whole = sounds.wav(ONE_SECOND)
    start = b"RIFF" + struct.pack("<I", 4) + b"WAVE"
    assert refusal(start, "market.wav").reason == "bad-header"
    assert refusal(whole[:36], "market.wav").reason == "truncated"
    assert refusal(start + whole[36:], "market.wav").reason == "bad-header"


def test_a_flac_whose_metadata_never_ends_is_refused(refusal):
    whole = sounds.sample("voice.flac")
    endless = whole[:4] + b"\x00" + whole[5:42] + b"\x01\xff\xff\xff"
    assert refusal(endless, "market.flac").reason == "truncated"


def test_video_in_m4a_is_refused(refusal, tmp_path):
    film = tmp_path / "film.mp4"
    sounds.ffmpeg(
        "-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5",
        "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "mpeg4", "-c:a", "aac", film,
    )  # fmt: skip
    assert refusal(film.read_bytes(), "holiday.m4a").reason == "video"


def test_video_in_ogg_is_refused(refusal):
    film = sounds.sample("voice.opus").replace(b"OpusHead", b"\x80theora\x03", 1)
    assert refusal(film, "holiday.ogg").reason == "video"


def test_two_tracks_in_one_m4a_are_refused(refusal, tmp_path):
    both = tmp_path / "both.m4a"
    sounds.ffmpeg(
        "-f", "lavfi", "-i", "sine=duration=1", "-map", "0:a", "-map", "0:a", "-c:a", "aac", both
    )
    assert refusal(both.read_bytes(), "both.m4a").reason == "several-tracks"


STRANGERS = {
    "a ZIP archive": b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(range(200)),
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
    "a gzip archive": b"\x1f\x8b\x08\x00" + bytes(60),
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "a program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "an HTML page": b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>\n",
    "an SVG picture": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\n',
}


@pytest.mark.parametrize("name", ["talk.wav", "talk.mp3", "talk.txt", "talk.csv", "talk.jsonl"])
@pytest.mark.parametrize("words", STRANGERS)
def test_what_people_upload_by_mistake_is_named_and_refused(refusal, name, words):
    refused = refusal(STRANGERS[words], name)
    assert refused.reason == "wrong-type"
    assert words in refused.message


def test_a_page_is_told_after_a_byte_order_mark_and_blank_lines(refusal):
    page = b"\xef\xbb\xbf\n  <HTML lang=sw>\n<body>Karibu</body></html>\n"
    assert "an HTML page" in refusal(page, "talk.txt").message


@pytest.mark.parametrize(
    "text",
    [
        b"ID3 is what music players call their labels.\n",
        b"FORM follows function.\n",
        b"<laughs> well, <unk> what did he say?\n",
    ],
)
def test_a_text_that_only_looks_like_something_else_is_taken(sniff, text):
    assert sniff(text, "talk.txt").container == "txt"


@pytest.mark.parametrize("name", ["talk.txt", "talk.csv", "talk.jsonl"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"text\n\xff\xfe broken \xc3\n", "not-utf8"),
        (b"text\ncaf\xe9\n", "not-utf8"),
        (b"text\n\xed\xa0\x80\n", "not-utf8"),
        ("text\nhabari\n".encode("utf-16"), "not-utf8"),
        (b"text\nhello\x00world\n", "not-text"),
        (b"text\n\x1b[2Jhello\n", "not-text"),
        (b"text\n" + b"a" * 2_000_000, "line-too-long"),
        (b" \n\n \n", "empty"),
    ],
    ids=["latin", "é", "surrogate", "UTF-16", "NUL", "escape", "line", "blank"],
)
def test_a_text_file_that_is_no_text_is_refused(refusal, name, data, reason):
    if name == "talk.jsonl" and data.startswith(b"text"):
        data = data.removeprefix(b"text\n")
    expected = {reason, "bad-row"} if reason == "empty" and name == "talk.csv" else {reason}
    assert refusal(data, name).reason in expected


def test_a_tower_of_brackets_is_refused_before_it_is_parsed(refusal):
    tower = b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    assert refusal(tower, "talk.jsonl").reason == "nested-too-deep"
    unclosed = b'{"text": ' * 50_000
    assert refusal(unclosed, "talk.jsonl").reason == "nested-too-deep"


@pytest.mark.parametrize(
    "row",
    [
        b"{",
        b"[]",
        b'"text"',
        b'{"text": 7}',
        b'{"words": "a"}',
        b'{"text": "a", "start": NaN, "end": 2}',
        b'{"text": "a", "start": true, "end": 2}',
        b'{"text": "a", "start": -1, "end": 2}',
        b'{"text": "a", "start": 2, "end": 1}',
        b'{"text": "a", "start": 2}',
        b'{"text": "a", "start": ' + b"9" * 100_000 + b', "end": 1}',
        b'{"text": "a", "start": "1e999999999", "end": "2"}',
        b'{"text": "half \\ud83d of it"}',
        b'{"text": "a\\u0000b"}',
    ],
    ids=lambda row: row[:40].decode(),
)
def test_a_row_that_says_nothing_sensible_is_refused_with_its_line(refusal, row):
    refused = refusal(b'{"text": "fine"}\n' + row + b"\n", "talk.jsonl")
    assert refused.reason == "bad-row"
    assert "line 2" in refused.message


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("talk.txt", "Habari za asubuhi?\r\nNzuri sana, mtoto 👧🏾 wangu.\n"),
        ("talk.jsonl", json.dumps({"text": "ñandú", "start_ms": 0, "end_ms": 900})),
        ("talk.csv", 'start;end;text\n0:00:01.5;0:00:02,25;"uno; dos"\n'),
        ("talk.csv", "\ufeffTEXT\tspeaker\nkaribu\tAmina\n"),
    ],
)
def test_texts_as_people_write_them_are_taken(sniff, name, data):
    seen = sniff(data.encode(), name)
    assert (seen.kind, seen.codec) == ("text", "utf-8")
