"""Datasets: made, edited before and after the seal, and deleted while nothing was published."""

import pytest

from accounts.models import AuditEntry
from ingestion import releases, review
from ingestion.archive import datasets, languages, uploads, versions
from ingestion.archive.storage import blob_store
from ingestion.models import (
    ConsentRecord,
    Dataset,
    News,
    PipelineRun,
    Recording,
    Segment,
    Speaker,
    Upload,
    Version,
)
from ingestion.pipeline import jobs
from tests import factories, sealed, walks
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))


@pytest.fixture
def dataset() -> Dataset:
    return sealed.dataset(title="Morning show", description="Every day.", slug="morning")


def edit(dataset: Dataset, **changes) -> Dataset:
    return datasets.edit(dataset=dataset, by=owner(dataset), **changes)


def owner(dataset: Dataset):
    return factories.owner_of(dataset.organization)


def readme(version: Version) -> str:
    file = version.release_files.get(path="README.md")
    with blob_store().open(file.blob_id) as stored:
        return stored.read().decode()


def test_a_dataset_is_made_with_a_draft(dataset):
    draft = dataset.versions.get()
    assert (draft.number, draft.state, draft.begun_from) == (1, Version.State.DRAFT, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Morning Show"}, "slug"),
        ({"slug": "a" * 81}, "slug"),
        ({"title": "  "}, "title"),
        ({"task": "mind-reading"}, "task"),
    ],
)
def test_particulars_that_can_not_stand_are_refused_by_field(change, field):
    organization = factories.organization()
    stated = {"slug": "morning", "title": "Morning", "task": "speech-recognition"} | change
    with pytest.raises(datasets.InvalidDataset) as refusal:
        datasets.create(
            organization=organization,
            language="sw",
            by=factories.owner_of(organization),
            **stated,
        )
    assert refusal.value.details["field"] == field
    assert not Dataset.objects.exists()


def test_two_datasets_of_an_organization_have_two_names(dataset):
    with pytest.raises(datasets.DatasetExists, match="morning"):
        sealed.dataset(dataset.organization, slug="morning")
    assert sealed.dataset(slug="morning") != dataset


def test_a_language_is_kept_by_its_tag_and_can_be_named(dataset):
    assert edit(dataset, language="Kiswahili").language == "sw"
    with pytest.raises(languages.UnknownLanguage) as refusal:
        edit(dataset, language="gibberish")
    assert refusal.value.details["field"] == "language"


def test_before_the_seal_everything_can_be_edited_and_is_sealed(dataset):
    draft = dataset.versions.get()
    sealed.add(draft, said=SAID)
    edit(
        dataset,
        title="Evening show",
        description="Every night.",
        card="## Who speaks\n\nNeighbors.",
        language="en-KE",
        task="speech-synthesis",
    )
    version = sealed.seal(Version.objects.get(pk=draft.pk))
    assert (version.title, version.language, version.task) == (
        "Evening show",
        "en-KE",
        "speech-synthesis",
    )
    card = readme(version)
    for told in ("Evening show", "Every night.", "## Who speaks", "text-to-speech", '"en-KE"'):
        assert told in card


def test_after_the_seal_the_texts_change_what_the_catalogue_says_and_not_the_release(dataset):
    sealed.add(dataset.versions.get(), said=SAID)
    version = sealed.seal(dataset.versions.get())
    before = readme(version)
    told = News.objects.count()
    assert edit(dataset, title="Evening show", card="New.").title == "Evening show"
    version.refresh_from_db()
    assert version.title == "Morning show"
    assert readme(version) == before
    assert [row.kind for row in News.objects.all()[told:]] == [News.Kind.EDITED]


@pytest.mark.parametrize("change", [{"language": "sw"}, {"task": "speech-synthesis"}])
def test_after_the_seal_language_and_task_wait_for_the_next_version(dataset, change):
    sealed.add(dataset.versions.get(), said=SAID)
    sealed.seal(dataset.versions.get())
    with pytest.raises(versions.VersionClosed, match="sealed with version 1"):
        edit(dataset, title="Evening show", **change)
    dataset.refresh_from_db()
    assert dataset.title == "Morning show"
    versions.open_draft(dataset=dataset, by=owner(dataset))
    for name, value in change.items():
        assert getattr(edit(dataset, **change), name) == value


def test_an_edit_that_changes_nothing_is_no_news(dataset):
    entries = AuditEntry.objects.count()
    edit(dataset, title=" Morning show ", description="Every day.", language="eng")
    assert AuditEntry.objects.count() == entries
    assert not News.objects.exists()


def test_a_refused_edit_changes_nothing(dataset):
    for change in ({"title": " "}, {"card": "x" * 50_001}, {"task": "x"}):
        with pytest.raises(datasets.InvalidDataset):
            edit(dataset, **{"description": "Every night."} | change)
    dataset.refresh_from_db()
    assert dataset.description == "Every day."


def test_what_was_heard_in_another_language_is_heard_anew(dataset):
    draft = dataset.versions.get()
    sealed.add(draft, said=SAID, path="a.wav")
    sealed.add(draft, said=SAID, path="b.wav")
    Recording.objects.filter(name="b.wav").update(language="fr")
    jobs.start(version=draft, by=editor(draft))
    edit(dataset, language="sw")
    draft.refresh_from_db()
    assert draft.state == Version.State.DRAFT
    (run,) = jobs.start(version=draft, by=editor(draft))
    assert (run.recording.name, run.recording.spoken) == ("a.wav", "sw")


def test_going_back_to_the_language_brings_the_work_back(dataset):
    draft = dataset.versions.get()
    sealed.add(draft, said=SAID)
    edit(dataset, language="sw")
    edit(dataset, language="en")
    assert jobs.start(version=draft, by=editor(draft)) == []
    assert Segment.objects.of(draft).count() == 2


def test_the_language_waits_while_recordings_are_processed(dataset):
    draft = dataset.versions.get()
    sealed.source(draft)
    jobs.start(version=draft, by=editor(draft))
    with pytest.raises(versions.VersionClosed, match="is being processed"):
        edit(dataset, language="sw")


def test_the_language_stays_once_the_review_is_finished(dataset):
    draft = dataset.versions.get()
    sealed.add(draft, said=SAID)
    review.finish(version=draft, by=editor(draft))
    with pytest.raises(versions.VersionClosed, match="sealed or about to be"):
        edit(dataset, language="sw")


def test_a_dataset_of_which_nothing_was_sealed_is_deleted_with_all_that_is_in_it(dataset):
    draft = dataset.versions.get()
    sealed.add(draft, said=SAID)
    walks.upload(draft, "reading.wav", walks.recording())
    walks.upload(draft, "reading.txt", b"he was")
    datasets.delete(dataset=dataset, by=owner(dataset))
    for model in (Dataset, Version, Recording, Speaker, ConsentRecord, PipelineRun, Upload):
        assert not model.objects.exists(), model
    entry = AuditEntry.objects.get(verb="dataset.deleted")
    assert entry.copies["title"] == "Morning show"
    assert entry.copies["recordings"] == 3


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_a_dataset_of_which_something_was_sealed_is_not_deleted(dataset, is_withdrawn):
    sealed.add(dataset.versions.get(), said=SAID)
    version = sealed.seal(dataset.versions.get())
    if is_withdrawn:
        releases.withdraw(version=version, reason="A mistake.", by=owner(dataset))
    with pytest.raises(datasets.DatasetPublished, match=r"Version 1 of .*morning"):
        datasets.delete(dataset=dataset, by=owner(dataset))
    assert Recording.objects.count() == 1


def test_the_sweeper_forgets_the_parts_of_uploads_whose_draft_is_gone(dataset):
    data = walks.recording()
    begun = [
        walks.begin(one.versions.get(), "late.wav", data) for one in (dataset, sealed.dataset())
    ]
    for one in begun:
        walks.send(one, 1, data)
    gone, kept = begun
    versions.discard(version=gone.version, by=owner(dataset))
    uploads.expire()
    assert gone.pk not in blob_store().uploads()
    assert kept.pk in blob_store().uploads()
    assert uploads.complete(upload=kept, by=kept.created_by).state == Upload.State.COMPLETE
