"""Whisper on a checkpoint of random weights: what it says means nothing, how it is asked does."""

import hashlib
import socket

import numpy as np
import pytest
import soundfile

from ingestion.pipeline.contract import InvalidJobError, RefusedError
from ingestion.pipeline.engines import choice
from ingestion.pipeline.engines.engine import packed

# Whisper opens its token file and leaves closing it to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

WINDOWS = [(0, 1500), (1700, 3000)]


@pytest.fixture
def analysis(tmp_path):
    path = tmp_path / "analysis.flac"
    soundfile.write(path, np.random.default_rng(2).normal(scale=0.1, size=48_000), 16_000)
    return path


def transcribe(checkpoint, analysis, **parameters):
    parameters = {"engine": "whisper", "checkpoint": str(checkpoint), **parameters}
    engine = choice.engine_for(parameters, language="sw", name="talk.wav")
    return engine.transcribe(analysis, language="sw", windows=WINDOWS, parameters=parameters)


def test_a_checkpoint_by_path_is_run_offline(checkpoint, analysis, monkeypatch):
    def refuse(*_):
        pytest.fail("a network connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    transcript = transcribe(checkpoint, analysis)
    assert transcript.engine == "whisper"
    assert transcript.grade == "draft"
    assert transcript.model_sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert transcript.segments
    for segment in transcript.segments:
        for word in segment.words:
            assert segment.text[word.start_char : word.end_char] == word.text
            assert word.timed
            assert 0 <= word.start_ms < word.end_ms <= 3000


def test_a_recipe_can_vouch_for_its_engine(checkpoint, analysis):
    assert transcribe(checkpoint, analysis, grade="reference").grade == "reference"


def test_a_model_name_is_never_taken_for_a_checkpoint(analysis):
    with pytest.raises(InvalidJobError, match="no Whisper checkpoint at base"):
        transcribe("base", analysis)


def test_alignment_heads_are_those_of_a_published_model(checkpoint, analysis):
    with pytest.raises(InvalidJobError, match="not a published Whisper model"):
        transcribe(checkpoint, analysis, model_id="mine")


def test_a_language_without_a_token_is_refused(checkpoint, analysis):
    parameters = {"engine": "whisper", "checkpoint": str(checkpoint)}
    engine = choice.engine_for(parameters, language="lg", name="talk.wav")
    with pytest.raises(RefusedError, match="does not know the language 'lg'"):
        engine.transcribe(analysis, language="lg", windows=WINDOWS, parameters=parameters)


def test_windows_are_packed_and_never_longer_than_the_model_hears():
    assert packed([(0, 4000), (5000, 9000), (20_000, 31_000)], longest_ms=30_000) == [
        (0, 9000),
        (20_000, 31_000),
    ]
    assert packed([(0, 70_000)], longest_ms=30_000) == [
        (0, 30_000),
        (30_000, 60_000),
        (60_000, 70_000),
    ]
