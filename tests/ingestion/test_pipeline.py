"""The pipeline on real recordings: each step on record, refusals in words, crashes survived."""

import io
from datetime import timedelta

import pytest
import soundfile
from commonhold.errors import Recorded
from django.utils import timezone

from ingestion.archive import recordings
from ingestion.archive.versions import VersionClosed
from ingestion.models import PipelineRun, Segment, StepRun, Version
from ingestion.pipeline import jobs, subprocesses, turns
from tests import walks

pytestmark = pytest.mark.django_db

DIGEST_LENGTH = 64


@pytest.fixture
def version() -> Version:
    """A draft with one short recording and its transcript."""
    made = walks.draft()
    walks.upload(made, "reading.wav", walks.recording())
    walks.upload(made, "reading.txt", walks.words_of().encode())
    return made


def start(version: Version) -> dict[str, PipelineRun]:
    """Begin processing; the runs by the names of their recordings."""
    runs = jobs.start(version=version, by=walks.editor(version))
    return {run.recording.name: run for run in runs}


def test_every_step_is_on_record_with_tool_version_and_digests(version):
    walks.process(version)
    assert version.state == Version.State.REVIEW
    steps = list(StepRun.objects.order_by("position"))
    assert [step.name for step in steps] == [
        "decode", "vad", "text", "detect", "redact", "strip", "quality",
    ]  # fmt: skip
    for step in steps:
        assert step.state == StepRun.State.DONE
        assert step.tool
        assert step.tool_version
        assert len(step.input_sha256) == len(step.output_sha256) == DIGEST_LENGTH
        assert step.started_at <= step.ended_at


def test_a_transcript_beside_the_recording_is_aligned_word_by_word(version):
    walks.process(version)
    segments = list(Segment.objects.of(version))
    assert " ".join(segment.text for segment in segments) == walks.words_of()
    words = [word for segment in segments for word in segment.words]
    assert all(word["timed"] for word in words)
    times = [word["start_ms"] for word in words]
    assert times == sorted(times)
    assert words[-1]["end_ms"] <= walks.named(version, "reading.wav").duration_ms


def test_a_recording_without_transcript_is_a_draft_that_a_person_must_read():
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    walks.process(version)
    segments = Segment.objects.of(version)
    assert segments
    assert all(segment.needs_review for segment in segments)


def test_a_file_that_can_not_be_decoded_stops_with_words_for_the_contributor(version):
    walks.upload(version, "other.flac", flac_with_broken_frames())
    runs = start(version)
    run = jobs.execute(run_id=runs["other.flac"].pk)
    assert run is not None
    assert run.state == PipelineRun.State.FAILED
    told = Recorded.of(run.error)
    assert "other.flac" in told.message
    assert told.recorded_code == "step-refused"
    assert StepRun.objects.get(run=run, name="decode").error == told.message
    assert run.attempts == 1


def flac_with_broken_frames() -> bytes:
    """FLAC whose header is fine and whose frames are noise."""
    out = io.BytesIO()
    soundfile.write(out, walks.samples(walks.recording()), 16_000, format="FLAC")
    data = bytearray(out.getvalue())
    data[2000:] = bytes(len(data) - 2000)
    return bytes(data)


def test_a_run_is_held_by_one_worker_at_a_time(version):
    (run,) = jobs.start(version=version, by=walks.editor(version))
    assert jobs.claim(run_id=run.pk) is not None
    assert jobs.claim(run_id=run.pk) is None
    assert jobs.execute(run_id=run.pk) is None


def test_a_run_whose_worker_died_is_taken_up_where_it_stopped(version):
    (run,) = jobs.start(version=version, by=walks.editor(version))
    held = jobs.claim(run_id=run.pk)
    assert held is not None
    for step in held.steps.filter(name__in=["decode", "vad"]):
        subprocesses.perform(step=step, run=held, heartbeat=lambda: jobs.beat(held))
    done = dict(StepRun.objects.filter(state="done").values_list("name", "ended_at"))
    assert not turns.waiting().exists()
    stopped = timezone.now() - turns.HEART_STOPPED - timedelta(seconds=1)
    PipelineRun.objects.filter(pk=run.pk).update(heartbeat_at=stopped)
    assert list(turns.waiting()) == [run]
    finished = jobs.execute(run_id=run.pk)
    assert finished is not None
    assert finished.state == PipelineRun.State.DONE
    for name, ended_at in done.items():
        assert StepRun.objects.get(name=name).ended_at == ended_at


def test_a_run_that_listened_before_voices_were_kept_listens_once_more(version):
    (run,) = jobs.start(version=version, by=walks.editor(version))
    held = jobs.claim(run_id=run.pk)
    assert held is not None
    for step in held.steps.filter(name__in=["decode", "vad"]):
        subprocesses.perform(step=step, run=held, heartbeat=lambda: jobs.beat(held))
    decoded = StepRun.objects.get(name="decode").ended_at
    StepRun.objects.filter(name="vad").update(output={"windows": []})
    jobs.fail(run=held, error=jobs.RunFailed("It is lost."))
    jobs.retry(run=run, by=walks.editor(version))
    finished = jobs.execute(run_id=run.pk)
    assert finished is not None
    assert finished.state == PipelineRun.State.DONE
    assert StepRun.objects.get(name="decode").ended_at == decoded


def test_the_sweeper_offers_what_died_at_once_and_what_waits_only_when_its_message_is_lost(version):
    (run,) = jobs.start(version=version, by=walks.editor(version))
    assert turns.offer() == []
    PipelineRun.objects.update(offered_at=timezone.now() - turns.OFFER_AGAIN)
    assert turns.offer() == [run]
    assert turns.offer() == []
    jobs.claim(run_id=run.pk)
    stopped = timezone.now() - turns.HEART_STOPPED - timedelta(seconds=1)
    PipelineRun.objects.update(heartbeat_at=stopped, offered_at=stopped)
    assert turns.offer() == [run]


def test_a_step_that_keeps_crashing_ends_the_run_with_its_last_words(version):
    runs = jobs.start(version=version, by=walks.editor(version))
    StepRun.objects.filter(run=runs[0], name="decode").update(name="no-such-step")
    states = [jobs.execute(run_id=runs[0].pk).state for _ in range(jobs.MAX_ATTEMPTS)]
    assert states == ["pending", "pending", "failed"]
    run = PipelineRun.objects.get()
    assert "no-such-step" in Recorded.of(run.error).message
    assert "tried 3 times" in Recorded.of(run.error).message
    StepRun.objects.filter(run=run, name="no-such-step").update(name="decode")
    jobs.retry(run=run, by=walks.editor(version))
    assert jobs.execute(run_id=run.pk).state == PipelineRun.State.DONE


def test_a_stopped_file_can_be_taken_out_and_the_rest_goes_on(version):
    walks.upload(version, "second.wav", walks.recording())
    runs = start(version)
    held = jobs.claim(run_id=runs["second.wav"].pk)
    assert held is not None
    jobs.fail(run=held, error=subprocesses.StepRefused("«second.wav» can't be read."))
    jobs.execute(run_id=runs["reading.wav"].pk)
    version.refresh_from_db()
    assert version.state == Version.State.PROCESSING
    place = version.files.get(recording__name="second.wav")
    recordings.remove(file=place, by=walks.editor(version))
    version.refresh_from_db()
    assert version.state == Version.State.REVIEW


def test_a_version_in_processing_takes_no_more_files(version):
    jobs.start(version=version, by=walks.editor(version))
    with pytest.raises(VersionClosed, match="is being processed"):
        walks.upload(version, "late.wav", walks.recording())


def test_an_empty_draft_has_nothing_to_process():
    version = walks.draft()
    with pytest.raises(jobs.NothingToProcess):
        jobs.start(version=version, by=walks.editor(version))


def test_only_a_stopped_run_is_tried_again(version):
    (run,) = jobs.start(version=version, by=walks.editor(version))
    with pytest.raises(jobs.RunNotFailed):
        jobs.retry(run=run, by=walks.editor(version))
