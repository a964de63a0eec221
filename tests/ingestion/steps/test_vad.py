"""Where speech is, in recordings whose silence is known."""

import numpy as np
import pytest
import soundfile

from tests import walks
from tests.ingestion.steps import sounds


def listened(source, folder, **parameters):
    return sounds.chain(source, folder, "decode", "vad", parameters={"vad": parameters})[
        "vad"
    ].output


@pytest.fixture
def speech():
    """A sentence of a LibriVox reading, 16 kHz."""
    path = walks.LIBRIVOX / walks.NAME.format("0880")
    return soundfile.read(path)[0]


def test_speech_between_silences_is_found_where_it_is(tmp_path, speech):
    quiet = np.random.default_rng(1).normal(0, 1e-4, 3 * 16_000)
    source = sounds.write(tmp_path / "talk.wav", np.concatenate([quiet, speech, quiet]))
    output = listened(source, tmp_path)
    start, end = 3000, 3000 + len(speech) // 16
    windows = output["windows"]
    assert windows[0][0] >= start - 200
    assert windows[-1][1] <= end + 200
    assert output["speech_ms"] >= 0.7 * (end - start)


def test_windows_are_in_order_apart_and_inside_the_recording(tmp_path, speech):
    gap = np.zeros(16_000)
    source = sounds.write(tmp_path / "talk.wav", np.concatenate([speech, gap, speech, gap, speech]))
    output = listened(source, tmp_path)
    windows = output["windows"]
    assert len(windows) >= 3
    edges = [edge for window in windows for edge in window]
    assert edges == sorted(set(edges))
    assert edges[0] >= 0
    assert edges[-1] <= sounds.decoded(source, tmp_path).output["duration_ms"]
    assert output["speech_ms"] == sum(end - start for start, end in windows)


def test_silence_holds_no_speech(tmp_path):
    source = sounds.write(tmp_path / "silence.wav", np.zeros(32_000))
    assert listened(source, tmp_path) == {"windows": [], "voiced": [], "speech_ms": 0}


def test_a_recording_shorter_than_a_frame_holds_no_speech(tmp_path):
    source = sounds.write(tmp_path / "click.wav", np.full(200, 0.5))
    assert listened(source, tmp_path) == {"windows": [], "voiced": [], "speech_ms": 0}


def test_a_stricter_mode_never_finds_more(tmp_path, speech):
    source = sounds.write(tmp_path / "talk.wav", speech)
    found = [listened(source, tmp_path, mode=mode)["speech_ms"] for mode in (0, 3)]
    assert found[0] >= found[1] > 0
