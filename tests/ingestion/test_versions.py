"""Versions: version 2 begins from version 1, with all the work that was done."""

from datetime import date
from importlib import import_module

import pytest
from django.apps import apps

from ingestion import consent, releases, review
from ingestion.archive import versions
from ingestion.models import (
    ConsentRecord,
    Dataset,
    Finding,
    PipelineRun,
    Recording,
    ReleaseFile,
    Segment,
    StepRun,
    Version,
)
from ingestion.pipeline import jobs
from ingestion.releases import outlook
from tests import clock, sealed, walks
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

NUMBER = "five five five, oh one two three"
PHONE = Said(f"Call {NUMBER} now.", "Juma", "phone", NUMBER)
NEWS = (Said("Here is the news of today."), Said("The road is open again.", "Juma"))


@pytest.fixture
def first() -> Version:
    """Version 1, sealed: one recording of Amina and Juma."""
    dataset = sealed.dataset()
    draft = dataset.versions.get()
    sealed.add(draft, said=(Said("Good morning from the valley."), PHONE), path="a.wav")
    return sealed.seal(draft)


def next_of(version: Version, **options) -> Version:
    return versions.open_draft(dataset=version.dataset, by=editor(version), **options)


def clips(version: Version) -> dict[str, str]:
    """The digests of a release's clips, by their paths."""
    found = version.release_files.filter(kind=ReleaseFile.Kind.CLIP)
    return dict(found.values_list("path", "blob_id"))


def names(version: Version) -> list[str]:
    """The contributor's names of a version's recordings, in order."""
    return [place.recording.name for place in version.files.in_order()]


def test_the_next_version_begins_with_the_recordings_and_all_that_was_made_of_them(first):
    second = next_of(first)
    assert (second.number, second.begun_from, second.state) == (2, first, Version.State.DRAFT)
    assert names(second) == names(first) == ["a.wav"]
    assert list(Segment.objects.of(second)) == list(Segment.objects.of(first))
    assert list(Finding.objects.of(second)) == list(Finding.objects.of(first))
    assert review.progress(version=second).is_complete
    assert [piece.records[0].speaker.name for piece in review.published(version=second)] == [
        "Amina",
        "Juma",
    ]


def test_the_same_bytes_and_decisions_give_the_very_same_clips(first):
    second = next_of(first)
    assert review.finish(version=second, by=editor(second)) == []
    releases.seal(version=second)
    second.refresh_from_db()
    assert second.state == Version.State.SEALED
    assert clips(second) == clips(first)
    assert PipelineRun.objects.filter(phase=PipelineRun.Phase.FINAL).count() == 1


def test_the_next_version_rests_on_the_same_consents_and_nobody_is_asked_again(first):
    second = sealed.seal(next_of(first))
    assert ConsentRecord.objects.count() == 2
    resting = [set(one.release_consents.values_list("record", "number")) for one in (first, second)]
    assert resting[0] == resting[1]


def test_a_version_that_says_the_same_differs_from_the_one_before_in_nothing(first):
    found = outlook.differences(version=next_of(first))
    assert found is not None
    assert found.are_none
    assert outlook.differences(version=first) is None


def test_only_new_recordings_are_processed_and_the_rest_keeps_its_results(first):
    second = next_of(first)
    fresh = sealed.source(second, path="b.wav")
    (run,) = jobs.start(version=second, by=editor(second))
    assert run.recording == fresh
    second.refresh_from_db()
    assert second.state == Version.State.PROCESSING
    assert Segment.objects.of(second).count() == 2


def test_a_version_with_nothing_new_goes_to_review_at_once(first):
    second = next_of(first)
    assert jobs.start(version=second, by=editor(second)) == []
    second.refresh_from_db()
    assert second.state == Version.State.REVIEW


def test_a_new_recording_goes_through_before_the_review_is_finished(first):
    second = next_of(first)
    sealed.source(second, path="b.wav")
    with pytest.raises(review.NotInReview, match="not processed yet"):
        review.finish(version=second, by=editor(second))


def test_a_file_on_its_way_is_not_left_behind_by_finishing(first):
    second = next_of(first)
    data = walks.recording()
    walks.begin(second, "late.wav", data)
    with pytest.raises(jobs.UploadsUnfinished, match=r"late\.wav"):
        review.finish(version=second, by=editor(second))


def test_what_was_added_changed_and_left_out_is_told_before_the_seal(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="b.wav")
    segment = Segment.objects.of(second).get(recording__name="a.wav", position=0)
    review.review_segment(segment=segment, by=editor(second), text="Good morning, valley.")
    juma = second.dataset.speakers.get(name="Juma")
    review.leave_out_speaker(version=second, speaker=juma, by=editor(second))
    found = outlook.differences(version=second)
    assert found is not None
    assert [one.name for one in found.added] == ["b.wav"]
    assert [(one.name, count) for one, count in found.reviewed] == [("a.wav", 1)]
    assert found.left_out == [juma]
    assert {record.speaker.name for record in found.consents} == {"Amina", "Juma"}
    assert (found.removed, found.brought_back) == ([], [])


def test_only_what_ended_or_narrowed_since_the_seal_is_told_as_a_changed_consent():
    dataset = sealed.dataset()
    draft = dataset.versions.get()
    sealed.add(draft, said=NEWS)
    amina, juma = ConsentRecord.objects.order_by("speaker__pseudonym")
    by = editor(draft)
    consent.withdraw_purposes(record=amina, purposes=["redistribution"], by=by)
    second = next_of(sealed.seal(draft))
    assert outlook.differences(version=second).consents == []
    consent.withdraw_purposes(record=juma, purposes=["commercial"], by=by)
    assert outlook.differences(version=second).consents == [juma]


def test_a_consent_that_ran_out_since_the_seal_is_told_as_a_changed_consent(monkeypatch):
    dataset = sealed.dataset()
    draft = dataset.versions.get()
    sealed.add(draft, said=NEWS[:1], expires_on=clock.in_days(30))
    second = next_of(sealed.seal(draft))
    clock.on(clock.in_days(29), monkeypatch)
    assert outlook.differences(version=second).consents == []
    clock.on(clock.in_days(1), monkeypatch)
    assert outlook.differences(version=second).consents == [ConsentRecord.objects.get()]


def test_a_correction_in_the_next_version_changes_its_clip_and_no_other(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="b.wav")
    segment = Segment.objects.of(second).get(recording__name="a.wav", position=0)
    review.review_segment(segment=segment, by=editor(second), text="Good morning, valley.")
    second = sealed.seal(second)
    told = dict(second.release_files.exclude(told=None).values_list("path", "told__text"))
    before = dict(first.release_files.exclude(told=None).values_list("path", "told__text"))
    assert told["audio/r0001/0001.flac"] == "Good morning, valley."
    assert before["audio/r0001/0001.flac"] == "Good morning from the valley."
    assert told["audio/r0001/0002.flac"] == before["audio/r0001/0002.flac"]


def test_a_correction_carries_over_to_the_version_after(first):
    segment = Segment.objects.of(first).first()
    second = next_of(first)
    review.review_segment(segment=segment, by=editor(second), text="Good morning, valley.")
    sealed.seal(second)
    third = next_of(first)
    assert Segment.objects.of(third).first().text == "Good morning, valley."


def test_who_was_left_out_stays_left_out_of_the_next_version(first):
    juma = first.dataset.speakers.get(name="Juma")
    second = next_of(first, without=[juma])
    assert [one.speaker for one in second.left_out.all()] == [juma]
    sealed.seal(second)
    assert set(second.release_consents.values_list("pseudonym", flat=True)) == {"p-0001"}
    third = next_of(first)
    assert [one.speaker for one in third.left_out.all()] == [juma]


def test_an_open_version_is_not_begun_anew_without_saying_so(first):
    second = next_of(first)
    assert next_of(first) == second
    juma = first.dataset.speakers.get(name="Juma")
    with pytest.raises(versions.CarryOverRefused, match="Version 2 is open already"):
        next_of(first, without=[juma])
    review.leave_out_speaker(version=second, speaker=juma, by=editor(second))
    assert next_of(first, without=[juma]) == second


def test_nobody_of_another_dataset_is_left_out(first):
    stranger = sealed.speaker(sealed.dataset(), "Stranger")
    with pytest.raises(versions.CarryOverRefused, match="another dataset"):
        next_of(first, without=[stranger])
    assert first.dataset.versions.count() == 1


def test_a_version_can_begin_from_an_older_one(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="b.wav")
    sealed.seal(second)
    third = next_of(first, begin_from=first)
    assert (third.number, names(third)) == (3, ["a.wav"])


def test_a_version_does_not_begin_from_one_that_was_withdrawn(first):
    releases.withdraw(version=first, reason="A mistake.", by=editor(first))
    with pytest.raises(versions.CarryOverRefused, match="Version 1 was withdrawn"):
        next_of(first, begin_from=Version.objects.get(pk=first.pk))
    assert names(next_of(first)) == []


def test_after_a_withdrawal_the_next_version_begins_from_the_one_that_stands(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="b.wav")
    second = sealed.seal(second)
    releases.withdraw(version=second, reason="A mistake.", by=editor(first))
    assert next_of(first).begun_from == first


def test_a_version_does_not_begin_from_an_open_one_or_from_another_datasets(first):
    for other in (sealed.dataset().versions.get(), sealed.version()):
        with pytest.raises(versions.CarryOverRefused):
            next_of(first, begin_from=other)
    open_one = next_of(first)
    with pytest.raises(versions.CarryOverRefused):
        next_of(first, begin_from=open_one)


def test_numbers_of_recordings_are_given_once_and_stay(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="0-before-all-others.wav")
    second = sealed.seal(second)
    assert dict(second.dataset.recordings.values_list("name", "number")) == {
        "a.wav": 1,
        "0-before-all-others.wav": 2,
    }
    assert names(second) == ["a.wav", "0-before-all-others.wav"]
    assert clips(first).items() < clips(second).items()


def test_a_draft_is_discarded_with_what_is_its_own_alone(first):
    second = next_of(first)
    sealed.add(second, said=NEWS, path="b.wav")
    versions.discard(version=second, by=editor(first))
    assert list(Version.objects.all()) == [first]
    assert [one.name for one in Recording.objects.all()] == ["a.wav"]
    assert names(next_of(first)) == ["a.wav"]


def test_discarding_the_first_draft_leaves_an_empty_dataset():
    dataset = sealed.dataset()
    sealed.add(dataset.versions.get(), said=NEWS)
    versions.discard(version=dataset.versions.get(), by=editor(dataset.versions.get()))
    assert not dataset.versions.exists()
    assert not Recording.objects.exists()
    assert versions.open_draft(dataset=dataset, by=dataset.created_by).number == 1


def test_a_discarded_transcript_gives_a_recording_its_results_back():
    dataset = sealed.dataset()
    draft = dataset.versions.get()
    walks.upload(draft, "reading.wav", walks.recording())
    people = {"Amina": sealed.speaker(dataset, "Amina")}
    spoken = walks.named(draft, "reading.wav")
    sealed.write_segments(spoken, (Said("he was not an ill disposed", duration_ms=900),), people)
    agree(draft, spoken)
    first = sealed.seal(draft)
    second = next_of(first)
    walks.upload(second, "reading.txt", b"he was not ill disposed")
    assert Recording.objects.get(pk=spoken.pk).intake is None
    versions.discard(version=second, by=editor(first))
    third = next_of(first)
    assert jobs.start(version=third, by=editor(first)) == []
    assert [one.text for one in Segment.objects.of(third)] == ["he was not an ill disposed"]


def agree(draft: Version, recording: Recording) -> None:
    """Amina's consent for all of a recording."""
    consent.record(
        speaker=draft.dataset.speakers.get(name="Amina"),
        notice=consent.Notice("We publish this.", "en"),
        terms=consent.Terms(sealed.OPEN, date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(recording)],
        by=editor(draft),
    )


@pytest.mark.parametrize("state", ["sealed", "about to be", "withdrawn"])
def test_what_is_sealed_or_about_to_be_is_not_discarded(first, state):
    version = first
    if state == "about to be":
        version = next_of(first)
        review.finish(version=version, by=editor(first))
    if state == "withdrawn":
        releases.withdraw(version=first, reason="A mistake.", by=editor(first))
    with pytest.raises(versions.VersionClosed):
        versions.discard(version=version, by=editor(first))
    assert Version.objects.filter(pk=version.pk).exists()


def test_a_withdrawn_version_says_why_and_is_withdrawn_once(first):
    with pytest.raises(releases.ReasonMissing):
        releases.withdraw(version=first, reason=" ", by=editor(first))
    withdrawn = releases.withdraw(version=first, reason="A mistake.", by=editor(first))
    assert withdrawn.state == Version.State.WITHDRAWN
    with pytest.raises(releases.VersionNotSealed):
        releases.withdraw(version=first, reason="A mistake.", by=editor(first))
    with pytest.raises(releases.VersionNotSealed):
        releases.withdraw(version=next_of(first), reason="A mistake.", by=editor(first))


def test_newest_and_newest_sealed_mean_what_they_say(first):
    mine = Dataset.objects.get(pk=first.dataset_id).versions
    second = next_of(first)
    assert (mine.newest(), mine.newest_sealed()) == (second, first)
    second = sealed.seal(second)
    assert (mine.newest(), mine.newest_sealed()) == (second, second)
    releases.withdraw(version=second, reason="A mistake.", by=editor(first))
    assert (mine.newest(), mine.newest_sealed()) == (second, first)


def forget_voices():
    """Let every step look as if it was done before voices were kept."""
    StepRun.objects.filter(name="vad").update(output={"windows": []})


def test_what_nobody_looked_through_for_missing_words_is_new_in_the_next_version(first):
    forget_voices()
    (run,) = jobs.start(version=next_of(first), by=editor(first))
    assert (run.phase, run.state) == (PipelineRun.Phase.INTAKE, PipelineRun.State.PENDING)


@pytest.mark.parametrize("state", [Version.State.REVIEW, Version.State.PROCESSING])
def test_an_open_version_that_nobody_looked_through_becomes_a_draft(state):
    draft = sealed.dataset().versions.get()
    sealed.add(draft, said=NEWS, path="a.wav")
    Version.objects.filter(pk=draft.pk).update(state=state)
    migration = import_module("ingestion.migrations.0011_anew")
    migration.hear_anew(apps, None)
    assert Version.objects.get().state == state
    forget_voices()
    migration.hear_anew(apps, None)
    assert Version.objects.get().state == Version.State.DRAFT
    assert len(jobs.start(version=draft, by=editor(draft))) == 1
