"""Consent: what it covers, what can't stand, and that it is written down once."""

from datetime import date, timedelta

import pytest
from commonhold.purposes import UnknownPurposeError
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from ingestion import consent
from ingestion.archive import languages, recordings
from ingestion.consent import ConsentInvalid, Notice, Person, Stretch, Terms, scopes
from ingestion.models import (
    ConsentEvent,
    ConsentRecord,
    ConsentScope,
    Dataset,
    Recording,
    Speaker,
    Version,
)
from tests import clock, factories, sealed

pytestmark = pytest.mark.django_db

NOTICE = Notice("We would like to publish this recording.", "en", "1")


@pytest.fixture
def draft() -> Version:
    return sealed.dataset().versions.get()


@pytest.fixture
def recording(draft) -> Recording:
    return sealed.source(draft, path="shows/morning.wav", duration_ms=60_000)


def owner(of: Dataset) -> User:
    return factories.owner_of(of.organization)


def terms(**changes) -> Terms:
    stated = {"purposes": ("research",), "given_on": date(2026, 3, 3), "jurisdiction": "KE"}
    return Terms(**stated | changes)


def record(recording: Recording, *stretch: int, name: str = "Amina", **changes) -> ConsentRecord:
    return consent.enter(
        dataset=recording.dataset,
        person=Person(name),
        notice=changes.pop("notice", NOTICE),
        terms=terms(**changes),
        stretches=[Stretch(recording, *stretch)],
        by=owner(recording.dataset),
    )


def covered(recording: Recording, start_ms: int = 0, end_ms: int = 1000) -> consent.Coverage:
    """What the consents in force say of a stretch."""
    found = consent.in_force(recordings=[recording.pk]).get(recording.pk, [])
    return consent.cover(scopes=found, start_ms=start_ms, end_ms=end_ms)


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
    assert record(recording, 0, 1000).commitment != record(recording, 1000, 2000).commitment


def test_the_very_same_consent_is_written_down_once(recording):
    first = record(recording, 0, 1000)
    assert record(recording, 0, 1000) == first
    assert ConsentRecord.objects.count() == ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"purposes": ("research", "evaluation")},
        {"excluded_purposes": ("commercial",)},
        {"given_on": date(2026, 3, 4)},
        {"jurisdiction": "UG"},
        {"expires_on": clock.in_days(400)},
        {"notice": Notice("We would like to sell this recording.", "en", "1")},
        {"notice": Notice(NOTICE.text, "en", "2")},
    ],
)
def test_another_consent_of_the_same_speaker_is_another_record(recording, change):
    assert record(recording, 0, 1000) != record(recording, 0, 1000, **change)


def test_the_same_consent_for_more_of_the_recording_adds_only_what_is_new(recording):
    first = record(recording, 0, 1000)
    more = consent.record(
        speaker=first.speaker,
        notice=NOTICE,
        terms=terms(),
        stretches=[Stretch(recording, 0, 1000), Stretch(recording, 5000, 6000)],
        by=owner(recording.dataset),
    )
    assert more != first
    assert list(more.scopes.values_list("start_ms", "end_ms")) == [(5000, 6000)]


def test_a_consent_that_was_withdrawn_is_not_given_again_by_writing_it_down_again(recording):
    first = record(recording)
    consent.withdraw(record=first, by=owner(recording.dataset))
    assert record(recording) == first
    assert not covered(recording).is_complete


def test_a_stretch_past_the_end_of_the_recording_is_refused(recording):
    with pytest.raises(
        ConsentInvalid, match=r"is 0:01:00\.000 long; the stretch ends at 0:01:00\.001"
    ):
        record(recording, 0, 60_001)
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("stretch", [(1000, 1000), (2000, 1000), (-1, 1000)])
def test_a_stretch_without_length_is_refused(recording, stretch):
    with pytest.raises(ConsentInvalid, match="must start before it ends"):
        record(recording, *stretch)


def test_a_recording_of_another_dataset_is_refused(recording):
    elsewhere = sealed.source(sealed.dataset().versions.get())
    with pytest.raises(ConsentInvalid, match="not a recording of this dataset"):
        consent.enter(
            dataset=recording.dataset,
            person=Person("Amina"),
            notice=NOTICE,
            terms=terms(),
            stretches=[Stretch(elsewhere)],
            by=owner(recording.dataset),
        )
    assert not Speaker.objects.exists()


def test_nobody_is_heard_in_what_was_erased(draft, recording):
    by = owner(draft.dataset)
    recordings.remove(file=draft.files.get(), by=by)
    erased = recordings.erase(recording=recording, by=by)
    with pytest.raises(ConsentInvalid, match="was erased"):
        record(erased)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"given_on": date(2126, 1, 1)}, "given_on"),
        ({"expires_on": date(2026, 3, 3)}, "expires_on"),
        ({"expires_on": timezone.now().date()}, "expires_on"),
        ({"excluded_purposes": ("research",)}, "excluded_purposes"),
        ({"purposes": ()}, "purposes"),
        ({"jurisdiction": ""}, "jurisdiction"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_field(recording, change, field):
    with pytest.raises(ConsentInvalid) as refusal:
        record(recording, **change)
    assert refusal.value.details["field"] == field
    assert not ConsentRecord.objects.exists()


def test_a_refused_consent_leaves_no_speaker_behind(recording):
    with pytest.raises(ConsentInvalid):
        record(recording, 0, 60_001, name="Ghost")
    assert not Speaker.objects.exists()


def test_a_purpose_nobody_knows_is_refused(recording):
    with pytest.raises(UnknownPurposeError, match="mind-reading"):
        record(recording, excluded_purposes=("mind-reading",))


def test_the_law_is_that_of_a_country(recording):
    assert record(recording, jurisdiction="ke").jurisdiction == "KE"
    with pytest.raises(languages.UnknownCountry, match="Atlantis"):
        record(recording, jurisdiction="Atlantis", name="Juma")
    assert Speaker.objects.count() == 1


def test_a_consent_covers_until_the_day_before_it_expires(recording, monkeypatch):
    last = clock.in_days(30)
    record(recording, expires_on=last + timedelta(days=1))
    clock.on(last, monkeypatch)
    assert covered(recording).is_complete
    clock.on(last + timedelta(days=1), monkeypatch)
    assert not covered(recording).records


def test_an_expired_consent_leaves_the_one_that_stands_to_cover(recording, monkeypatch):
    lasting = record(recording)
    brief = record(recording, given_on=date(2026, 3, 4), expires_on=clock.in_days(30))
    assert covered(recording).records == [brief]
    clock.on(clock.in_days(30), monkeypatch)
    assert covered(recording).records == [lasting]


def test_of_one_speakers_consents_the_newest_counts_and_an_older_one_where_it_does_not_reach(
    recording,
):
    older = record(recording, 0, 20_000)
    newer = record(recording, 10_000, 30_000, given_on=date(2026, 3, 4))
    assert covered(recording, 10_000, 20_000).records == [newer]
    assert covered(recording, 0, 10_000).records == [older]
    assert covered(recording, 5_000, 25_000).records == [newer, older]


def test_a_withdrawn_consent_covers_nothing_and_the_history_says_so(recording):
    one = record(recording)
    consent.withdraw(record=one, by=owner(recording.dataset))
    assert not covered(recording).is_complete
    events = ConsentEvent.objects.filter(record_id=one.pk).values_list("type", flat=True)
    assert list(events) == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]


def test_the_database_refuses_to_edit_what_was_agreed(recording):
    one = record(recording)
    for change in (
        {"purposes": ["commercial"]},
        {"expires_on": None, "given_on": date(2020, 1, 1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsentRecord.objects.filter(pk=one.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentEvent.objects.all().delete()


def test_the_database_gives_back_nothing_that_was_withdrawn(recording):
    one = record(recording, purposes=("research", "evaluation"))
    by = owner(recording.dataset)
    consent.withdraw_purposes(record=one, purposes=["evaluation"], by=by)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.filter(pk=one.pk).update(withdrawn_purposes=[])
    consent.withdraw(record=one, by=by)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.filter(pk=one.pk).update(withdrawn_at=None)


stretches = st.lists(
    st.tuples(st.integers(0, 99), st.integers(1, 100))
    .map(lambda pair: (min(pair), max(pair)))
    .filter(lambda pair: pair[0] < pair[1]),
    max_size=6,
)


@given(places=stretches, start=st.integers(0, 99), length=st.integers(1, 40))
def test_coverage_finds_exactly_the_milliseconds_that_no_scope_holds(places, start, length):
    end = start + length
    rows = [
        ConsentScope(record=ConsentRecord(speaker_id=n % 2), start_ms=a, end_ms=b)
        for n, (a, b) in enumerate(places)
    ]
    found = consent.cover(scopes=rows, start_ms=start, end_ms=end)
    open_ms = {ms for a, b in found.gaps for ms in range(a, b)}
    held = {ms for a, b in places for ms in range(a, b)}
    assert open_ms == set(range(start, end)) - held
    assert found.is_complete == (not open_ms)


@given(ranges=stretches, start=st.integers(0, 50), length=st.integers(1, 50))
def test_gaps_are_apart_in_order_and_not_empty(ranges, start, length):
    gaps = scopes.gaps_in(ranges, start, start + length)
    flat = [moment for gap in gaps for moment in gap]
    assert flat == sorted(set(flat))
