"""Bringing in the consents of many speakers at once: all of them or none, and only once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry
from ingestion import consent
from ingestion.archive.storage import blob_store
from ingestion.consent import evidence, imports, tables
from ingestion.consent.imports import Imported
from ingestion.models import Blob, ConsentRecord, ConsentScope, Recording, Speaker, Version
from tests import factories, sealed

pytestmark = pytest.mark.django_db

NOTICE = "We would like to publish this recording."
HEADER = ",".join(imports.COLUMNS)


@pytest.fixture
def draft() -> Version:
    return sealed.dataset().versions.get()


@pytest.fixture(autouse=True)
def recording(draft) -> Recording:
    return sealed.source(draft, path="shows/morning.wav", duration_ms=60_000)


def row(**changes) -> str:
    values = dict(zip(imports.COLUMNS, tables.EXAMPLE, strict=True))
    values |= {"file": "shows/morning.wav", "evidence": "", "start": "", "end": ""} | changes
    return ",".join(values[column] for column in imports.COLUMNS)


def run(draft, *rows: str, **options) -> Imported:
    table = "\r\n".join([HEADER, *rows]).encode()
    by = factories.owner_of(draft.dataset.organization)
    return imports.run(version=draft, table=table, notice_text=NOTICE, by=by, **options)


@given(st.integers(0, 10**8))
def test_a_time_is_read_as_it_is_written(milliseconds):
    assert tables.clock("start", consent.clock(milliseconds)) == milliseconds


def test_a_hundred_speakers_come_in_at_once(draft):
    done = run(
        draft,
        *(
            row(
                speaker_name=f"Speaker {n}",
                start=f"0:00:{n // 2:02d}",
                end=f"0:00:{n // 2 + 1:02d}",
            )
            for n in range(100)
        ),
    )
    assert done == Imported(speakers=100, records=100, scopes=100)
    assert Speaker.objects.count() == 100


def test_rows_of_one_speaker_and_day_are_one_consent(draft):
    done = run(
        draft,
        row(start="0:00:00", end="0:00:10"),
        row(start="0:00:20", end="0:00:30.500"),
    )
    assert (done.records, done.scopes) == (1, 2)
    assert sorted(ConsentScope.objects.values_list("start_ms", "end_ms")) == [
        (0, 10_000),
        (20_000, 30_500),
    ]


def test_the_same_table_twice_changes_nothing(draft):
    rows = [row(), row(speaker_name="Juma", start="0:00:01", end="0:00:02")]
    run(draft, *rows)
    before = list(ConsentRecord.objects.order_by("pk").values())
    assert run(draft, *rows) == Imported(speakers=0, records=0, scopes=0, known=2)
    assert list(ConsentRecord.objects.order_by("pk").values()) == before
    assert ConsentScope.objects.count() == 2


def test_a_table_that_grew_adds_only_what_is_new(draft):
    first = row(start="0:00:00", end="0:00:10")
    run(draft, first)
    done = run(draft, first, row(start="0:00:20", end="0:00:30"), row(speaker_name="Juma"))
    assert done == Imported(speakers=2, records=2, scopes=2)
    assert ConsentScope.objects.count() == 3


def test_what_was_withdrawn_is_not_given_again_by_the_same_table(draft, recording):
    run(draft, row())
    owner = factories.owner_of(draft.dataset.organization)
    consent.withdraw(record=ConsentRecord.objects.get(), by=owner)
    assert run(draft, row()).known == 1
    assert not consent.in_force(recordings=[recording.pk])


def test_what_was_struck_out_as_a_mistake_stays_struck_out(draft, recording):
    run(draft, row(), row(speaker_name="Juma"))
    owner = factories.owner_of(draft.dataset.organization)
    mistake = ConsentRecord.objects.get(speaker__name="Juma")
    consent.void(record=mistake, reason="Typed into the wrong table.", by=owner)
    done = run(draft, row(), row(speaker_name="Juma"))
    assert done == Imported(speakers=0, records=0, scopes=0, known=1, voided=1)
    assert ConsentRecord.objects.count() == 2


def test_one_bad_row_imports_nothing_and_every_bad_row_is_named(draft):
    written = AuditEntry.objects.count()
    with pytest.raises(imports.ImportRefused) as refusal:
        run(
            draft,
            row(),
            row(speaker_name="B", file="nowhere.wav"),
            row(speaker_name="C", start="0:00:50", end="0:01:30"),
            row(speaker_name="D", purposes="mind-reading"),
            row(speaker_name="E", expires_on="2026-08-01"),
            row(speaker_name="F", given_on="yesterday"),
            row(speaker_name="G", evidence="missing.pdf"),
            row(speaker_name="H", jurisdiction="Atlantis"),
            row(speaker_name=""),
            row(speaker_name="J", purposes=""),
            row(speaker_name="Amina Example", purposes="commercial"),
        )
    assert [(fault["row"], fault["field"]) for fault in refusal.value.details["rows"]] == [
        (3, "file"),
        (4, "end"),
        (5, "purposes"),
        (6, "expires_on"),
        (7, "given_on"),
        (8, "evidence"),
        (9, "jurisdiction"),
        (10, "speaker_name"),
        (11, "purposes"),
        (12, "purposes"),
    ]
    assert "10 of 11 rows" in refusal.value.message
    assert not Speaker.objects.exists()
    assert not ConsentRecord.objects.exists()
    assert AuditEntry.objects.count() == written


@pytest.mark.parametrize(
    "table", [b"", b"name,consent\r\nAmina,yes", b"\xff\xfe\x00", HEADER.encode()]
)
def test_a_table_that_is_not_ours_is_refused(draft, table):
    by = factories.owner_of(draft.dataset.organization)
    with pytest.raises(tables.TableUnreadable):
        imports.run(version=draft, table=table, notice_text="x", by=by)


def test_the_template_imports_once_its_file_is_there(draft):
    sealed.source(draft, path="audio/morning-show.wav", duration_ms=600_000)
    template = imports.template().replace("amina-signed.pdf", "")
    by = factories.owner_of(draft.dataset.organization)
    done = imports.run(version=draft, table=template.encode(), notice_text=NOTICE, by=by)
    assert done.scopes == 1


def test_evidence_that_was_sent_along_stays_with_its_consent(draft):
    blob = evidence.keep(name="signed.pdf", chunks=[b"%PDF ", b"signed"])
    run(draft, row(evidence="signed.pdf"), evidence={"signed.pdf": blob})
    record = ConsentRecord.objects.get()
    assert (record.evidence, record.evidence_name) == (blob, "signed.pdf")
    with blob_store().open(blob.pk) as stored:
        assert stored.read() == b"%PDF signed"


@pytest.mark.parametrize(
    ("chunks", "why"), [([], "is empty"), ([bytes(10**6)] * 51, "more than 50 MB")]
)
def test_evidence_that_can_not_be_kept_leaves_nothing_behind(chunks, why):
    known = Blob.objects.count()
    with pytest.raises(evidence.EvidenceInvalid, match=why):
        evidence.keep(name="signed.pdf", chunks=chunks)
    assert Blob.objects.count() == known


def test_two_pieces_of_evidence_of_one_name_are_refused():
    with pytest.raises(evidence.EvidenceInvalid, match=r"Two files are called «signed\.pdf»"):
        evidence.keep_all([("signed.pdf", [b"one"]), ("signed.pdf", [b"other"])])
