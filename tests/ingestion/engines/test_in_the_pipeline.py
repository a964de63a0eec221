"""Whisper chosen by the settings does its step in the pipeline, offline, from a path."""

import hashlib

import pytest
from commonhold.errors import Recorded

from ingestion.models import PipelineRun, StepRun, Version
from ingestion.pipeline import jobs
from tests import walks

pytestmark = pytest.mark.django_db


def test_the_settings_put_whisper_in_the_place_of_the_draft_engine(checkpoint, settings):
    settings.TRANSCRIPTION_ENGINE = "whisper"
    settings.WHISPER_CHECKPOINT = str(checkpoint)
    settings.STEP_MEMORY_MIB = 0
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    walks.process(version)
    step = StepRun.objects.get(name="text")
    assert step.state == StepRun.State.DONE, step.error
    assert step.tool == "whisper"
    assert step.model_sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert version.state == Version.State.REVIEW


def test_a_checkpoint_that_is_not_there_stops_the_run_by_name(settings, tmp_path):
    settings.TRANSCRIPTION_ENGINE = "whisper"
    settings.WHISPER_CHECKPOINT = str(tmp_path / "nowhere.pt")
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    (run,) = jobs.start(version=version, by=walks.editor(version))
    for _ in range(jobs.MAX_ATTEMPTS):
        jobs.execute(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == PipelineRun.State.FAILED
    assert "nowhere.pt" in Recorded.of(run.error).message
