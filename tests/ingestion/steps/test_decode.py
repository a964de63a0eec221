"""Every format becomes 16 kHz mono for the machines that listen, on one timeline."""

import numpy as np
import pytest
import soundfile

from ingestion.pipeline.contract import RefusedError
from ingestion.pipeline.steps import decode
from tests.ingestion.steps import sounds

NAMES = tuple(sounds.RECIPES)


def stored(folder, data: bytes, name: str):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [0.5, 2.35])
def test_every_format_becomes_16_khz_mono_of_the_right_length(tmp_path, name, seconds):
    source = stored(tmp_path, sounds.sample(name, seconds=seconds), name)
    output = sounds.decoded(source, tmp_path).output
    analysis = soundfile.info(tmp_path / "decode" / "analysis.flac")
    assert (analysis.samplerate, analysis.channels, analysis.subtype) == (16_000, 1, "PCM_16")
    assert abs(output["duration_ms"] - 1000 * seconds) <= 60
    assert abs(analysis.frames / 16 - 1000 * seconds) <= 60
    assert (output["channels"], output["bits"], output["damaged_packets"]) == (1, 16, 0)
    heard, rate = soundfile.read(tmp_path / "decode" / "analysis.flac")
    assert abs(sounds.strongest_hz(heard, rate) - 440) < 5
    assert abs(np.abs(heard[2000:-2000]).max() - 0.5) < 0.05


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_both_channels_are_heard_and_the_depth_is_kept_on_record(tmp_path, suffix, bits):
    rate = 44_100
    left, right = sounds.tone(hz=300, rate=rate), sounds.tone(hz=700, rate=rate)
    stereo = np.column_stack([left, right])
    source = sounds.write(tmp_path / f"pair.{suffix}", stereo, rate=rate, bits=bits)
    output = sounds.decoded(source, tmp_path).output
    assert (output["sample_rate"], output["channels"], output["bits"]) == (rate, 2, bits)
    assert output["samples"] == len(left)
    heard, _ = soundfile.read(tmp_path / "decode" / "analysis.flac")
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    loudest = np.fft.rfftfreq(len(heard), 1 / 16_000)[spectrum > spectrum.max() / 2]
    assert {round(hz, -2) for hz in loudest} == {300, 700}


@pytest.mark.parametrize(
    ("name", "pictures", "chapters"),
    [
        ("voice.wav", 0, 0),
        ("voice.flac", 1, 0),
        ("voice.mp3", 1, 2),
        ("voice.ogg", 1, 0),
        ("voice.opus", 1, 2),
        ("voice.m4a", 1, 2),
    ],
)
def test_tags_pictures_and_chapters_are_counted(tmp_path, name, pictures, chapters):
    source = stored(tmp_path, sounds.labeled(name), name)
    output = sounds.decoded(source, tmp_path).output
    assert output["tags"] >= 3
    assert (output["pictures"], output["chapters"]) == (pictures, chapters)
    assert abs(output["duration_ms"] - 1500) <= 60


def test_the_waveform_shows_loud_and_quiet_in_at_most_600_steps(tmp_path):
    loud, quiet = sounds.tone(seconds=5), sounds.tone(seconds=5, peak=0.05)
    source = sounds.write(tmp_path / "steps.wav", np.concatenate([loud, quiet]))
    waveform = sounds.decoded(source, tmp_path).output["waveform"]
    assert len(waveform) == 600
    assert all(isinstance(peak, int) for peak in waveform)
    assert min(waveform[:299]) >= 98
    assert all(9 <= peak <= 11 for peak in waveform[302:])


def test_a_silent_recording_is_a_flat_line(tmp_path):
    source = sounds.write(tmp_path / "silence.wav", np.zeros(16_000))
    assert set(sounds.decoded(source, tmp_path).output["waveform"]) == {0}


@pytest.mark.parametrize("name", NAMES)
def test_half_a_recording_is_refused(tmp_path, name):
    whole = sounds.sample(name, seconds=4)
    source = stored(tmp_path, whole[: len(whole) // 2], name)
    with pytest.raises(RefusedError) as refused:
        sounds.decoded(source, tmp_path)
    assert refused.value.reason in {"truncated", "damaged"}
    assert f"«{name}»" in refused.value.message


def test_a_coding_that_nobody_knows_is_refused(tmp_path):
    # The codec's four letters and its object type (ISO/IEC 14496-1 §7.2.6.6) name nothing.
    whole = sounds.sample("voice.m4a")
    strange = whole.replace(b"mp4a", b"qqqq").replace(b"\x17\x40\x15", b"\x17\xe5\x15")
    source = stored(tmp_path, strange, "voice.m4a")
    with pytest.raises(RefusedError, match=r"«voice\.m4a» holds sound in a coding") as refused:
        sounds.decoded(source, tmp_path)
    assert refused.value.reason == "unsupported-codec"


def test_a_recording_longer_than_the_recipe_takes_is_refused(tmp_path):
    source = stored(tmp_path, sounds.sample(), "voice.wav")
    with pytest.raises(RefusedError, match="longer than 0 hours") as refused:
        sounds.decoded(source, tmp_path, parameters={"decode": {"max_hours": 0}})
    assert refused.value.reason == "too-long"


def test_a_recording_of_more_sound_than_speech_needs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "MOST_SAMPLES", 10)
    source = stored(tmp_path, sounds.sample(seconds=10), "wide.wav")
    with pytest.raises(RefusedError, match=r"holds more sound than 1 hour of stereo") as refused:
        sounds.decoded(source, tmp_path, parameters={"decode": {"max_hours": 1}})
    assert refused.value.reason == "too-much-sound"
    (tmp_path / "decode" / "analysis.flac").unlink()
    sounds.decoded(source, tmp_path, parameters={"decode": {"max_hours": 12}})


def test_a_text_has_nothing_to_decode(tmp_path):
    source = stored(tmp_path, b"Karibu sana.\n", "talk.txt")
    with pytest.raises(RefusedError, match=r"«talk\.txt» is text"):
        sounds.decoded(source, tmp_path)


def test_a_playlist_inside_a_recording_opens_nothing_else(tmp_path):
    secret = stored(tmp_path, sounds.sample(), "secret.wav")
    playlist = f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode()
    source = stored(tmp_path, playlist, "talk.mp3")
    with pytest.raises(RefusedError) as refused:
        sounds.decoded(source, tmp_path)
    assert refused.value.reason == "wrong-type"
