"""Figures about what leaves, from sounds whose figures are known."""

import numpy as np
import pytest
from commonhold import canonical

from tests import walks
from tests.ingestion.steps import sounds

STEPS = ("decode", "vad", "text", "detect", "redact", "strip", "quality")


@pytest.fixture
def measure(tmp_path):
    """Measure a recording that is one segment, of which these windows are speech."""

    def run(samples, *, windows, bars=(), rate=sounds.RATE):
        source = sounds.write(tmp_path / "sound.wav", samples, rate=rate)
        length = len(samples) * 1000 // rate
        segment = sounds.segment(
            "one two three", [(0, 200), None, (300, length)], start_ms=0, end_ms=length
        )
        parameters = {"redact": {"segments": [segment]}, "quality": {"segments": [segment]}}
        steps = ("decode", "vad", "redact", "strip")
        done = sounds.chain(source, tmp_path, *steps, parameters=parameters)
        done["vad"].output["windows"] = windows
        done["redact"].output["clips"][0]["bars"] = [[*bar, "phone"] for bar in bars]
        return sounds.chain(
            source, tmp_path, "quality", parameters=parameters, earlier=done
        )["quality"].output  # fmt: skip

    return run


def test_a_tone_of_half_scale_has_its_known_level(measure):
    output = measure(sounds.tone(seconds=2), windows=[])
    assert (output["peak_dbfs"], output["rms_dbfs"]) == (-6, -9)
    assert output["clipped_permille"] == 0
    assert output["duration_ms"] == output["clips_ms"] == 2000
    assert (output["words"], output["words_timed"]) == (3, 2)
    (waveform,) = output["waveforms"].values()
    assert set(waveform[1:-1]) <= {99, 100}


def test_silence_lies_on_the_floor(measure):
    output = measure(np.zeros(16_000), windows=[])
    assert (output["peak_dbfs"], output["rms_dbfs"], output["snr_db"]) == (-120, -120, None)


@pytest.mark.parametrize(
    ("speech", "rest", "expected"), [(0.5, 0.005, 40), (0.05, 0.05, 0), (0.02, 0.2, -20)]
)
def test_the_ratio_compares_speech_with_everything_else(measure, speech, rest, expected):
    samples = np.concatenate(
        [sounds.tone(seconds=1, peak=rest), sounds.tone(seconds=1, peak=speech)]
    )
    assert abs(measure(samples, windows=[[1000, 2000]])["snr_db"] - expected) <= 1


def test_the_ratio_is_unknown_where_all_or_nothing_is_speech(measure):
    samples = sounds.tone(seconds=1)
    assert measure(samples, windows=[[0, 1000]])["snr_db"] is None
    assert measure(samples, windows=[])["snr_db"] is None


def test_clipped_samples_are_counted_per_thousand(measure):
    samples = sounds.tone(seconds=1, peak=0.3)
    samples[:1600] = 1.0
    samples[8000:8800] = -1.0
    output = measure(samples, windows=[])
    assert (output["clipped_permille"], output["peak_dbfs"]) == (150, 0)


def test_what_lies_under_a_bar_does_not_count(measure):
    samples = sounds.tone(seconds=2, peak=0.1)
    samples[16_000:24_000] = 1.0
    output = measure(samples, windows=[], bars=[(1000, 1500)])
    assert (output["redacted_ms"], output["clipped_permille"]) == (500, 0)
    assert (output["peak_dbfs"], output["rms_dbfs"]) == (-20, -23)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_the_figures_hold_at_any_rate(measure, rate):
    output = measure(sounds.tone(seconds=1.5, rate=rate), windows=[], rate=rate)
    assert (output["peak_dbfs"], output["rms_dbfs"], output["duration_ms"]) == (-6, -9, 1500)


def fractions_in(value, where="") -> list[str]:
    if isinstance(value, dict):
        return [one for key, item in value.items() for one in fractions_in(item, f"{where}.{key}")]
    if isinstance(value, list | tuple):
        return [one for item in value for one in fractions_in(item, f"{where}[]")]
    return [where] if isinstance(value, float) else []


@pytest.mark.parametrize("name", ["reading.wav", "reading.m4a"])
def test_every_step_of_a_reading_answers_in_whole_numbers(tmp_path, name):
    (tmp_path / "original.wav").write_bytes(walks.recording())
    source = tmp_path / name
    sounds.ffmpeg("-i", tmp_path / "original.wav", source)
    transcript = tmp_path / "reading.txt"
    transcript.write_text(walks.words_of())
    done = sounds.chain(
        source, tmp_path, *STEPS,
        transcript=transcript, transcript_name="reading.txt", language="en-US",
    )  # fmt: skip
    for step, result in done.items():
        document = result.as_json()
        assert fractions_in(document, step) == []
        assert canonical.encode(document)
    output = done["quality"].output
    assert output["words"] == output["words_timed"] == len(walks.words_of().split())
    assert 0 < output["speech_ms"] <= output["duration_ms"]
    assert output["redacted_ms"] == 0


def test_a_text_document_has_words_alone(tmp_path):
    source = tmp_path / "talk.txt"
    source.write_text("Habari za asubuhi?\n\nNzuri sana!\n")
    done = sounds.chain(source, tmp_path, "text", "detect", "redact", "quality", language="sw")
    assert done["quality"].output == {"words": 5, "rows": 2}
    for result in done.values():
        assert canonical.encode(result.as_json())
