"""Recordings last: taken out of a version, put back, come back, erased; each with its language."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry
from ingestion import consent, review
from ingestion.archive import languages, recordings, versions
from ingestion.consent import coverage
from ingestion.models import (
    Decision,
    Finding,
    PipelineRun,
    Recording,
    Segment,
    StepRun,
    Upload,
    Version,
)
from ingestion.pipeline import jobs
from tests import sealed, walks
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
DATA = walks.recording()
SPOKEN = (Said("he was not an ill disposed", duration_ms=900),)


@pytest.fixture
def draft() -> Version:
    """A draft with the recordings a.wav and b.wav, reviewed."""
    made = sealed.dataset().versions.get()
    sealed.add(made, said=SAID, path="a.wav")
    sealed.add(made, said=SAID, path="b.wav")
    return made


@pytest.fixture
def uploaded() -> Version:
    """A draft with a recording that came by upload, worked on by hand."""
    made = sealed.dataset().versions.get()
    walks.upload(made, "reading.wav", DATA)
    amina = {"Amina": sealed.speaker(made.dataset, "Amina")}
    sealed.write_segments(walks.named(made, "reading.wav"), SPOKEN, amina)
    return made


def remove(version: Version, name: str) -> Decision:
    return recordings.remove(file=version.files.get(recording__name=name), by=editor(version))


def names(version: Version) -> set[str]:
    return set(version.files.values_list("recording__name", flat=True))


def texts(version: Version) -> list[str]:
    return [segment.text for segment in Segment.objects.of(version)]


def undo(version: Version, decision: Decision) -> None:
    review.undo(decision=decision, by=editor(version))


def test_a_removed_recording_leaves_the_version_and_lasts(draft):
    remove(draft, "b.wav")
    assert names(draft) == {"a.wav"}
    assert len(texts(draft)) == 2
    lasting = Recording.objects.get(name="b.wav")
    assert lasting.intake is not None
    assert lasting.segments.count() == 2


def test_undoing_a_removal_puts_the_recording_back_with_its_work(draft):
    sealed.seal(draft)
    second = versions.open_draft(dataset=draft.dataset, by=editor(draft))
    before = list(second.files.in_order().values("recording", "key", "final"))
    undo(second, remove(second, "b.wav"))
    assert list(second.files.in_order().values("recording", "key", "final")) == before
    assert review.finish(version=second, by=editor(second)) == []


def test_a_removal_is_undone_once(draft):
    decision = remove(draft, "b.wav")
    undo(draft, decision)
    with pytest.raises(review.UndoRefused, match="undone already"):
        undo(draft, Decision.objects.get(pk=decision.pk))
    remove(draft, "b.wav")
    assert names(draft) == {"a.wav"}


def test_a_name_that_was_taken_meanwhile_is_not_taken_back(draft):
    decision = remove(draft, "b.wav")
    sealed.source(draft, path="b.wav")
    with pytest.raises(recordings.PathTaken, match=r"b\.wav"):
        undo(draft, decision)
    assert draft.files.count() == 2


def test_nothing_is_removed_from_what_is_sealed_or_about_to_be(draft):
    review.finish(version=draft, by=editor(draft))
    with pytest.raises(versions.VersionClosed):
        remove(draft, "a.wav")
    Version.objects.filter(pk=draft.pk).update(review_finished_at=None, review_finished_by=None)
    first = sealed.seal(draft)
    with pytest.raises(versions.VersionClosed, match="is sealed or about to be"):
        remove(first, "a.wav")
    second = versions.open_draft(dataset=draft.dataset, by=editor(draft))
    remove(second, "a.wav")
    assert names(first) == {"a.wav", "b.wav"}


def test_a_removed_recording_comes_back_with_its_work_when_it_is_uploaded_again(uploaded):
    known = walks.named(uploaded, "reading.wav")
    remove(uploaded, "reading.wav")
    assert walks.upload(uploaded, "reading.wav", DATA).recording == known
    assert texts(uploaded) == ["he was not an ill disposed"]
    assert walks.named(uploaded, "reading.wav").number == known.number == 1


def test_other_bytes_of_the_same_name_are_another_recording(uploaded):
    known = walks.named(uploaded, "reading.wav")
    remove(uploaded, "reading.wav")
    other = walks.upload(uploaded, "reading.wav", walks.recording("0890")).recording
    assert other != known
    assert texts(uploaded) == []


def test_the_same_bytes_of_another_dataset_are_another_recording(uploaded):
    elsewhere = sealed.dataset().versions.get()
    made = walks.upload(elsewhere, "reading.wav", DATA).recording
    assert made.dataset == elsewhere.dataset
    assert made.blob == walks.named(uploaded, "reading.wav").blob
    assert made.intake is None


def test_a_recording_goes_and_comes_with_the_transcript_beside_it(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    decision = remove(uploaded, "reading.wav")
    assert names(uploaded) == set()
    undo(uploaded, decision)
    assert names(uploaded) == {"reading.wav", "reading.txt"}
    assert walks.named(uploaded, "reading.wav").transcript.name == "reading.txt"


def test_a_transcript_beside_a_processed_recording_has_it_processed_again(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    (run,) = jobs.start(version=uploaded, by=editor(uploaded))
    assert run.recording.name == "reading.wav"


def test_a_transcript_that_is_taken_away_again_leaves_the_work_that_was_done_before(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    remove(uploaded, "reading.txt")
    assert jobs.start(version=uploaded, by=editor(uploaded)) == []
    assert texts(uploaded) == ["he was not an ill disposed"]


def test_undoing_the_removal_of_a_transcript_ties_it_again(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    undo(uploaded, remove(uploaded, "reading.txt"))
    assert walks.named(uploaded, "reading.wav").transcript.name == "reading.txt"
    assert jobs.start(version=uploaded, by=editor(uploaded)) != []


def test_a_transcript_is_not_put_back_beside_a_recording_that_has_another(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    decision = remove(uploaded, "reading.txt")
    walks.upload(uploaded, "reading.jsonl", b'{"text": "he was ill"}')
    with pytest.raises(recordings.PathTaken, match=r"reading\.wav.*another transcript"):
        undo(uploaded, decision)
    assert walks.named(uploaded, "reading.wav").transcript.name == "reading.jsonl"


def test_a_transcript_is_not_put_back_once_the_recording_was_processed_without_it(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    decision = remove(uploaded, "reading.txt")
    jobs.start(version=uploaded, by=editor(uploaded))
    with pytest.raises(versions.VersionClosed):
        undo(uploaded, decision)
    assert review.progress(version=uploaded).uncovered_segments == 1
    assert walks.named(uploaded, "reading.wav").intake is not None


def test_a_transcript_can_not_be_taken_away_while_it_is_being_set_to_its_recording(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    jobs.start(version=uploaded, by=editor(uploaded))
    with pytest.raises(versions.VersionClosed, match="Remove the recording instead"):
        remove(uploaded, "reading.txt")


def test_a_recording_uploaded_again_with_another_transcript_is_set_to_that_one(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was quite wrong")
    remove(uploaded, "reading.wav")
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    walks.upload(uploaded, "reading.wav", DATA)
    beside = walks.named(uploaded, "reading.wav").transcript
    assert beside == walks.named(uploaded, "reading.txt")
    assert beside.kind == Recording.Kind.TRANSCRIPT


def test_what_was_never_processed_is_not_put_back_into_a_review(draft):
    sealed.source(draft, path="late.wav")
    decision = remove(draft, "late.wav")
    jobs.start(version=draft, by=editor(draft))
    draft.refresh_from_db()
    assert draft.state == Version.State.REVIEW
    with pytest.raises(review.UndoRefused, match=r"late\.wav.*was not processed"):
        undo(draft, decision)
    assert names(draft) == {"a.wav", "b.wav"}


def test_removing_everything_while_it_is_processed_makes_the_version_a_draft_again(uploaded):
    walks.upload(uploaded, "reading.txt", b"he was not ill")
    jobs.start(version=uploaded, by=editor(uploaded))
    remove(uploaded, "reading.wav")
    uploaded.refresh_from_db()
    assert uploaded.state == Version.State.DRAFT


def sealed_and_removed(draft: Version) -> tuple[Version, Recording]:
    """Version 1 with a.wav and b.wav, and a.wav in no open version."""
    return sealed.seal(draft), Recording.objects.get(dataset=draft.dataset, name="a.wav")


def test_an_erased_original_keeps_its_number_and_everything_else_its_name(draft):
    first, recording = sealed_and_removed(draft)
    before = list(first.release_files.values_list("path", "blob_id", "told"))
    recordings.erase(recording=recording, by=editor(draft))
    recording.refresh_from_db()
    assert (recording.blob, recording.number, recording.name) == (
        None,
        1,
        f"erased {recording.pk}",
    )
    assert list(first.release_files.values_list("path", "blob_id", "told")) == before
    named = dict(first.release_files.exclude(told=None).values_list("path", "recording__name"))
    assert named["audio/r0002/0001.flac"] == "b.wav"
    assert named["audio/r0001/0001.flac"] == f"erased {recording.pk}"


def test_a_refusal_names_the_right_recording_after_an_erasure(draft):
    sealed.add(draft, said=(Said("Here is Zuri.", "Zuri"),), path="c.wav", purposes=("research",))
    first, recording = sealed_and_removed(draft)
    recordings.erase(recording=recording, by=editor(draft))
    gap = coverage.first_gap(version=first, purposes=["commercial"])
    assert gap is not None
    assert (gap.original, gap.path, gap.pseudonym) == (
        "c.wav",
        "audio/r0003/0001.flac",
        "p-0003",
    )


def test_nothing_that_was_said_in_an_erased_original_is_left(uploaded):
    record = consent.record(
        speaker=uploaded.dataset.speakers.get(),
        notice=consent.Notice("We publish this.", "en"),
        terms=consent.Terms(("research",), date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(walks.named(uploaded, "reading.wav"))],
        by=editor(uploaded),
    )
    segment = Segment.objects.of(uploaded).get()
    review.review_segment(segment=segment, by=editor(uploaded), text="write to me@example.org")
    walks.hear_everything(uploaded)
    recording = walks.named(uploaded, "reading.wav")
    sealed.seal(uploaded)
    failed = PipelineRun.objects.filter(recording=recording, phase="intake")
    failed.update(
        state="failed",
        error={"code": "x", "sentence": "«reading.wav» is broken", "parameters": {}},
    )
    StepRun.objects.filter(run__in=failed).update(error="«reading.wav» is broken")
    recordings.erase(recording=recording, by=editor(uploaded))
    assert not Segment.objects.exists()
    assert not Finding.objects.exists()
    assert not record.scopes.exists()
    assert not Decision.objects.exists()
    left = [
        *PipelineRun.objects.values("inputs", "error"),
        *StepRun.objects.values("output", "files", "error"),
        *Upload.objects.values("path", "error"),
        *Recording.objects.values(),
        *AuditEntry.objects.values("copies"),
    ]
    for gone in ("reading.wav", "he was not", "me@example.org"):
        assert gone not in str(left)


def test_an_original_in_an_open_version_is_not_erased(draft):
    _, recording = sealed_and_removed(draft)
    second = versions.open_draft(dataset=draft.dataset, by=editor(draft))
    with pytest.raises(recordings.RecordingInUse, match=r"a\.wav.*version 2"):
        recordings.erase(recording=recording, by=editor(draft))
    remove(second, "a.wav")
    recordings.erase(recording=recording, by=editor(draft))
    assert names(second) == {"b.wav"}


def test_erasing_twice_is_erasing_once(draft):
    _, recording = sealed_and_removed(draft)
    erased = recordings.erase(recording=recording, by=editor(draft))
    assert recordings.erase(recording=recording, by=editor(draft)).erased_at == erased.erased_at
    assert AuditEntry.objects.filter(verb="recording.erased").count() == 1


def test_an_erased_original_stays_behind_when_the_next_version_begins(draft):
    first, recording = sealed_and_removed(draft)
    recordings.erase(recording=recording, by=editor(draft))
    assert names(versions.open_draft(dataset=first.dataset, by=editor(draft))) == {"b.wav"}


def test_an_erased_original_that_is_uploaded_again_is_a_new_recording(uploaded):
    old = walks.named(uploaded, "reading.wav")
    remove(uploaded, "reading.wav")
    recordings.erase(recording=old, by=editor(uploaded))
    assert walks.upload(uploaded, "reading.wav", DATA).recording != old
    assert texts(uploaded) == []


def test_the_database_gives_no_recording_another_number(draft):
    with pytest.raises(IntegrityError), transaction.atomic():
        Recording.objects.filter(name="a.wav").update(number=7)


def test_a_recording_says_its_own_language_and_the_release_repeats_it(draft):
    spoken = Recording.objects.get(name="b.wav")
    spoken = recordings.say_language(recording=spoken, language="Swahili", by=editor(draft))
    assert (spoken.language, spoken.spoken, spoken.intake) == ("sw", "sw", None)
    sealed.write_intake(spoken)
    assert texts(draft) == ["Good morning from the valley.", "The road is open again."]


def test_the_released_rows_name_the_language_of_each_recording(draft):
    Recording.objects.filter(name="b.wav").update(language="sw")
    first = sealed.seal(draft)
    rows = first.release_files.exclude(told=None).values_list("path", "told__language")
    assert dict(rows) == {
        "audio/r0001/0001.flac": "en",
        "audio/r0001/0002.flac": "en",
        "audio/r0002/0001.flac": "sw",
        "audio/r0002/0002.flac": "sw",
    }


def test_the_datasets_own_language_is_no_language_of_the_recording(draft):
    spoken = Recording.objects.get(name="b.wav")
    assert recordings.say_language(recording=spoken, language="en", by=editor(draft)).intake
    other = recordings.say_language(recording=spoken, language="sw", by=editor(draft))
    back = recordings.say_language(recording=other, language="", by=editor(draft))
    assert back.language == ""
    assert jobs.start(version=draft, by=editor(draft)) == []
    assert len(texts(draft)) == 4


def test_another_country_of_the_same_language_costs_no_work(draft):
    spoken = Recording.objects.get(name="b.wav")
    spoken = recordings.say_language(recording=spoken, language="en-KE", by=editor(draft))
    assert spoken.spoken == "en-KE"
    assert spoken.intake is not None


def test_a_language_that_is_none_is_refused(draft):
    with pytest.raises(languages.UnknownLanguage, match="gibberish"):
        recordings.say_language(
            recording=Recording.objects.get(name="b.wav"), language="gibberish", by=editor(draft)
        )


def test_the_language_of_a_recording_changes_in_a_draft_only(draft):
    spoken = Recording.objects.get(name="b.wav")
    jobs.start(version=draft, by=editor(draft))
    with pytest.raises(versions.VersionClosed, match="while its version is a draft"):
        recordings.say_language(recording=spoken, language="sw", by=editor(draft))
