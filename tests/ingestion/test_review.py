"""Review and seal: nothing is published that a person has not judged and consent does not cover."""

import json

import numpy as np
import pytest
from commonhold.errors import Recorded
from django.db import IntegrityError, transaction

from ingestion import consent, releases, review
from ingestion.archive.storage import blob_store
from ingestion.models import (
    ConsentRecord,
    Finding,
    News,
    PipelineRun,
    Redaction,
    ReleaseFile,
    Seal,
    Segment,
    StepRun,
    Version,
)
from ingestion.pipeline import recipes
from notary.models import LogEntry
from tests import sealed, walks
from tests.walks import editor

pytestmark = pytest.mark.django_db

TEXT = "he was not an ill disposed young man"
PHONE = "call zero seven seven two five five five zero one two three"


def in_review(text: str = TEXT, transcript: str = "reading.txt") -> Version:
    """A version whose one recording waits for its review, with consent for all of it.

    The rows are those that the pipeline would have left (tests/ingestion/test_pipeline.py), over
    a real recording, so that the steps after the review run for real.
    """
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    walks.upload(version, transcript, text.encode())
    walks.agree(version, "reading.wav")
    return walks.process(version)


def only_segment(version: Version) -> Segment:
    return Segment.objects.of(version).get()


def published(version: Version, path: str) -> bytes:
    file = version.release_files.get(path=path)
    with blob_store().open(file.blob_id) as blob:
        return blob.read()


def rows(version: Version) -> list[dict]:
    return [json.loads(line) for line in published(version, "metadata.jsonl").splitlines()]


def mark(version: Version, first: int, last: int) -> Finding:
    """Redact words of the one segment."""
    return review.add_finding(
        segment=only_segment(version),
        first_word=first,
        last_word=last,
        kind="name",
        by=editor(version),
    )


def test_redacted_words_are_a_tone_in_the_clip_and_a_label_in_the_text():
    version = in_review()
    found = mark(version, 4, 5)  # "ill disposed"
    walks.hear_everything(version)
    walks.finish(version)
    releases.seal(version=version)
    (row,) = rows(version)
    assert row["text"] == "he was not an [NAME] young man"
    (bar,) = row["redactions"]
    start, end = bar["start_ms"], bar["end_ms"]
    assert bar["label"] == "name"
    clip = walks.samples(published(version, row["file_name"]))
    original = walks.samples(walks.recording())[row["start_ms"] * 16 : row["end_ms"] * 16]
    assert len(clip) == len(original)
    assert np.array_equal(clip[: start * 16], original[: start * 16])
    assert np.array_equal(clip[end * 16 :], original[end * 16 :])
    inside = clip[start * 16 + 160 : end * 16 - 160].astype(float)
    spectrum = np.abs(np.fft.rfft(inside))
    assert spectrum.argmax() * 16_000 / len(inside) == pytest.approx(1000, abs=20)
    assert spectrum[spectrum.argmax()] ** 2 > 0.5 * (spectrum**2).sum()
    assert row["start_ms"] + start <= found.start_ms - recipes.PAD_MS + 1
    done = Redaction.objects.get()
    assert (done.replacement, done.kind, done.method) == ("[NAME]", "name", "tone")
    assert (done.start_ms, done.end_ms) == (start, end)


def test_a_rejected_finding_stays_in_text_and_sound():
    version = in_review()
    found = mark(version, 4, 5)
    review.decide(finding=found, redact=False, by=editor(version))
    walks.hear_everything(version)
    walks.finish(version)
    releases.seal(version=version)
    (row,) = rows(version)
    assert (row["text"], row["redactions"]) == (TEXT, [])


def test_personal_data_in_the_text_is_found_and_waits_to_be_heard():
    # The reader says something else; a row that says where it stands is taken at its word.
    row = json.dumps({"text": PHONE, "start": 0.2, "end": 2.4})
    version = in_review(row, "reading.jsonl")
    found = Finding.objects.of(version)
    assert [finding.kind for finding in found] == ["phone"]
    with pytest.raises(review.ReviewUnfinished, match=r"not been heard.*reading\.wav.*phone"):
        review.finish(version=version, by=editor(version))


def test_a_draft_that_nobody_read_can_not_be_sealed():
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    walks.agree(version, "reading.wav")
    walks.process(version)
    for finding in Finding.objects.of(version):
        review.decide(finding=finding, redact=True, by=editor(version))
    with pytest.raises(review.ReviewUnfinished, match="not been read by a person"):
        review.finish(version=version, by=editor(version))


def test_a_corrected_draft_is_looked_through_again_and_stays_redacted():
    version = walks.draft()
    walks.upload(version, "reading.wav", walks.recording())
    walks.agree(version, "reading.wav")
    walks.process(version)
    segment = review.review_segment(
        segment=Segment.objects.of(version)[0],
        by=editor(version),
        text="write to amina@example.org",
    )
    assert [finding.text for finding in segment.findings.all()] == ["amina@example.org"]
    walks.hear_everything(version)
    walks.finish(version)
    releases.seal(version=version)
    assert "amina" not in published(version, "metadata.jsonl").decode()
    assert "[EMAIL]" in rows(version)[0]["text"]


def test_speech_that_no_consent_covers_must_be_left_out():
    version = in_review()
    consent.withdraw(record=ConsentRecord.objects.get(), by=editor(version))
    walks.hear_everything(version)
    with pytest.raises(
        review.ReviewUnfinished,
        match=r"no consent that covers.*reading\.wav.*0:00:00\.\d{3}.*p-0001",
    ):
        review.finish(version=version, by=editor(version))
    assert review.leave_out_uncovered(version=version, by=editor(version)) == 1
    with pytest.raises(review.ReviewUnfinished, match="nothing to publish"):
        review.finish(version=version, by=editor(version))


def test_consent_withdrawn_between_review_and_seal_sends_the_version_back():
    version = in_review()
    walks.hear_everything(version)
    walks.finish(version)
    consent.withdraw(record=ConsentRecord.objects.get(), by=editor(version))
    with pytest.raises(releases.SealRefused):
        releases.seal(version=version)
    version.refresh_from_db()
    assert version.state == Version.State.REVIEW
    assert version.review_finished_at is None
    told = Recorded.of(version.seal_error)
    assert (told.recorded_code, told.details["path"]) == ("seal-refused", "reading.wav")
    assert "no consent that covers" in told.message
    assert not ReleaseFile.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_version_whose_decisions_are_not_applied_is_not_sealed():
    version = in_review()
    walks.hear_everything(version)
    review.finish(version=version, by=editor(version))
    with pytest.raises(releases.SealRefused, match="not been applied"):
        releases.seal(version=version)


def test_decisions_end_with_the_review():
    version = in_review()
    found = mark(version, 0, 0)
    walks.hear_everything(version)
    review.finish(version=version, by=editor(version))
    with pytest.raises(review.NotInReview):
        review.decide(finding=found, redact=False, by=editor(version))
    with pytest.raises(review.NotInReview):
        mark(version, 1, 1)


@pytest.mark.parametrize(
    ("first", "last", "kind"), [(3, 2, "name"), (-1, 0, "name"), (0, 99, "name"), (0, 0, "mood")]
)
def test_a_selection_that_makes_no_sense_is_refused(first, last, kind):
    version = in_review()
    with pytest.raises(review.DecisionInvalid):
        review.add_finding(
            segment=only_segment(version),
            first_word=first,
            last_word=last,
            kind=kind,
            by=editor(version),
        )
    assert not Finding.objects.exists()


def test_sealing_again_changes_nothing():
    version = sealed.version()
    again = releases.seal(version=version)
    assert again.sealed_at == version.sealed_at
    assert LogEntry.objects.count() == News.objects.filter(kind="sealed").count() == 1


def test_the_database_refuses_to_change_what_is_sealed():
    version = sealed.version()
    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(merkle_root="0" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(state="draft")
    with pytest.raises(IntegrityError), transaction.atomic():
        version.release_files.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        version.release_files.update(path="other.flac")
    with pytest.raises(IntegrityError), transaction.atomic():
        version.files.update(final=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        version.release_consents.update(purposes=["voice-cloning"])
    with pytest.raises(IntegrityError), transaction.atomic():
        version.release_consents.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Seal.objects.update(release={})
    with pytest.raises(IntegrityError), transaction.atomic():
        Redaction.objects.update(kind="name")


def test_a_text_file_is_published_redacted_too():
    version = walks.draft(language="en", task="language-modeling")
    text = '{"text": "Write to amina@example.org today."}\n{"text": "The market opens at eight."}\n'
    walks.upload(version, "notes.jsonl", text.encode())
    walks.agree(version, "notes.jsonl")
    walks.process(version)
    walks.hear_everything(version)
    walks.finish(version)
    releases.seal(version=version)
    lines = [json.loads(line) for line in published(version, "text/t0001.jsonl").splitlines()]
    assert [line["text"] for line in lines] == [
        "Write to [EMAIL] today.",
        "The market opens at eight.",
    ]
    assert releases.is_applied(version=version)
    assert (
        not StepRun.objects.filter(run__phase=PipelineRun.Phase.FINAL)
        .exclude(state="done")
        .exists()
    )
