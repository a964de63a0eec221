"""Consent: what it covers, what can't stand, and bringing in many at once."""

from datetime import date, timedelta

import pytest
from commonhold.purposes import UnknownPurposeError
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from ingestion import consent, consent_import, datasets
from ingestion.consent import ConsentInvalid, Notice, Person, Stretch, Terms
from ingestion.models import ConsentEvent, ConsentRecord, ConsentScope, File, Speaker
from tests import factories, sealed

pytestmark = pytest.mark.django_db

NOTICE = Notice("We would like to publish this recording.", "en", "1")
HEADER = ",".join(consent_import.COLUMNS)


@pytest.fixture
def draft():
    dataset = sealed.dataset()
    return datasets.open_draft(dataset=dataset, by=factories.owner_of(dataset.organization))


@pytest.fixture
def recording(draft) -> File:
    return sealed.source(draft, path="shows/morning.wav", duration_ms=60_000)


def terms(**changes) -> Terms:
    given_on = changes.pop("given_on", date(2026, 3, 3))
    return Terms(purposes=("research",), given_on=given_on, jurisdiction="KE", **changes)


def record(recording: File, *stretch: int, name: str = "Amina", **changes) -> ConsentRecord:
    dataset = recording.version.dataset
    return consent.record(
        speaker=consent.add_speaker(dataset=dataset, person=Person(name)),
        notice=NOTICE,
        terms=terms(**changes),
        stretches=[Stretch(recording, *stretch)],
        by=factories.owner_of(dataset.organization),
    )


def covered(recording: File) -> consent.Coverage:
    """What the consents in force say of the first second."""
    in_force = ConsentRecord.objects.in_force()
    scopes = ConsentScope.objects.filter(file=recording, record__in=in_force)
    return consent.cover(scopes=list(scopes), start_ms=0, end_ms=1000)


def test_a_speaker_is_known_by_a_pseudonym_that_says_nothing(recording):
    first = record(recording, 0, 1000, name="Amina")
    second = record(recording, 1000, 2000, name="Juma")
    again = record(recording, 2000, 3000, name="Amina")
    assert [one.speaker.pseudonym for one in (first, second, again)] == [
        "p-0001",
        "p-0002",
        "p-0001",
    ]


def test_two_records_of_the_same_terms_have_unlinkable_commitments(recording):
    assert record(recording, 0, 1000).commitment != record(recording, 0, 1000).commitment


def test_a_stretch_past_the_end_of_the_recording_is_refused(recording):
    with pytest.raises(
        ConsentInvalid, match=r"is 0:01:00\.000 long; the stretch ends at 0:01:00\.001"
    ):
        record(recording, 0, 60_001)
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"given_on": date(2126, 1, 1)}, "given_on"),
        ({"expires_on": date(2026, 3, 3)}, "expires_on"),
        ({"expires_on": timezone.localdate()}, "expires_on"),
        ({"excluded_purposes": ("research",)}, "excluded_purposes"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_field(recording, change, field):
    with pytest.raises(ConsentInvalid) as refusal:
        record(recording, **change)
    assert refusal.value.details["field"] == field
    assert not ConsentRecord.objects.exists()


def test_a_purpose_nobody_knows_is_refused(recording):
    with pytest.raises(UnknownPurposeError, match="mind-reading"):
        record(recording, excluded_purposes=("mind-reading",))


def test_an_expired_consent_covers_nothing(recording):
    yesterday = timezone.localdate() - timedelta(days=1)
    one = record(recording)
    values = {
        field.attname: getattr(one, field.attname)
        for field in ConsentRecord._meta.concrete_fields
        if field.attname not in {"id", "status_index"}
    }
    lapsed = ConsentRecord.objects.create(**values | {"expires_on": yesterday})
    ConsentScope.objects.create(record=lapsed, file=recording)
    found = covered(recording)
    assert found.records == [one]


def test_a_withdrawn_consent_covers_nothing_and_the_history_says_so(recording):
    one = record(recording)
    consent.withdraw(record=one, by="Amina")
    consent.withdraw(record=one, by="Amina")
    assert not covered(recording).is_complete
    events = ConsentEvent.objects.filter(record_id=one.pk).values_list("type", flat=True)
    assert list(events) == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]


def test_the_database_refuses_to_edit_what_was_agreed(recording):
    one = record(recording)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.filter(pk=one.pk).update(purposes=["commercial"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentEvent.objects.all().delete()


stretches = st.lists(
    st.tuples(st.integers(0, 99), st.integers(1, 100))
    .map(lambda pair: (min(pair), max(pair)))
    .filter(lambda pair: pair[0] < pair[1]),
    max_size=6,
)


@given(scopes=stretches, start=st.integers(0, 99), length=st.integers(1, 40))
def test_coverage_finds_exactly_the_milliseconds_that_no_scope_holds(scopes, start, length):
    end = start + length
    rows = [ConsentScope(record=ConsentRecord(), start_ms=a, end_ms=b) for a, b in scopes]
    found = consent.cover(scopes=rows, start_ms=start, end_ms=end)
    open_ms = {ms for a, b in found.gaps for ms in range(a, b)}
    held = {ms for a, b in scopes for ms in range(a, b)}
    assert open_ms == set(range(start, end)) - held
    assert found.is_complete == (not open_ms)


@given(st.integers(0, 10**8))
def test_a_time_is_read_as_it_is_written(milliseconds):
    assert consent_import.parse_clock("start", consent.clock(milliseconds)) == milliseconds


def row(**changes) -> str:
    values = dict(zip(consent_import.COLUMNS, consent_import.EXAMPLE, strict=True))
    values |= {"file": "shows/morning.wav", "evidence": "", "start": "", "end": ""} | changes
    return ",".join(values[column] for column in consent_import.COLUMNS)


def run(draft, *rows: str) -> consent_import.Imported:
    table = "\r\n".join([HEADER, *rows]).encode()
    by = factories.owner_of(draft.dataset.organization)
    return consent_import.run(version=draft, table=table, notice_text=NOTICE.text, by=by)


def test_a_hundred_speakers_come_in_at_once(draft, recording):
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
    assert (done.speakers, done.records, done.scopes) == (100, 100, 100)
    assert Speaker.objects.count() == 100


def test_rows_of_one_speaker_and_day_are_one_consent(draft, recording):
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


def test_one_bad_row_imports_nothing_and_every_bad_row_is_named(draft, recording):
    with pytest.raises(consent_import.ImportRefused) as refusal:
        run(
            draft,
            row(),
            row(speaker_name="B", file="nowhere.wav"),
            row(speaker_name="C", start="0:00:50", end="0:01:30"),
            row(speaker_name="D", purposes="mind-reading"),
            row(speaker_name="E", expires_on="2026-08-01"),
            row(speaker_name="F", given_on="yesterday"),
            row(speaker_name="G", evidence="missing.pdf"),
        )
    assert [(fault["row"], fault["field"]) for fault in refusal.value.details["rows"]] == [
        (3, "file"),
        (4, "end"),
        (5, "purposes"),
        (6, "expires_on"),
        (7, "given_on"),
        (8, "evidence"),
    ]
    assert not Speaker.objects.exists()
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize(
    "table", [b"", b"name,consent\r\nAmina,yes", b"\xff\xfe\x00", HEADER.encode()]
)
def test_a_table_that_is_not_ours_is_refused(draft, table):
    by = factories.owner_of(draft.dataset.organization)
    with pytest.raises(consent_import.ImportRefused):
        consent_import.run(version=draft, table=table, notice_text="x", by=by)


def test_the_template_imports_once_its_file_is_there(draft):
    sealed.source(draft, path="audio/morning-show.wav", duration_ms=600_000)
    template = consent_import.template().replace("amina-signed.pdf", "")
    by = factories.owner_of(draft.dataset.organization)
    done = consent_import.run(
        version=draft, table=template.encode(), notice_text=NOTICE.text, by=by
    )
    assert done.scopes == 1
