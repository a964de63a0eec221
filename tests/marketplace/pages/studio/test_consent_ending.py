"""Recording a withdrawal at each of its reaches, and striking out what was a mistake."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingestion import consent, releases
from ingestion.consent import coverage
from ingestion.models import ConsentRecord, Version
from licensing.models import Offer
from tests import sealed, trade
from tests.marketplace.pages.studio import stages
from tests.marketplace.pages.studio.test_access import address

LATER = (sealed.Said("Good evening from the valley."),)
FOR_RECORDS = ("consent_record", "withdraw", "withdraw_purposes", "void")
FOR_SPEAKERS = ("speaker", "withdraw_speaker", "withdraw_speaker_purposes")


@pytest.fixture
def version(station) -> Version:
    """Version 1, sealed: Amina and Juma."""
    return sealed.version(sealed.dataset(station))


def records(name: str = "Amina") -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(speaker__name=name).order_by("created_at"))


def page_of(browser, version, name, key) -> str:
    response = browser.get(address(version, name, key))
    assert response.status_code == 200
    return response.content.decode()


def test_a_speaker_takes_everything_back_in_every_version(browser, version):
    second = sealed.version(version.dataset, said=LATER)
    offers = [trade.offer(one) for one in (version, second)]
    grant = trade.grant(offers[0])
    speaker = records()[0].speaker
    asked = page_of(browser, version, "withdraw_speaker", speaker.pk)
    assert "All 2 consents of theirs end" in asked
    assert asked.count(offers[0].name) == 2
    assert grant.licensee_name in asked
    assert "does not fetch back what was downloaded before" in asked
    assert all(one.withdrawn_at is None for one in records())
    answer = browser.post(address(version, "withdraw_speaker", speaker.pk))
    assert answer["Location"] == address(version, "speaker", speaker.pk)
    assert all(one.withdrawn_at for one in records())
    assert not any(one.withdrawn_at for one in records("Juma"))
    trade.follow()
    assert not Offer.objects.filter(closed_at=None).exists()
    states = {coverage.state(version=one) for one in (version, second)}
    assert states == {Version.Consent.WITHDRAWN}


def test_one_consent_is_withdrawn_and_the_page_says_how_many_stay(browser, version):
    second = sealed.version(version.dataset, said=LATER)
    first, later = records()
    asked = page_of(browser, version, "withdraw", later.pk)
    assert "1 other consent of theirs stays" in asked
    assert "Version 2" in asked
    assert ">Version 1<" not in asked
    browser.post(address(version, "withdraw", later.pk))
    first.refresh_from_db()
    assert first.withdrawn_at is None
    assert coverage.state(version=version) == Version.Consent.GIVEN
    assert coverage.state(version=second) == Version.Consent.WITHDRAWN


def test_some_purposes_of_one_consent_are_taken_back(browser, version):
    offer = trade.offer(version)
    record = records()[0]
    asked = page_of(browser, version, "withdraw_purposes", record.pk)
    assert f"Closes the offer: {offer.name} of version 1." in asked
    answer = browser.post(
        address(version, "withdraw_purposes", record.pk), {"purposes": ["commercial"]}
    )
    assert answer["Location"] == address(version, "consent_record", record.pk)
    record.refresh_from_db()
    assert record.withdrawn_purposes == ["commercial"]
    assert record.withdrawn_at is None
    trade.follow()
    offer.refresh_from_db()
    assert not offer.is_open


def test_some_purposes_are_taken_back_in_every_consent_of_a_speaker(browser, version):
    sealed.version(version.dataset, said=LATER)
    speaker = records()[0].speaker
    url = address(version, "withdraw_speaker_purposes", speaker.pk)
    asked = page_of(browser, version, "withdraw_speaker_purposes", speaker.pk)
    assert "to build things that are sold for money" in asked
    assert "to make a computer sound" not in asked
    browser.post(url, {"purposes": ["commercial", "research"]})
    assert [one.withdrawn_purposes for one in records()] == [["commercial", "research"]] * 2
    assert [one.withdrawn_purposes for one in records("Juma")] == [[]]


def test_nothing_ticked_takes_nothing_back(browser, version):
    record = records()[0]
    answer = browser.post(address(version, "withdraw_purposes", record.pk))
    assert answer.status_code == 422
    assert "Tick what they take back." in answer.content.decode()
    record.refresh_from_db()
    assert record.withdrawn_purposes == []


def test_a_purpose_that_was_taken_back_before_is_refused_and_the_rest_is_not_touched(
    browser, version
):
    record = records()[0]
    url = address(version, "withdraw_purposes", record.pk)
    browser.post(url, {"purposes": ["commercial"]})
    refused = browser.post(url, {"purposes": ["commercial", "research"]})
    assert refused.status_code == 422
    assert "Some of it is taken back already." in refused.content.decode()
    record.refresh_from_db()
    assert record.withdrawn_purposes == ["commercial"]


def test_what_is_withdrawn_twice_says_so_on_every_page(browser, version):
    record = records()[0]
    keys = {"withdraw": record.pk, "withdraw_speaker": record.speaker.pk}
    browser.post(address(version, "withdraw_speaker", record.speaker.pk))
    for name, key in keys.items():
        refused = browser.post(address(version, name, key))
        assert refused.status_code == 409
        assert "nothing was changed" in refused.content.decode()
    assert "It was withdrawn on" in page_of(browser, version, "withdraw", record.pk)
    assert "It was withdrawn on" in page_of(browser, version, "withdraw_purposes", record.pk)
    assert "counts for nothing any more" in page_of(browser, version, "void", record.pk)
    for name in ("withdraw_speaker", "withdraw_speaker_purposes"):
        page = page_of(browser, version, name, record.speaker.pk)
        assert "nothing left to withdraw" in page
        assert "<form method" not in page.partition("<main")[2]


def test_a_mistake_is_struck_out_with_its_reason(browser, version, contributor):
    record = records()[0]
    offer = trade.offer(version)
    asked = page_of(browser, version, "void", record.pk)
    assert "How this differs from a withdrawal" in asked
    assert offer.name in asked
    nameless = browser.post(address(version, "void", record.pk), {"reason": "  "})
    assert nameless.status_code == 422
    assert "Say what the mistake was." in nameless.content.decode()
    browser.post(address(version, "void", record.pk), {"reason": "Another Amina."})
    record.refresh_from_db()
    assert (record.void_reason, record.withdrawn_at) == ("Another Amina.", None)
    assert record.voided_at is not None
    again = browser.post(address(version, "void", record.pk), {"reason": "Again."})
    assert again.status_code == 409
    assert "It was struck out on" in page_of(browser, version, "void", record.pk)


def test_a_record_that_a_license_rests_on_is_not_struck_out_and_the_page_leads_to_the_withdrawal(
    browser, version
):
    trade.grant(trade.offer(version))
    record = records()[0]
    asked = page_of(browser, version, "void", record.pk)
    assert "Version 1 rests on this record, and others hold licenses of it" in asked
    assert address(version, "withdraw", record.pk) in asked
    assert 'name="reason"' not in asked
    refused = browser.post(address(version, "void", record.pk), {"reason": "A mistake."})
    assert refused.status_code == 409
    record.refresh_from_db()
    assert record.voided_at is None


def test_a_license_of_a_withdrawn_version_still_keeps_the_record(browser, version, contributor):
    trade.grant(trade.offer(version))
    releases.withdraw(version=version, by=contributor, reason="Too early.")
    page = page_of(browser, version, "void", records()[0].pk)
    assert "be struck out any more" in page


def test_the_speakers_page_gathers_consents_versions_and_places(browser, version):
    second = sealed.version(version.dataset, said=LATER)
    grant = trade.grant(trade.offer(version))
    first, later = records()
    page = page_of(browser, version, "speaker", first.speaker.pk)
    for one in (first, later):
        assert address(version, "consent_record", one.pk) in page
    assert "Version 1" in page
    assert "Version 2" in page
    assert grant.licensee_name in page
    assert first.speaker.contact in page
    for one in second.files.select_related("recording"):
        assert one.recording.name in page
    assert "Juma" not in page


def test_a_speaker_of_whom_one_consent_is_left_holds_in_part(browser, version, contributor):
    sealed.version(version.dataset, said=LATER)
    consent.withdraw(record=records()[0], by=contributor)
    page = page_of(browser, version, "speaker", records()[0].speaker.pk)
    assert "1 of 2 hold" in page
    assert "They take back everything" in page


def test_a_speaker_who_took_everything_back_is_asked_nothing_more(browser, version, contributor):
    speaker = records()[0].speaker
    consent.withdraw_speaker(speaker=speaker, by=contributor)
    page = page_of(browser, version, "speaker", speaker.pk)
    assert "They take back everything" not in page
    assert "Withdrawn" in page
    assert "nothing any more" in page
    assert "nothing any more" in browser.get(address(version, "consent")).content.decode()


def test_what_was_struck_out_is_heard_nowhere_on_the_speakers_page(browser, station, contributor):
    draft = stages.draft(sealed.dataset(station))
    record = stages.agreed(draft, stages.recording(draft))
    consent.void(record=record, reason="Another Amina.", by=contributor)
    response = browser.get(address(draft, "speaker", record.speaker.pk))
    assert response.context["places"] == []
    assert "Struck out" in response.content.decode()


def test_a_speaker_whose_consents_were_erased_is_a_number_alone(browser, version, contributor):
    record = records()[0]
    consent.erase(record=record, by=contributor)
    page = page_of(browser, version, "speaker", record.speaker.pk)
    assert "No consent of theirs is kept here any more." in page
    assert "Amina" not in page
    assert "Amina" not in browser.get(address(version, "consent")).content.decode()


def test_strangers_and_other_organizations_find_no_speaker_and_no_record(browser, version):
    other = stages.draft()
    theirs = stages.agreed(other, stages.recording(other))
    for names, key in ((FOR_RECORDS, theirs.pk), (FOR_SPEAKERS, theirs.speaker.pk)):
        for name in names:
            for at in (other, version):
                assert browser.get(address(at, name, key)).status_code == 404, name
                if name not in ("speaker", "consent_record"):
                    answer = browser.post(address(at, name, key), {"reason": "Mine."})
                    assert answer.status_code == 404, name
    theirs.refresh_from_db()
    assert (theirs.withdrawn_at, theirs.voided_at) == (None, None)


def queries_of(browser, url) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


def test_no_page_asks_the_database_more_for_more_rows(browser, version):
    trade.grant(trade.offer(version))
    record = records()[0]
    urls = [
        address(version, "consent"),
        *(address(version, name, record.pk) for name in FOR_RECORDS),
        *(address(version, name, record.speaker.pk) for name in FOR_SPEAKERS),
    ]
    before = [queries_of(browser, url) for url in urls]
    people = ("Amina", "Juma", "Peter", "Rose")
    later = sealed.version(
        version.dataset, said=[sealed.Said("Good evening.", name) for name in people]
    )
    trade.grant(trade.offer(later))
    sealed.version(version.dataset, said=LATER)
    assert [queries_of(browser, url) for url in urls] == before
