"""Ending a consent: by speaker, record or purpose; struck out, erased, run out. At once."""

from datetime import timedelta

import pytest
from commonhold import statuslist
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, User
from ingestion import consent, releases
from ingestion.archive import versions
from ingestion.consent import coverage
from ingestion.consent.records import STATUS_LIST
from ingestion.models import (
    ConsentEvent,
    ConsentRecord,
    News,
    ReleaseConsent,
    Speaker,
    Version,
)
from notary import status
from notary.models import StatusChange
from tests import clock, factories, sealed
from tests.sealed import Said

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
LATER = (Said("Good evening from the valley."),)
Consent = Version.Consent


@pytest.fixture
def first() -> Version:
    """Version 1, sealed: a recording of Amina and Juma."""
    return sealed.version(said=SAID)


@pytest.fixture
def second(first) -> Version:
    """Version 2, sealed: one recording more, of Amina alone."""
    return sealed.version(first.dataset, said=LATER)


def owner(version: Version) -> User:
    return factories.owner_of(version.dataset.organization)


def records(name: str) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(speaker__name=name).order_by("created_at"))


def states(*of: Version) -> list[str]:
    """How consent stands behind versions: as kept, which is as asked."""
    kept = [Version.objects.get(pk=one.pk).consent_state for one in of]
    assert kept == [str(coverage.state(version=one)) for one in of]
    return kept


def listed(record: ConsentRecord) -> int:
    """What the status list will say of a record once it is published."""
    status.publish()
    place = status.place_of(name=STATUS_LIST, index=record.status_index)
    lists = StatusChange._meta.get_field("status_list").related_model
    data = bytes(lists.objects.get(uri=place.uri).statuses)
    return statuslist.read(data, place.position)


def told(kind: str) -> list[int | None]:
    """The versions that were told about, in order."""
    return list(News.objects.filter(kind=kind).values_list("version_id", flat=True))


def test_a_speaker_withdraws_from_every_version_at_once(first, second):
    amina = Speaker.objects.get(name="Amina")
    mine = records("Amina")
    ended = consent.withdraw_speaker(speaker=amina, by=owner(first))
    assert sorted(one.pk for one in ended) == sorted(one.pk for one in mine)
    assert states(first, second) == [Consent.WITHDRAWN, Consent.WITHDRAWN]
    assert {listed(one) for one in mine} == {statuslist.WITHDRAWN}
    assert [listed(one) for one in records("Juma")] == [statuslist.VALID]
    assert set(told("consent-withdrawn")) == {first.pk, second.pk}
    assert not ConsentRecord.objects.in_force().filter(speaker=amina).exists()


def test_a_record_that_is_withdrawn_touches_the_versions_that_rest_on_it_and_no_other(
    first, second
):
    evening = records("Amina")[1]
    consent.withdraw(record=evening, by=owner(first))
    assert states(first, second) == [Consent.GIVEN, Consent.WITHDRAWN]
    assert told("consent-withdrawn") == [second.pk]


def test_other_speakers_and_other_datasets_stand(first):
    other = sealed.version(said=SAID)
    consent.withdraw_speaker(speaker=first.dataset.speakers.get(name="Juma"), by=owner(first))
    assert states(first, other) == [Consent.WITHDRAWN, Consent.GIVEN]


def test_one_purpose_is_taken_back_and_the_rest_stands(first):
    (amina,) = records("Amina")
    consent.withdraw_purposes(record=amina, purposes=["commercial"], by=owner(first))
    assert states(first) == [Consent.GIVEN]
    assert coverage.state(version=first, purposes=["research"]) == Consent.GIVEN
    assert coverage.state(version=first, purposes=["research", "commercial"]) == Consent.WITHDRAWN
    gap = coverage.first_gap(version=first, purposes=["evaluation", "commercial"])
    assert gap is not None
    assert (gap.purpose, gap.lack, gap.pseudonym) == ("commercial", "taken-back", "p-0001")
    assert listed(amina) == statuslist.NARROWED
    assert told("consent-narrowed") == [first.pk]
    assert AuditEntry.objects.get(verb="consent.narrowed").copies["purposes"] == ["commercial"]


def test_what_is_taken_back_is_not_offered_by_the_next_version_either(first):
    (amina,) = records("Amina")
    consent.withdraw_purposes(record=amina, purposes=["commercial"], by=owner(first))
    second = sealed.seal(versions.open_draft(dataset=first.dataset, by=owner(first)))
    gap = coverage.first_gap(version=second, purposes=["commercial"])
    assert gap is not None
    assert gap.lack == "taken-back"
    mine = releases.seal_of(version=second).release["consent"]["records"][0]
    assert "commercial" not in mine["purposes"]
    assert "commercial" in mine["excludes"]


def test_the_last_purpose_that_is_taken_back_ends_the_consent(first):
    (amina,) = records("Amina")
    by = owner(first)
    consent.withdraw_purposes(record=amina, purposes=sealed.OPEN[:3], by=by)
    ended = consent.withdraw_purposes(record=amina, purposes=sealed.OPEN[3:], by=by)
    assert ended.withdrawn_at is not None
    assert states(first) == [Consent.WITHDRAWN]
    assert listed(amina) == statuslist.WITHDRAWN
    types = ConsentEvent.objects.filter(record_id=amina.pk).values_list("type", flat=True)
    assert list(types.order_by("pk")) == [
        "dpv:ConsentGiven",
        "ch:ConsentNarrowed",
        "ch:ConsentNarrowed",
        "dpv:ConsentWithdrawn",
    ]


def test_a_purpose_is_taken_back_in_every_consent_that_allows_it_and_ends_what_is_empty(
    first, second
):
    morning, evening = records("Amina")
    by = owner(first)
    consent.withdraw_purposes(record=evening, purposes=sealed.OPEN[1:], by=by)
    touched = consent.withdraw_speaker_purposes(
        speaker=morning.speaker, purposes=sealed.OPEN[:1], by=by
    )
    assert {one.pk for one in touched} == {morning.pk, evening.pk}
    assert [one.withdrawn_at is None for one in records("Amina")] == [True, False]
    assert states(first, second) == [Consent.GIVEN, Consent.WITHDRAWN]
    assert (listed(morning), listed(evening)) == (statuslist.NARROWED, statuslist.WITHDRAWN)
    assert [one.withdrawn_purposes for one in records("Juma")] == [[]]
    with pytest.raises(consent.PurposeNotGiven):
        consent.withdraw_speaker_purposes(speaker=morning.speaker, purposes=sealed.OPEN[:1], by=by)


@pytest.mark.parametrize("purposes", [["voice-cloning"], ["mind-reading"], []])
def test_a_purpose_that_was_not_given_is_not_taken_back(first, purposes):
    (amina,) = records("Amina")
    with pytest.raises(consent.PurposeNotGiven):
        consent.withdraw_purposes(record=amina, purposes=purposes, by=owner(first))
    consent.withdraw_purposes(record=amina, purposes=["commercial"], by=owner(first))
    with pytest.raises(consent.PurposeNotGiven, match="p-0001 allows"):
        consent.withdraw_purposes(record=amina, purposes=["commercial"], by=owner(first))
    assert states(first) == [Consent.GIVEN]


def test_ending_twice_is_refused_and_changes_nothing(first):
    by = owner(first)
    (amina,) = records("Amina")
    consent.withdraw(record=amina, by=by)
    before = (News.objects.count(), AuditEntry.objects.count(), ConsentEvent.objects.count())
    with pytest.raises(consent.ConsentEnded, match="p-0001 was withdrawn on"):
        consent.withdraw(record=amina, by=by)
    with pytest.raises(consent.ConsentEnded):
        consent.withdraw_purposes(record=amina, purposes=["commercial"], by=by)
    with pytest.raises(consent.ConsentEnded):
        consent.void(record=amina, reason="A mistake.", by=by)
    with pytest.raises(consent.ConsentEnded, match="No consent of p-0001 stands"):
        consent.withdraw_speaker(speaker=amina.speaker, by=by)
    assert before == (
        News.objects.count(),
        AuditEntry.objects.count(),
        ConsentEvent.objects.count(),
    )


def test_a_speaker_with_a_withdrawn_record_withdraws_the_others(first, second):
    morning, evening = records("Amina")
    consent.withdraw(record=morning, by=owner(first))
    assert consent.withdraw_speaker(speaker=morning.speaker, by=owner(first)) == [evening]


def test_a_mistake_is_struck_out_with_its_reason_and_is_no_withdrawal(first):
    (amina,) = records("Amina")
    voided = consent.void(record=amina, reason=" Another Amina. ", by=owner(first))
    assert (voided.void_reason, voided.withdrawn_at) == ("Another Amina.", None)
    assert states(first) == [Consent.WITHDRAWN]
    assert listed(amina) == statuslist.WITHDRAWN
    assert told("consent-voided") == [first.pk]
    assert told("consent-withdrawn") == []
    assert first.release_consents.get(record=amina).ended == ReleaseConsent.End.VOIDED
    event = ConsentEvent.objects.filter(record_id=amina.pk).latest("pk")
    assert (event.type, event.reason) == ("ch:ConsentVoided", "Another Amina.")
    with pytest.raises(consent.ConsentEnded, match="struck out on"):
        consent.void(record=amina, reason="Again.", by=owner(first))
    with pytest.raises(consent.ConsentEnded, match="struck out on"):
        consent.withdraw(record=amina, by=owner(first))


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_a_mistake_is_not_struck_out_without_a_word(first, reason):
    with pytest.raises(consent.ReasonMissing) as refusal:
        consent.void(record=records("Amina")[0], reason=reason, by=owner(first))
    assert refusal.value.details["field"] == "reason"
    assert states(first) == [Consent.GIVEN]


def test_what_others_rely_on_is_withdrawn_and_not_struck_out(first, second):
    (amina, _evening), (juma,) = records("Amina"), records("Juma")
    releases.rely(version=second)
    for record in (amina, juma):
        with pytest.raises(consent.ConsentReliedOn, match="Version 2 rests on"):
            consent.void(record=record, reason="A mistake.", by=owner(first))
    assert states(first, second) == [Consent.GIVEN, Consent.GIVEN]
    consent.withdraw(record=amina, by=owner(first))
    assert states(first, second) == [Consent.WITHDRAWN, Consent.WITHDRAWN]


def test_a_record_that_no_relied_on_version_rests_on_is_still_struck_out(first, second):
    releases.rely(version=first)
    evening = records("Amina")[1]
    assert consent.void(record=evening, reason="A mistake.", by=owner(first)).voided_at


def test_relying_is_noted_once(first):
    releases.rely(version=first)
    began = Version.objects.get(pk=first.pk).relied_on_at
    releases.rely(version=first)
    assert Version.objects.get(pk=first.pk).relied_on_at == began is not None


def test_an_erased_consent_leaves_no_name_no_salt_and_never_reads_valid(first):
    (amina,) = records("Amina")
    speaker = amina.speaker
    consent.erase(record=amina, by=owner(first))
    assert not ConsentRecord.objects.filter(pk=amina.pk).exists()
    speaker.refresh_from_db()
    assert (speaker.name, speaker.contact) == ("p-0001", "")
    assert states(first) == [Consent.WITHDRAWN]
    assert listed(amina) == statuslist.WITHDRAWN
    assert told("consent-erased") == [first.pk]
    resting = first.release_consents.get(pseudonym="p-0001")
    assert (resting.record, resting.ended) == (None, ReleaseConsent.End.ERASED)
    assert ConsentEvent.objects.filter(record_id=amina.pk).latest("pk").type == "ch:ConsentErased"
    left = [
        *AuditEntry.objects.values_list("copies", "actor"),
        *ConsentEvent.objects.values_list("actor", "reason"),
        *first.release_files.values_list("told", "words"),
    ]
    assert "Amina" not in str(left)
    assert "amina@" not in str(left)


def test_a_speaker_of_whom_another_consent_is_kept_keeps_the_name(first, second):
    morning, evening = records("Amina")
    consent.erase(record=morning, by=owner(first))
    evening.speaker.refresh_from_db()
    assert evening.speaker.name == "Amina"
    consent.erase(record=evening, by=owner(first))
    evening.speaker.refresh_from_db()
    assert evening.speaker.name == "p-0001"
    assert states(first, second) == [Consent.WITHDRAWN, Consent.WITHDRAWN]


def test_erasing_a_withdrawn_consent_says_withdrawn_still(first):
    (amina,) = records("Amina")
    consent.withdraw(record=amina, by=owner(first))
    consent.erase(record=amina, by=owner(first))
    assert first.release_consents.get(pseudonym="p-0001").ended == ReleaseConsent.End.WITHDRAWN
    assert states(first) == [Consent.WITHDRAWN]


def test_erasing_what_is_erased_is_refused(first):
    (amina,) = records("Amina")
    consent.erase(record=amina, by=owner(first))
    with pytest.raises(consent.ConsentEnded, match="erased"):
        consent.erase(record=amina, by=owner(first))
    with pytest.raises(consent.ConsentEnded, match="erased"):
        consent.withdraw(record=amina, by=owner(first))


def test_a_consent_runs_out_by_its_date_alone(monkeypatch):
    day = clock.in_days(30)
    version = sealed.version(said=SAID, expires_on=day)
    clock.on(day - timedelta(days=1), monkeypatch)
    assert coverage.state(version=version) == Consent.GIVEN
    assert coverage.first_gap(version=version, purposes=["research"]) is None
    assert consent.note_expired() == 0
    clock.on(day, monkeypatch)
    assert coverage.state(version=version) == Consent.EXPIRED
    gap = coverage.first_gap(version=version, purposes=["research"])
    assert gap is not None
    assert (gap.lack, gap.until) == ("expired", day.isoformat())
    assert Version.objects.get(pk=version.pk).consent_state == Consent.GIVEN


def test_what_ran_out_is_noted_once(monkeypatch):
    day = clock.in_days(30)
    version = sealed.version(said=SAID, expires_on=day)
    clock.on(day, monkeypatch)
    assert consent.note_expired() == 2
    assert states(version) == [Consent.EXPIRED]
    assert {listed(one) for one in ConsentRecord.objects.all()} == {statuslist.EXPIRED}
    assert told("consent-expired") == [version.pk, version.pk]
    entries = AuditEntry.objects.filter(verb="consent.expired")
    assert {entry.actor for entry in entries} == {audit.SITE.name}
    assert entries.count() == 2
    assert consent.note_expired() == 0
    assert News.objects.filter(kind="consent-expired").count() == 2


def test_who_withdraws_what_ran_out_is_withdrawn(monkeypatch):
    day = clock.in_days(30)
    version = sealed.version(said=SAID, expires_on=day)
    clock.on(day, monkeypatch)
    consent.note_expired()
    (amina,) = records("Amina")
    consent.withdraw(record=amina, by=owner(version))
    assert states(version) == [Consent.WITHDRAWN]
    assert listed(amina) == statuslist.WITHDRAWN


def test_what_was_withdrawn_does_not_run_out_as_well(monkeypatch):
    day = clock.in_days(30)
    version = sealed.version(said=SAID, expires_on=day)
    (amina,) = records("Amina")
    consent.withdraw(record=amina, by=owner(version))
    clock.on(day, monkeypatch)
    assert consent.note_expired() == 1
    assert states(version) == [Consent.WITHDRAWN]
    assert listed(amina) == statuslist.WITHDRAWN


def test_a_consent_behind_nothing_that_is_sealed_ends_without_news():
    dataset = sealed.dataset()
    sealed.add(dataset.versions.get(), said=LATER)
    (amina,) = records("Amina")
    consent.withdraw(record=amina, by=factories.owner_of(dataset.organization))
    assert not News.objects.exists()
    assert listed(amina) == statuslist.WITHDRAWN


def test_a_withdrawal_says_who_did_it_and_when(first):
    (amina,) = records("Amina")
    before = timezone.now()
    consent.withdraw(record=amina, by=audit.Actor("p-0001 by their link"))
    entry = AuditEntry.objects.get(verb="consent.withdrawn")
    assert (entry.actor, entry.actor_id) == ("p-0001 by their link", None)
    assert entry.at >= before
    assert entry in audit.history(of=first.dataset)
    assert ConsentEvent.objects.filter(type="dpv:ConsentWithdrawn").get().actor == entry.actor


def test_how_a_version_stands_for_many_uses_is_asked_in_one_query(
    first, second, django_assert_num_queries
):
    uses = [(one.pk, (purpose,)) for one in (first, second) for purpose in sealed.OPEN]
    with django_assert_num_queries(1):
        assert set(coverage.states(uses=uses).values()) == {Consent.GIVEN}
