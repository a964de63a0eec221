"""Bringing in the consents of many speakers at once: all of them or none, and only once."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry
from ingestion import consent
from ingestion.archive import sweeping
from ingestion.archive.storage import blob_store
from ingestion.consent import cells, evidence, imports, tables, waiting
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
    values = dict.fromkeys(imports.COLUMNS, "") | tables.EXAMPLE
    values |= {"file": "shows/morning.wav", "evidence": "", "start": "", "end": ""} | changes
    return ",".join(values[column] for column in imports.COLUMNS)


def run(draft, *rows: str, **options) -> Imported:
    table = "\r\n".join([HEADER, *rows]).encode()
    by = factories.owner_of(draft.dataset.organization)
    return imports.run(version=draft, table=table, notice_text=NOTICE, by=by, **options)


def counts(done: Imported) -> tuple[int, ...]:
    """Speakers, records, scopes; known, voided."""
    return tuple(done.counts.values())


@given(st.integers(0, 10**8))
def test_a_time_is_read_as_it_is_written(milliseconds):
    assert cells.clock("start", consent.clock(milliseconds)) == milliseconds


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
    assert counts(done) == (100, 100, 100, 0, 0)
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
    assert counts(run(draft, *rows)) == (0, 0, 0, 2, 0)
    assert list(ConsentRecord.objects.order_by("pk").values()) == before
    assert ConsentScope.objects.count() == 2


def test_a_table_that_grew_adds_only_what_is_new(draft):
    first = row(start="0:00:00", end="0:00:10")
    run(draft, first)
    done = run(draft, first, row(start="0:00:20", end="0:00:30"), row(speaker_name="Juma"))
    assert counts(done) == (2, 2, 2, 0, 0)
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
    assert counts(done) == (0, 0, 0, 1, 1)
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


FAULTY = {
    "speaker_name": "Am\u200bina",
    "jurisdiction": "Atlantis",
    "notice_language": "xx-bad",
    "given_on": "yesterday",
    "expires_on": "2026-02-30",
    "purposes": "mind-reading;research;telepathy",
    "excluded_purposes": "research;voice-clonning",
    "file": "shows/morning.wav",
    "start": "0:00:40",
    "end": "soon",
    "evidence": "missing.pdf",
    "minor": "maybe",
}


def test_no_fault_of_a_row_waits_for_another_to_be_mended(draft):
    with pytest.raises(imports.ImportRefused) as refusal:
        run(draft, row(**FAULTY), row(speaker_name="B", start="0:00:50", end="0:01:30"))
    rows = refusal.value.details["rows"]
    assert sorted((one["row"], one["field"], one["code"]) for one in rows) == [
        (2, "end", "consent-row-invalid"),
        (2, "evidence", "consent-row-invalid"),
        (2, "excluded_purposes", "consent-invalid"),
        (2, "excluded_purposes", "unknown-purpose"),
        (2, "expires_on", "consent-row-invalid"),
        (2, "given_on", "consent-row-invalid"),
        (2, "jurisdiction", "unknown-country"),
        (2, "minor", "consent-row-invalid"),
        (2, "notice_language", "unknown-language"),
        (2, "purposes", "unknown-purpose"),
        (2, "purposes", "unknown-purpose"),
        (2, "speaker_name", "consent-row-invalid"),
        (3, "end", "consent-invalid"),
    ]
    assert "2 of 2 rows" in refusal.value.message
    assert not Speaker.objects.exists()


@given(
    st.lists(
        st.dictionaries(st.sampled_from(sorted(FAULTY)), st.booleans(), max_size=len(FAULTY)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_more_rows_are_refused_than_there_are_and_none_that_is_right(draft, wrong):
    rows = [
        row(**({"speaker_name": f"Speaker {n}"} | {name: FAULTY[name] for name in one}))
        for n, one in enumerate(wrong)
    ]
    bad = [n for n, one in enumerate(wrong, start=2) if set(one) - {"file", "start"}]
    if not bad:
        run(draft, *rows)
        return
    with pytest.raises(imports.ImportRefused) as refusal:
        run(draft, *rows)
    told = refusal.value.details
    assert sorted({one["row"] for one in told["rows"]}) == bad
    assert (told["wrong"], told["total"]) == (len(bad), len(rows))


def test_what_contradicts_its_own_consent_is_named_by_its_column(draft):
    with pytest.raises(imports.ImportRefused) as refusal:
        run(draft, row(), row(purposes="commercial", jurisdiction="UG", evidence=""))
    found = [(one["row"], one["field"]) for one in refusal.value.details["rows"]]
    assert found == [(3, "jurisdiction"), (3, "purposes")]


@pytest.mark.parametrize(
    ("start", "end", "times"),
    [("", "0:00:10", (0, 10_000)), ('"0:00:10,5"', "", (10_500, 60_000)), ("", "", (None, None))],
)
def test_a_time_that_is_left_out_is_the_beginning_or_the_end(draft, start, end, times):
    run(draft, row(start=start, end=end))
    assert ConsentScope.objects.values_list("start_ms", "end_ms").get() == times


def test_a_time_in_a_text_is_refused_and_breaks_nothing(draft, recording):
    Recording.objects.filter(pk=recording.pk).update(kind="document", duration_ms=None)
    with pytest.raises(imports.ImportRefused, match="which has no times"):
        run(draft, row(start="0:00:10"))


def test_rows_are_numbered_as_the_spreadsheet_does_with_empty_ones_between(draft):
    with pytest.raises(imports.ImportRefused) as refusal:
        run(draft, row(), "", "," * (len(imports.COLUMNS) - 1), row(speaker_name="B", minor="x"))
    assert [one["row"] for one in refusal.value.details["rows"]] == [5]


def test_cells_beyond_the_columns_are_not_dropped_in_silence(draft):
    with pytest.raises(imports.ImportRefused, match="more cells than there are columns"):
        run(draft, f"{row()},and more")


def test_the_template_has_a_row_for_each_file_and_empty_ones_are_passed_over(draft):
    sealed.source(draft, path="=cmd|evil.wav", duration_ms=5_000)
    table = imports.prefilled(version=draft)
    _header, first, second = table.splitlines()
    assert first.split(",")[11:13] == ["'=cmd|evil.wav", "0:00:05.000"]
    filled = dict.fromkeys(imports.COLUMNS, "") | tables.EXAMPLE
    filled |= {"evidence": "", "file": "'=cmd|evil.wav", "length": "0:00:05.000", "end": "0:00:04"}
    done = run(draft, ",".join(filled[name] for name in imports.COLUMNS), second)
    assert (done.records, list(done.nobody)) == (1, [3])
    assert [one.name for one in done.recordings] == ["=cmd|evil.wav"]


def test_a_template_that_nobody_filled_in_is_told_so(draft):
    by = factories.owner_of(draft.dataset.organization)
    table = imports.prefilled(version=draft).encode()
    with pytest.raises(tables.TableUnreadable, match="No row of the table is filled in"):
        imports.run(version=draft, table=table, notice_text=NOTICE, by=by)


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_excel_saves_is_read_where_it_can_mean_only_one_thing(draft, delimiter, encoding):
    cells = next(csv.reader([row(speaker_name="Zoë Müller")]))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([imports.COLUMNS, cells])
    by = factories.owner_of(draft.dataset.organization)
    table = out.getvalue().encode(encoding)
    imports.run(version=draft, table=table, notice_text=NOTICE, by=by)
    assert Speaker.objects.get().name == "Zoë Müller"


def test_letters_that_could_be_any_are_never_guessed_and_their_place_is_named(draft):
    table = f"{HEADER}\r\n{row(speaker_name='Zoë')}".encode("cp1252")
    by = factories.owner_of(draft.dataset.organization)
    with pytest.raises(tables.TableUnreadable, match=r"follows «Zo» in line 2.*CSV UTF-8"):
        imports.run(version=draft, table=table, notice_text=NOTICE, by=by)


def test_a_rehearsal_shows_everything_and_leaves_nothing(draft, recording):
    written = AuditEntry.objects.count()
    table = f"{HEADER}\r\n{row()}".encode()
    by = factories.owner_of(draft.dataset.organization)
    with imports.rehearsed(version=draft, table=table, notice_text=NOTICE, by=by) as done:
        assert counts(done) == (1, 1, 1, 0, 0)
        assert consent.in_force(recordings=[recording.pk])
    assert not ConsentRecord.objects.exists()
    assert not Speaker.objects.exists()
    assert AuditEntry.objects.count() == written


def test_an_import_that_would_do_something_else_than_was_shown_does_nothing(draft):
    shown = {"speakers": 2, "records": 2, "scopes": 2, "known": 0, "voided": 0}
    with pytest.raises(imports.ImportChanged):
        run(draft, row(), expected=shown)
    assert not ConsentRecord.objects.exists()


def test_what_waits_comes_back_whole_and_not_after_it_was_swept(draft):
    blob = evidence.keep(name="signed.pdf", chunks=[b"%PDF"])
    sent = waiting.Waiting(b"table", NOTICE, {"signed.pdf": blob})
    address = waiting.keep(sent)
    assert waiting.read(address) == sent
    later = timezone.now() - timedelta(hours=23)
    Blob.objects.update(let_go_at=later)
    sweeping.sweep()
    assert waiting.read(address) == sent
    Blob.objects.update(let_go_at=timezone.now() - timedelta(hours=25))
    sweeping.sweep()
    with pytest.raises(waiting.TableForgotten):
        waiting.read(address)
