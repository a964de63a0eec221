import jiwer
import pytest

from ingestion.pipeline.contract import InvalidJobError, RefusedError
from ingestion.pipeline.engines import choice
from tests.ingestion.steps.voices import librivox


def test_the_built_in_engine_hears_read_english_as_a_draft():
    engine = choice.engine_for({}, language="en", name="talk.wav")
    expected, heard = [], []
    for utterance in librivox()[1:3]:
        transcript = engine.transcribe(
            utterance.path, language="en", windows=[(0, utterance.duration_ms)], parameters={}
        )
        assert transcript.grade == "draft"
        assert len(transcript.model_sha256) == 64
        for segment in transcript.segments:
            ends = [word.end_ms for word in segment.words]
            assert ends == sorted(ends)
            assert ends[-1] <= utterance.duration_ms
            for word in segment.words:
                assert segment.text[word.start_char : word.end_char] == word.text
        expected.append(utterance.text)
        heard.append(" ".join(segment.text for segment in transcript.segments))
    assert jiwer.wer(expected, heard) < 0.6


def test_the_built_in_engine_refuses_what_it_can_not_hear():
    with pytest.raises(RefusedError, match=r"Upload a transcript of the same name") as caught:
        choice.engine_for({}, language="sw", name="habari.mp3")
    assert caught.value.reason == "no-transcript"
    assert "«habari.mp3»" in caught.value.message


def test_an_unknown_engine_is_the_callers_mistake():
    with pytest.raises(InvalidJobError, match="pocketsphinx and whisper"):
        choice.engine_for({"engine": "oracle"}, language="en", name="talk.wav")
