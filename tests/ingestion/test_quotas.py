"""Quotas: what an organization may take up, also when it asks twice at the same moment."""

from datetime import date
from functools import partial

import pytest

from ingestion import consent
from ingestion.archive import datasets, quotas, recordings, uploads, versions
from ingestion.archive.quotas import Kind, QuotaExceeded
from ingestion.consent import evidence
from ingestion.models import ConsentRecord, Dataset, Upload, Version
from ingestion.pipeline import jobs
from tests import at_once, factories, sealed, walks

GIB = 1024**3
pytestmark = pytest.mark.django_db


def announce(dataset: Dataset, name: str, size: int = 1000) -> Upload:
    """Begin an upload to a dataset's draft."""
    by = factories.owner_of(dataset.organization)
    version = versions.open_draft(dataset=dataset, by=by)
    return uploads.begin(version=version, path=name, size=size, by=by)


def used(dataset: Dataset, kind: Kind) -> int:
    """What the organization of a dataset takes up."""
    return {quota.kind: quota.used for quota in quotas.of(dataset.organization)}[kind]


def test_a_new_account_cannot_announce_more_than_it_may_store():
    dataset = sealed.dataset()
    for number in range(25):
        announce(dataset, f"{number}.wav", 20 * GIB)
    with pytest.raises(QuotaExceeded) as refusal:
        announce(dataset, "25.wav", 20 * GIB)
    assert refusal.value.details == {
        "organization": str(dataset.organization),
        "quota": "bytes",
        "used": 500 * GIB,
        "limit": 500 * GIB,
        "more": 20 * GIB,
    }
    assert used(dataset, Kind.BYTES) == 500 * GIB


def test_another_dataset_of_the_organization_gives_no_further_room(settings):
    settings.QUOTAS = settings.QUOTAS | {"bytes": 1500}
    dataset = sealed.dataset()
    announce(dataset, "a.wav")
    with pytest.raises(QuotaExceeded):
        announce(sealed.dataset(dataset.organization, slug="other"), "b.wav")


def test_what_others_take_up_takes_nothing_away(settings):
    settings.QUOTAS = settings.QUOTAS | {"bytes": 1500}
    announce(sealed.dataset(), "a.wav")
    announce(sealed.dataset(), "a.wav")


def test_bytes_that_arrived_count_and_what_was_given_up_does_not(settings):
    version = walks.draft()
    data = b"Good morning from the valley."
    walks.upload(version, "morning.txt", data)
    assert used(version.dataset, Kind.BYTES) == len(data)
    upload = announce(version.dataset, "evening.txt", 100)
    assert used(version.dataset, Kind.BYTES) == len(data) + 100
    uploads.cancel(upload=upload, by=upload.created_by)
    assert used(version.dataset, Kind.BYTES) == len(data)
    assert used(version.dataset, Kind.UPLOADS) == 0


def test_recordings_that_were_removed_go_with_the_draft_and_make_room_as_the_refusal_says(settings):
    settings.QUOTAS = settings.QUOTAS | {"bytes": 1000}
    version = walks.draft()
    by = walks.editor(version)
    for name in ("morning.txt", "evening.txt"):
        walks.upload(version, name, b"Good day.")
    recordings.remove(file=version.files.get(key="morning.txt"), by=by)
    assert used(version.dataset, Kind.BYTES) == 18
    with pytest.raises(QuotaExceeded, match="discard"):
        announce(version.dataset, "b.wav")
    versions.discard(version=version, by=by)
    assert used(version.dataset, Kind.BYTES) == 0
    announce(version.dataset, "b.wav")


def test_what_a_sealed_version_holds_counts_on_when_the_next_draft_is_discarded():
    first = sealed.version()
    before = used(first.dataset, Kind.BYTES)
    by = walks.editor(first)
    second = versions.open_draft(dataset=first.dataset, by=by)
    recordings.remove(file=second.files.first(), by=by)
    versions.discard(version=second, by=by)
    assert used(first.dataset, Kind.BYTES) == before > 0


def agree(version: Version, name: str, form: bytes) -> ConsentRecord:
    """A consent for what is in a version, with its signed form."""
    return consent.record(
        speaker=sealed.speaker(version.dataset, name),
        notice=consent.Notice("We publish the show.", "en"),
        terms=consent.Terms(("research",), date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(version.files.first().recording)],
        by=walks.editor(version),
        evidence=consent.Evidence(evidence.keep(name="form.pdf", chunks=[form]), "form.pdf"),
    )


def test_signed_forms_count_once_each_and_are_not_kept_beyond_the_quota(settings):
    version = walks.draft()
    walks.upload(version, "a.txt", b"Good day.")
    settings.QUOTAS = settings.QUOTAS | {"bytes": 9 + 100}
    for name in ("Amina", "Juma", "Amina"):
        agree(version, name, bytes(90))
    assert used(version.dataset, Kind.BYTES) == 9 + 90
    with pytest.raises(QuotaExceeded):
        agree(version, "Zuri", bytes(20))
    assert ConsentRecord.objects.count() == 2
    agree(version, "Zuri", bytes(10))


def test_uploads_are_not_begun_without_end(settings):
    settings.QUOTAS = settings.QUOTAS | {"uploads": 2}
    dataset = sealed.dataset()
    first = announce(dataset, "a.wav")
    announce(dataset, "b.wav")
    with pytest.raises(QuotaExceeded, match="2 uploads under way; 2 may be"):
        announce(dataset, "c.wav")
    assert announce(dataset, "a.wav").pk == first.pk
    uploads.cancel(upload=first, by=first.created_by)
    announce(dataset, "c.wav")


def test_drafts_are_not_opened_without_end(settings):
    settings.QUOTAS = settings.QUOTAS | {"drafts": 1}
    dataset = sealed.dataset()
    by = factories.owner_of(dataset.organization)
    fresh = {"slug": "b", "title": "B", "language": "sw", "task": "speech-recognition"}
    with pytest.raises(QuotaExceeded, match="works on 1 versions"):
        datasets.create(organization=dataset.organization, by=by, **fresh)
    assert Dataset.objects.filter(organization=dataset.organization).count() == 1
    versions.discard(version=dataset.versions.get(), by=by)
    datasets.create(organization=dataset.organization, by=by, **fresh)


def test_runs_do_not_pile_up_without_end(settings):
    settings.QUOTAS = settings.QUOTAS | {"runs": 1}
    version = walks.draft()
    for name in ("morning", "evening"):
        walks.upload(version, f"{name}.txt", f"Good {name}.".encode())
    with pytest.raises(QuotaExceeded, match="2 more were asked for"):
        jobs.start(version=version, by=walks.editor(version))
    version.refresh_from_db()
    assert version.state == Version.State.DRAFT
    assert used(version.dataset, Kind.RUNS) == 0
    settings.QUOTAS = settings.QUOTAS | {"runs": 2}
    jobs.start(version=version, by=walks.editor(version))
    assert used(version.dataset, Kind.RUNS) == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_asked_at_the_same_moment_is_counted_one_after_the_other(settings):
    settings.QUOTAS = settings.QUOTAS | {"bytes": 3500}
    organization = factories.organization()
    several = [sealed.dataset(organization, slug=f"d{number}") for number in range(8)]
    ended = at_once.all_of(*(partial(announce, one, "a.wav") for one in several))
    assert sum(isinstance(one, Upload) for one in ended) == 3
    assert sum(isinstance(one, QuotaExceeded) for one in ended) == 5
    assert used(several[0], Kind.BYTES) == 3000
