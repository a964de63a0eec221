"""The sweeper: what no row has named for a day goes, and nothing else does."""

import hashlib
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingestion import consent
from ingestion.archive import blobs, datasets, fsck, recordings, sweeping, uploads, versions
from ingestion.archive.storage import blob_store
from ingestion.consent import evidence
from ingestion.models import Blob, Recording, Seal, StepFile, StepRun, Upload
from ingestion.pipeline import jobs
from tests import at_rest, factories, sealed, walks

pytestmark = pytest.mark.django_db

FORM = b"I agree. Amina"


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.BLOB_DIR = tmp_path / "blobs"


@pytest.fixture
def text():
    """A text that was uploaded to a draft."""
    version = walks.draft()
    walks.upload(version, "notes.txt", b"Nobody says this.")
    return walks.named(version, "notes.txt")


def prove(version, name: str = "Amina"):
    """A consent with its signed form."""
    return consent.record(
        speaker=sealed.speaker(version.dataset, name),
        notice=consent.Notice("We publish the show.", "en"),
        terms=consent.Terms(("research",), date(2026, 3, 3), "KE"),
        stretches=[consent.Stretch(version.files.first().recording)],
        by=walks.editor(version),
        evidence=consent.Evidence(evidence.keep(name="form.txt", chunks=[FORM]), "form.txt"),
    )


def of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- what is named stays ---------------------------------------------------------------------


def test_what_any_row_names_survives_the_sweeper(monkeypatch):
    version = sealed.version()
    draft = versions.open_draft(dataset=version.dataset, by=walks.editor(version))
    walks.upload(draft, "notes.txt", b"Nobody says this.")
    walks.process(draft)
    prove(draft)
    seal = Seal.objects.get()
    named = {
        Recording.objects.get(name="notes.txt").blob_id,
        of(FORM),
        seal.index_id,
        seal.croissant_id,
        *version.release_files.values_list("blob_id", flat=True),
        *StepFile.objects.values_list("blob_id", flat=True),
    }
    assert named <= at_rest.named()
    for days in (2, 4, 40):
        at_rest.sweep_after(days, monkeypatch)
    assert at_rest.stored() == at_rest.named() >= named
    assert all(of(at_rest.read(sha256)) == sha256 for sha256 in named)
    assert fsck.compare().damaged == []


def test_the_digests_in_a_steps_files_are_relations_as_well(text):
    run = jobs.make_intake(recording=text)
    step, kept = run.steps.first(), [sealed.keep(b"one"), sealed.keep(b"two")]
    stored = {f"{one.pk[:4]}.flac": {"sha256": one.pk, "size": one.size} for one in kept}
    StepRun.objects.filter(pk=step.pk).update(files=stored)
    assert set(step.kept.values_list("name", "blob_id")) == {
        (name, one["sha256"]) for name, one in stored.items()
    }
    step.refresh_from_db()
    step.save()
    assert step.kept.count() == 2
    StepRun.objects.filter(pk=step.pk).update(files={})
    assert not step.kept.exists()


def test_a_step_names_no_bytes_that_nobody_kept(text):
    step = jobs.make_intake(recording=text).steps.first()
    files = {"a.flac": {"sha256": "0" * 64, "size": 1}}
    StepRun.objects.filter(pk=step.pk).update(files=files)
    with pytest.raises(IntegrityError, match="foreign key"), transaction.atomic():
        connection.check_constraints()
    StepRun.objects.filter(pk=step.pk).update(files={})


def test_every_relation_to_bytes_tells_when_it_lets_go():
    """A column that names bytes without a trigger would keep them for ever."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgargs FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'ingestion_let_go'"
        )
        told = {(table, bytes(args).rstrip(b"\0").decode()) for table, args in cursor.fetchall()}
    relations = {
        (relation.related_model._meta.db_table, relation.field.column)
        for relation in Blob._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete
    }
    assert len(relations) == 6
    assert told == relations


# ---- what is not named goes, a day later -----------------------------------------------------


def test_an_erased_original_is_gone_a_day_later(text, monkeypatch):
    walks.process(text.files.get().version)
    sha256, by = text.blob_id, factories.owner_of(text.dataset.organization)
    made = set(StepFile.objects.values_list("blob_id", flat=True))
    recordings.remove(file=text.files.get(), by=by)
    recordings.erase(recording=text, by=by)
    at_rest.sweep_after(0.9, monkeypatch)
    assert sha256 in at_rest.stored()
    at_rest.sweep_after(1.1, monkeypatch)
    assert not at_rest.stored() & {sha256, *made}
    assert not Blob.objects.filter(pk__in={sha256, *made}).exists()


def test_what_a_step_made_goes_with_an_erased_original(text, monkeypatch):
    run = jobs.make_intake(recording=text)
    kept = sealed.keep(b"a clip")
    files = {"a.flac": {"sha256": kept.pk, "size": kept.size}}
    run.steps.filter(position=0).update(files=files)
    by = factories.owner_of(text.dataset.organization)
    recordings.remove(file=text.files.get(), by=by)
    at_rest.sweep_after(2, monkeypatch)
    assert kept.pk in at_rest.stored()
    recordings.erase(recording=text, by=by)
    at_rest.sweep_after(1.1, monkeypatch)
    assert kept.pk not in at_rest.stored()


def test_what_was_sealed_outlives_its_original(monkeypatch):
    version = sealed.version()
    recording = version.files.get().recording
    clips = set(version.release_files.values_list("blob_id", flat=True))
    original = recording.blob_id
    recordings.erase(recording=recording, by=walks.editor(version))
    at_rest.sweep_after(2, monkeypatch)
    assert original not in at_rest.stored()
    assert clips <= at_rest.stored()


def test_the_signed_form_of_an_erased_consent_is_gone_a_day_later(text, monkeypatch):
    version = text.files.get().version
    record = prove(version)
    at_rest.sweep_after(2, monkeypatch)
    consent.erase(record=record, by=walks.editor(version))
    assert of(FORM) in at_rest.stored()
    at_rest.sweep_after(1.1, monkeypatch)
    assert of(FORM) not in at_rest.stored()
    assert text.blob_id in at_rest.stored()


def test_the_form_of_two_peoples_consents_stays_while_one_of_them_stands(text, monkeypatch):
    version = text.files.get().version
    first, second = prove(version), prove(version, "Juma")
    consent.erase(record=first, by=walks.editor(version))
    at_rest.sweep_after(2, monkeypatch)
    assert of(FORM) in at_rest.stored()
    consent.erase(record=second, by=walks.editor(version))
    at_rest.sweep_after(4, monkeypatch)
    assert of(FORM) not in at_rest.stored()


def test_evidence_of_a_refused_import_is_gone_a_day_later(monkeypatch):
    evidence.keep_all([("form.pdf", [FORM])])
    at_rest.sweep_after(0.9, monkeypatch)
    assert of(FORM) in at_rest.stored()
    at_rest.sweep_after(1.1, monkeypatch)
    assert (at_rest.stored(), Blob.objects.count()) == (set(), 0)


def test_a_deleted_dataset_takes_its_bytes_along(text, monkeypatch):
    at_rest.sweep_after(2, monkeypatch)
    datasets.delete(dataset=text.dataset, by=factories.owner_of(text.dataset.organization))
    assert not Recording.objects.exists()
    at_rest.sweep_after(1.1, monkeypatch)
    assert at_rest.stored() == set()


def test_the_day_begins_anew_when_bytes_are_kept_again(monkeypatch):
    kept = sealed.keep(FORM)
    with monkeypatch.context() as patched:
        at_rest.days_later(0.9, patched)
        sealed.keep(FORM)
    at_rest.sweep_after(1.1, monkeypatch)
    assert kept.pk in at_rest.stored()
    at_rest.sweep_after(2, monkeypatch)
    assert kept.pk not in at_rest.stored()


# ---- what no row knows -----------------------------------------------------------------------


def test_bytes_without_a_row_get_a_day_for_somebody_to_name_them(monkeypatch):
    with blob_store().put_bytes(FORM) as staged:
        blob_store().place(staged)
    os.utime(at_rest.path_of(of(FORM)), (1, 1))  # However old a restored backup says they are.
    assert sweeping.sweep() == sweeping.Swept(removed=0, found=1)
    assert Blob.objects.get().size == len(FORM)
    at_rest.sweep_after(0.9, monkeypatch)
    assert at_rest.stored() == {of(FORM)}
    assert at_rest.sweep_after(1.1, monkeypatch).removed == 1
    assert (at_rest.stored(), Blob.objects.count()) == (set(), 0)


def test_the_store_is_walked_in_stretches_and_from_the_start_again(monkeypatch):
    monkeypatch.setattr(sweeping, "LOOKED_AT", 3)
    for number in range(7):
        with blob_store().put_bytes(bytes([number])) as staged:
            blob_store().place(staged)
    assert [sweeping.sweep().found for _ in range(4)] == [3, 3, 1, 0]
    with blob_store().put_bytes(b"late") as staged:
        blob_store().place(staged)
    assert sum(sweeping.sweep().found for _ in range(3)) == 1
    assert set(Blob.objects.values_list("pk", flat=True)) == at_rest.stored()


def test_what_is_not_an_address_is_let_be(settings):
    """Whatever else an operator, or a file system, puts into the folder."""
    root = Path(settings.BLOB_DIR)
    for name in ("lost+found/x", "ab/README", f"ab/cd/{'A' * 64}", "notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b".")
    assert sweeping.sweep() == sweeping.Swept()
    assert sum(path.is_file() for path in root.rglob("*")) == 4


def test_half_a_file_that_nobody_writes_any_more_is_gone_a_day_later(settings):
    upload = walks.begin(walks.draft(), "a.txt", FORM)
    walks.send(upload, 1, FORM)
    incoming = Path(settings.BLOB_DIR) / "incoming"
    halves = [incoming / "new-one", incoming / str(upload.pk) / "new-two"]
    for path in halves:
        path.write_bytes(b"half of")
    assert sweeping.sweep().partial == 0
    yesterday = (timezone.now() - timedelta(days=1, minutes=1)).timestamp()
    for path in halves:
        os.utime(path, (yesterday, yesterday))
    assert sweeping.sweep().partial == 2
    assert not any(path.exists() for path in halves)
    assert uploads.complete(upload=upload, by=upload.created_by).state == Upload.State.COMPLETE


def test_parts_of_an_upload_that_ended_are_forgotten(text):
    """As when the process was killed before it could forget them itself."""
    done = Upload.objects.get()
    size, sha256 = 1, of(b".")
    blob_store().put_part(upload=done.pk, number=1, size=size, sha256=sha256, chunks=[b"."])
    under_way = walks.begin(text.files.get().version, "b.txt", FORM)
    walks.send(under_way, 1, FORM)
    uploads.expire()
    assert list(blob_store().uploads()) == [under_way.pk]


# ---- what it costs ---------------------------------------------------------------------------


def test_an_idle_sweeper_looks_at_no_row_that_it_has_seen_named(
    monkeypatch, django_assert_num_queries
):
    version = sealed.version()
    at_rest.sweep_after(2, monkeypatch)
    later = timezone.now() + timedelta(days=400)
    assert not sweeping.let_go(before=later).exists()
    with django_assert_num_queries(1):
        assert sweeping.remove_let_go(before=later) == 0
    assert version.release_files.count() > 3


def test_keeping_thousands_of_files_takes_few_locks():
    digests = [of(str(number).encode()) for number in range(5000)]
    with transaction.atomic():
        blobs.hold(digests)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks "
                "WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
            (held,) = cursor.fetchone()
    assert 1 < held <= blobs.LOCKS
