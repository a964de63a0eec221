"""Before the seal: which license whose consent stands in the way of."""

from datetime import date

import pytest

from ingestion import consent, review
from ingestion.consent.coverage import Lack
from ingestion.models import Speaker, Version
from ingestion.releases import outlook as releases_outlook
from licensing import offers, outlook, profiles
from licensing.outlook import Column
from tests import rights, sealed
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

AMINA = (Said("Good morning from the valley."), Said("Thank you all.", duration_ms=2000))
JUMA = (Said("The road is open again.", "Juma"),)
ZURI = (Said("I sell fish by the bridge.", "Zuri"),)


@pytest.fixture
def draft() -> Version:
    """Amina agreed to everything, Juma to research, Zuri to all but what is sold."""
    made = sealed.dataset().versions.get()
    sealed.add(made, said=AMINA)
    sealed.add(made, said=JUMA, purposes=("research",))
    sealed.add(
        made,
        said=ZURI,
        purposes=[one for one in sealed.OPEN if one != "commercial"],
        excluded=("commercial",),
    )
    return made


def columns(draft: Version) -> dict[str, Column]:
    found = outlook.columns(outlook=releases_outlook.of(version=draft))
    return {column.profile.slug: column for column in found}


def blocks(draft: Version) -> dict[str, list[tuple[str, str, Lack]]]:
    return {
        slug: [(one.speaker.name, one.purpose, one.lack) for one in column.blocks]
        for slug, column in columns(draft).items()
    }


def test_each_license_says_who_stands_in_its_way_and_why(draft):
    found = blocks(draft)
    assert set(found) == {profile.slug for profile in profiles.catalogue()}
    assert found["commercial-training"] == [
        ("Juma", "commercial", Lack.NOT_GIVEN),
        ("Zuri", "commercial", Lack.EXCLUDED),
    ]
    assert found["research-only"] == [("Juma", "evaluation", Lack.NOT_GIVEN)]
    assert [name for name, _, _ in found["CC0-1.0"]] == ["Juma", "Zuri"]


def test_what_each_speaker_blocks_is_told_in_clips_and_time(draft):
    column = columns(draft)["commercial-training"]
    juma, amina = (Speaker.objects.get(name=name) for name in ("Juma", "Amina"))
    block = column.block_of(juma)
    assert block is not None
    assert (block.clips, block.duration_ms) == (1, 3000)
    assert column.block_of(amina) is None
    assert not column.is_possible


def test_who_is_left_out_stands_in_nobodys_way(draft):
    juma = Speaker.objects.get(name="Juma")
    review.leave_out_speaker(version=draft, speaker=juma, by=editor(draft))
    found = columns(draft)
    assert found["research-only"].is_possible
    assert [one.speaker.name for one in found["commercial-training"].blocks] == ["Zuri"]


def test_a_purpose_that_was_taken_back_is_told_as_such(draft):
    amina = Speaker.objects.get(name="Amina").consent_records.get()
    consent.withdraw_purposes(record=amina, purposes=["research"], by=editor(draft))
    assert ("Amina", "research", Lack.TAKEN_BACK) in blocks(draft)["research-only"]


def test_of_two_consents_of_a_speaker_both_must_allow_what_both_are_needed_for(draft):
    sealed.add(draft, said=AMINA, purposes=("research",), day=date(2026, 3, 4))
    assert ("Amina", "evaluation", Lack.NOT_GIVEN) in blocks(draft)["research-only"]


@pytest.mark.parametrize("left_out", [(), ("Juma",), ("Juma", "Zuri")])
def test_what_the_table_calls_possible_can_be_offered_after_the_seal_and_nothing_else(
    draft, left_out
):
    for name in left_out:
        person = Speaker.objects.get(name=name)
        review.leave_out_speaker(version=draft, speaker=person, by=editor(draft))
    table = columns(draft)
    version = sealed.seal(draft)
    for slug, column in table.items():
        if column.is_possible:
            assert rights.offer(version, profile=slug).is_open
            continue
        with pytest.raises(offers.OfferBeyondConsent) as refusal:
            rights.offer(version, profile=slug)
        told = refusal.value.details
        first = column.blocks[0]
        assert (told["speaker"], told["purpose"]) == (first.speaker.pseudonym, first.purpose)
        assert told["reason"] == first.lack
