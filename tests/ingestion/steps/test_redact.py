"""What must not be heard is replaced, and not one sample more."""

import itertools

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.contract import InvalidJobError, RefusedError
from ingestion.pipeline.steps import covering
from ingestion.pipeline.steps.bars import Bar
from tests.ingestion.steps import sounds

# 5 ms at each end of a bar, in which the programme goes over into the tone and back.
FADE_MS = 5
# The noise of the samples has -10.8 dBFS, and no tone is louder than -12.
TONE_PEAK = 10 ** (-12 / 20) * 2**0.5
CALL = "call me on nine two six five tonight"
# The figures are said between 1000 and 1800 ms.
CALL_TIMES = [
    (500, 700), (700, 800), (800, 950), (1000, 1200), (1200, 1400), (1400, 1600), (1600, 1800),
    (1900, 2300),
]  # fmt: skip
FIGURES = {"segment": 0, "kind": "phone", "start_char": 11, "end_char": 28}


def call(start_ms=400, end_ms=2400):
    return sounds.segment(CALL, CALL_TIMES, start_ms=start_ms, end_ms=end_ms)


def pair():
    """Two segments that touch at 1000 ms; the first's last word ends there."""
    return [
        sounds.segment("my number is", [(100, 300), (300, 600), (600, 1000)],
                       start_ms=0, end_ms=1000),
        sounds.segment("seven thanks", [(1100, 1500), (1600, 1900)], start_ms=1000, end_ms=2000),
    ]  # fmt: skip


@pytest.fixture
def redact(tmp_path):
    """Redact a recording; give the step's output and its clips' samples (32 bit)."""

    def run(source, segments, decisions, **parameters):
        parameters = {"segments": segments, "decisions": decisions} | parameters
        result = sounds.chain(source, tmp_path, "decode", "redact",
                              parameters={"redact": parameters})["redact"]  # fmt: skip
        clips = [
            soundfile.read(tmp_path / "redact" / file, dtype="int32", always_2d=True)[0]
            for file in result.files
        ]
        return result.output, clips

    return run


@pytest.fixture
def hiss(tmp_path):
    """Three seconds of noise."""
    return sounds.write(tmp_path / "hiss.wav", sounds.noise(seconds=3))


@pytest.mark.parametrize("method", ["tone", "silence"])
@pytest.mark.parametrize("depth", list(itertools.product([16, 24], [1, 2])))
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_samples_outside_the_bar_are_the_sources_bit_by_bit(
    redact, tmp_path, suffix, depth, method
):
    rate, (bits, channels) = 22_050, depth
    source = sounds.write(
        tmp_path / f"hiss.{suffix}",
        sounds.noise(seconds=3, rate=rate, channels=channels),
        rate=rate,
        bits=bits,
    )
    output, (clip,) = redact(source, [call()], [FIGURES], pad_ms=100, method=method)
    assert output["clips"][0]["bars"] == [[500, 1500, "phone"]]
    original, _ = soundfile.read(source, dtype="int32", always_2d=True)
    expected = original[400 * rate // 1000 : 2400 * rate // 1000]
    assert clip.shape == expected.shape
    first, last = (900 - 400) * rate // 1000, -(-(1900 - 400) * rate // 1000)
    assert (clip[:first] == expected[:first]).all()
    assert (clip[last:] == expected[last:]).all()
    fade = FADE_MS * rate // 1000
    inside = clip[first + fade : last - fade] / 2**31
    if method == "silence":
        assert not inside.any()
        return
    for channel in inside.T:
        assert abs(sounds.strongest_hz(channel, rate) - 1000) < 5
        assert abs(np.abs(channel).max() - TONE_PEAK) < 0.001
        before = expected[first + fade : last - fade, 0] / 2**31
        assert abs(np.corrcoef(channel, before)[0, 1]) < 0.05


@pytest.mark.parametrize("name", ["voice.mp3", "voice.opus", "voice.ogg", "voice.m4a"])
def test_a_lossy_recording_keeps_its_rate_and_its_decoded_samples(redact, tmp_path, name):
    source = tmp_path / name
    source.write_bytes(sounds.sample(name))
    segment = sounds.segment("a b", [(200, 400), (600, 900)], start_ms=100, end_ms=1300)
    decision = {"segment": 0, "kind": "email", "start_char": 2, "end_char": 3}
    _, (clip,) = redact(source, [segment], [decision], pad_ms=0)
    rate = 48_000 if name == "voice.opus" else 16_000
    heard = sounds.samples_of(source, name)[100 * rate // 1000 : 1050 * rate // 1000]
    assert clip.shape == heard.shape
    first, last = 500 * rate // 1000, 800 * rate // 1000
    assert (clip[:first] == heard[:first]).all()
    assert (clip[last:] == heard[last:]).all()
    assert abs(sounds.strongest_hz(clip[first:last, 0].astype(float), rate) - 1000) < 5


def test_text_and_sound_are_redacted_by_the_same_decision(redact, hiss):
    later = sounds.segment("that is all", [(2500, 2600), (2600, 2700), (2700, 2900)],
                           start_ms=2450, end_ms=2950)  # fmt: skip
    output, clips = redact(hiss, [call(), later], [FIGURES])
    first, second = output["clips"]
    assert first["text"] == "call me on [PHONE] tonight"
    assert first["bars"] == [[400, 1600, "phone"]]
    assert (second["text"], second["bars"]) == ("that is all", [])
    for clip, samples in zip(output["clips"], clips, strict=True):
        assert len(samples) == (clip["end_ms"] - clip["start_ms"]) * 16


def test_nothing_decided_changes_nothing(redact, hiss):
    output, (clip,) = redact(hiss, [call()], [])
    assert output["clips"][0]["text"] == CALL
    original, _ = soundfile.read(hiss, dtype="int32", always_2d=True)
    assert (clip == original[6400:38_400]).all()


def test_decisions_that_overlap_become_one_bar_and_one_label(redact, hiss):
    wider = {"segment": 0, "kind": "id-number", "start_char": 20, "end_char": 36}
    output, _ = redact(hiss, [call()], [FIGURES, wider], pad_ms=50)
    (clip,) = output["clips"]
    assert clip["text"] == "call me on [PHONE]"
    # In the text the first is longer, in time the second: the text decides for both.
    assert clip["bars"] == [[550, 1950, "phone"]]


def test_bars_that_touch_through_their_pads_become_one(redact, hiss):
    decisions = [
        {"segment": 0, "kind": "phone", "start_char": 11, "end_char": 15},
        {"segment": 0, "kind": "phone", "start_char": 24, "end_char": 28},
    ]
    output, _ = redact(hiss, [call()], decisions, pad_ms=200)
    assert output["clips"][0]["text"] == "call me on [PHONE] two six [PHONE] tonight"
    assert output["clips"][0]["bars"] == [[400, 1600, "phone"]]


def test_a_clip_is_cut_to_its_words(redact, hiss):
    early = sounds.segment("one two", [(800, 900), (900, 1000)], start_ms=0, end_ms=1400)
    late = sounds.segment("and three", [None, (1800, 2000)], start_ms=1500, end_ms=2900)
    output, clips = redact(hiss, [early, late], [])
    # Where the first word has no time of its own, it may be said anywhere before the next.
    assert [(clip["start_ms"], clip["end_ms"]) for clip in output["clips"]] == [
        (650, 1150),
        (1500, 2150),
    ]
    assert [len(samples) for samples in clips] == [500 * 16, 650 * 16]


def test_speech_that_nobody_wrote_down_is_in_no_clip(redact, hiss):
    output, (clip,) = redact(
        hiss, [call()], [FIGURES], unwritten=[[1950, 2100], [2600, 2900]], method="silence"
    )
    (found,) = output["clips"]
    # The bars meet, and the one over what was found names them.
    assert found["bars"] == [[400, 1900, "phone"]]
    assert found["text"] == "call me on [PHONE] tonight"
    assert not clip[(400 + FADE_MS) * 16 : (1900 - FADE_MS) * 16].any()
    output, (clip,) = redact(hiss, [call()], [], unwritten=[[1950, 2100]], method="silence")
    (found,) = output["clips"]
    assert found["bars"] == [[1350, 1900, "unwritten"]]
    assert found["text"] == CALL


def test_a_bar_does_not_click(redact, tmp_path):
    rate = 16_000
    source = sounds.write(tmp_path / "loud.wav", sounds.tone(seconds=3, hz=100, peak=0.9))
    for method in ("tone", "silence"):
        _, (clip,) = redact(source, [call()], [FIGURES], method=method)
        own = 0.9 * 2 * np.pi * 100 / rate
        beep = TONE_PEAK * 2 * np.pi * 1000 / rate if method == "tone" else 0
        # Over a fade of 5 ms the programme loses at most its peak times the cosine's slope.
        fade = np.pi / 2 * 0.9 / (FADE_MS * rate / 1000)
        assert np.abs(np.diff(clip[:, 0] / 2**31)).max() <= own + beep + 2 * fade


def test_nothing_of_what_was_found_is_in_a_fade(redact, hiss):
    _, (clip,) = redact(hiss, [call()], [FIGURES], pad_ms=3, method="silence")
    assert not clip[600 * 16 : 1400 * 16].any()
    _, (clip,) = redact(hiss, [call()], [FIGURES], pad_ms=0, method="silence")
    assert not clip[600 * 16 : 1400 * 16].any()


@pytest.mark.parametrize(("peak", "rms_db"), [(0.02, -37.0), (0.2, -17.0), (0.0004, -40.0)])
def test_a_tone_is_as_loud_as_what_is_around_it(redact, tmp_path, peak, rms_db):
    source = sounds.write(tmp_path / "bed.wav", sounds.tone(seconds=3, hz=300, peak=peak))
    _, (clip,) = redact(source, [call()], [FIGURES])
    inside = clip[(400 + FADE_MS) * 16 : (1600 - FADE_MS) * 16, 0] / 2**31
    assert abs(20 * np.log10(np.sqrt((inside**2).mean())) - rms_db) < 0.2


def test_a_number_that_could_not_be_placed_is_silenced_where_it_may_have_been_said(redact, hiss):
    before = sounds.segment(
        "how are you", [(0, 300), (300, 500), (500, 700)], start_ms=0, end_ms=1200
    )
    lost = sounds.segment("call 555 0126", [None] * 3, start_ms=1200, end_ms=1300)
    more = sounds.segment("after six", [None] * 2, start_ms=1300, end_ms=1400)
    after = sounds.segment("thank you", [(1900, 2100), (2100, 2400)], start_ms=1400, end_ms=2600)
    decision = {"segment": 1, "kind": "phone", "start_char": 5, "end_char": 13}
    rows = [before, lost, more, after]
    output, _ = redact(hiss, rows, [decision], method="silence", pad_ms=0)
    assert [clip["bars"] for clip in output["clips"]] == [
        [[700, 850, "phone"]],
        [[0, 100, "phone"]],
        [[0, 100, "phone"]],
        [[0, 150, "phone"]],
    ]


def test_a_word_without_a_time_silences_its_whole_segment(redact, hiss):
    times = [*CALL_TIMES[:4], None, *CALL_TIMES[5:]]
    segment = sounds.segment(CALL, times, start_ms=400, end_ms=2400)
    output, (clip,) = redact(hiss, [segment], [FIGURES], method="silence", pad_ms=0)
    assert output["clips"][0]["bars"] == [[0, 2000, "phone"]]
    assert output["clips"][0]["text"] == "call me on [PHONE] tonight"
    assert not clip.any()


def test_a_bar_across_the_border_of_two_clips_silences_both(redact, hiss):
    decision = {"segment": 0, "kind": "phone", "start_char": 10, "end_char": 12}
    output, (first, second) = redact(hiss, pair(), [decision], pad_ms=200, method="silence")
    assert [clip["bars"] for clip in output["clips"]] == [
        [[400, 1000, "phone"]],
        [[0, 200, "phone"]],
    ]
    assert not first[(400 + FADE_MS) * 16 :].any()
    assert first[: 400 * 16].any(axis=1).mean() > 0.99
    assert not second[: (200 - FADE_MS) * 16].any()
    assert second[200 * 16 :].any(axis=1).mean() > 0.99


def test_a_tone_runs_on_over_the_border_without_a_jump(redact, hiss):
    decision = {"segment": 0, "kind": "phone", "start_char": 10, "end_char": 12}
    _, (first, second) = redact(hiss, pair(), [decision], pad_ms=200)
    edge = FADE_MS * 16
    joined = np.concatenate([first[400 * 16 + edge :], second[: 200 * 16 - edge]])[:, 0] / 2**31
    step = 2 * np.pi * 1000 / 16_000 * TONE_PEAK
    assert np.abs(np.diff(joined)).max() <= step * 1.01


def test_a_segment_left_out_still_silences_what_overlaps_it(redact, hiss):
    decision = {"segment": 0, "kind": "phone", "start_char": 10, "end_char": 12}
    output, clips = redact(hiss, pair(), [decision], excluded=[0])
    (clip,) = output["clips"]
    assert (clip["segment"], clip["file"]) == (1, "clips/0001.flac")
    assert clip["bars"] == [[0, 200, "phone"]]
    assert len(clips) == 1


def test_overlapping_speakers_are_both_silenced(redact, hiss):
    other = sounds.segment("ah yes", [(1100, 1300), (1300, 1500)], start_ms=1050, end_ms=1700)
    output, (_, second) = redact(hiss, [call(), other], [FIGURES], pad_ms=0, method="silence")
    assert output["clips"][1]["bars"] == [[0, 600, "phone"]]
    assert not second.any()


def test_pads_end_where_the_recording_ends(redact, hiss):
    segments = [
        sounds.segment("one", [(50, 300)], start_ms=0, end_ms=400),
        sounds.segment("two", [(2700, 2950)], start_ms=2600, end_ms=3000),
    ]
    decisions = [
        {"segment": index, "kind": "phone", "start_char": 0, "end_char": 3} for index in (0, 1)
    ]
    output, clips = redact(hiss, segments, decisions, pad_ms=5000)
    assert [clip["bars"] for clip in output["clips"]] == [[[0, 400, "phone"]]] * 2
    assert [len(clip) for clip in clips] == [6400, 6400]


def test_a_recording_may_be_left_out_whole(redact, hiss):
    output, clips = redact(hiss, [call()], [], excluded=[0])
    assert (output["clips"], clips) == ([], [])


def test_rows_of_a_text_document_are_redacted_without_sound(tmp_path):
    source = tmp_path / "talk.txt"
    source.write_text("irrelevant")
    rows = [
        {"text": text, "words": [], "start_ms": None, "end_ms": None, "speaker": None}
        for text in ("write to a@b.ke now", "leave me out", "bye")
    ]
    decisions = [{"segment": 0, "kind": "email", "start_char": 9, "end_char": 15}]
    parameters = {"segments": rows, "decisions": decisions, "excluded": [1]}
    done = sounds.chain(source, tmp_path, "redact", parameters={"redact": parameters})["redact"]
    assert done.files == ()
    assert [(clip["segment"], clip["text"]) for clip in done.output["clips"]] == [
        (0, "write to [EMAIL] now"),
        (2, "bye"),
    ]


@pytest.mark.parametrize(
    "parameters",
    [{"method": "mumble"}, {"decisions": [FIGURES | {"segment": 1}]},
     {"decisions": [FIGURES | {"segment": -1}]}],
)  # fmt: skip
def test_a_decision_that_fits_no_segment_is_the_callers_mistake(redact, hiss, parameters):
    with pytest.raises(InvalidJobError):
        redact(hiss, [call()], parameters.pop("decisions", []), **parameters)


def test_a_segment_behind_the_recordings_end_is_refused(redact, hiss):
    late = sounds.segment("hello", [(9000, 9500)], start_ms=9000, end_ms=9500)
    with pytest.raises(RefusedError, match=r"«hiss\.wav» ends before its last segment"):
        redact(hiss, [late], [])


@given(cuts=st.lists(st.integers(1, 24_000), max_size=12))
def test_the_same_bars_are_drawn_however_the_sound_comes_in_blocks(cuts):
    rate, bars = 8000, [Bar(300, 900, "phone"), Bar(1500, 2000, "unwritten")]
    sound = (sounds.noise(seconds=3, rate=rate) * 2**31).astype(np.int32)

    def barred(edges):
        loudness = covering.Loudness(rate=rate)
        blocks = np.split(sound, sorted(set(edges)))
        for block in blocks:
            loudness.feed(block)
        laid = covering.covers(bars, rate=rate, pad_ms=200, duration_ms=3000, loudness=loudness)
        position, parts = 0, []
        for block in blocks:
            parts.append(covering.covered(block, position, laid, rate))
            position += len(block)
        return np.concatenate(parts)

    assert (barred(cuts) == barred([])).all()
