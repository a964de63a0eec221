"""Withdrawals while something else is done: a seal, a purchase, another withdrawal."""

from functools import partial

import pytest
from commonhold.errors import CommonholdError
from django.db import transaction

from accounts.models import User
from ingestion import consent, releases, review
from ingestion.archive import versions
from ingestion.consent import coverage
from ingestion.models import ConsentRecord, News, ReleaseConsent, Speaker, Version
from licensing import grants, offers
from licensing.models import Grant, Offer
from tests import at_once, factories, sealed
from tests.sealed import Said

pytestmark = pytest.mark.django_db(transaction=True)

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
END = ReleaseConsent.End


def owner(version: Version) -> User:
    return factories.owner_of(version.dataset.organization)


def ready() -> Version:
    """A version whose review is finished and applied: only the seal is left."""
    draft = sealed.dataset().versions.get()
    sealed.add(draft, said=SAID)
    for run in review.finish(version=draft, by=owner(draft)):
        sealed.finish_run(run)
    return draft


def amina() -> ConsentRecord:
    return ConsentRecord.objects.get(speaker__name="Amina")


def endings(version: Version):
    """The ways in which a consent ends, each by its name."""
    by = owner(version)
    return {
        "withdraw": lambda: consent.withdraw(record=amina(), by=by),
        "speaker": lambda: consent.withdraw_speaker(speaker=amina().speaker, by=by),
        "void": lambda: consent.void(record=amina(), reason="A mistake.", by=by),
        "erase": lambda: consent.erase(record=amina(), by=by),
    }


def require_sound(version: Version) -> None:
    """A sealed version is never "given" on a consent that ended."""
    version = Version.objects.get(pk=version.pk)
    if not version.is_sealed:
        assert version.review_finished_at is None
        return
    standing = {record.pk for record in ConsentRecord.objects.in_force()}
    resting = version.release_consents.all()
    ended = [one for one in resting if one.record_id not in standing]
    assert all(one.ended for one in ended)
    stands = Version.Consent.WITHDRAWN if ended else Version.Consent.GIVEN
    assert version.consent_state == coverage.state(version=version) == stands
    kinds = set(News.objects.filter(version_id=version.pk).values_list("kind", flat=True))
    assert "sealed" in kinds
    assert (len(kinds) > 1) == bool(ended)


@pytest.mark.parametrize("way", ["withdraw", "speaker", "void", "erase"])
def test_who_withdraws_first_is_not_in_the_release(way):
    version = ready()
    with transaction.atomic():
        endings(version)[way]()
        sealing = at_once.Call(partial(releases.seal, version=version)).until_it_waits()
    with pytest.raises(releases.SealRefused):
        sealing.result()
    require_sound(version)
    assert not ReleaseConsent.objects.exists()


@pytest.mark.parametrize("way", ["withdraw", "speaker", "void", "erase"])
def test_who_withdraws_while_the_release_is_sealed_is_noted_in_it(way):
    version = ready()
    with transaction.atomic():
        releases.seal(version=version)
        ending = at_once.Call(endings(version)[way]).until_it_waits()
    ending.result()
    require_sound(version)
    assert version.release_consents.get(pseudonym="p-0001").ended


def test_a_purpose_that_is_taken_back_while_the_release_is_sealed_stays_taken_back():
    version = ready()
    with transaction.atomic():
        consent.withdraw_purposes(record=amina(), purposes=["commercial"], by=owner(version))
        sealing = at_once.Call(partial(releases.seal, version=version)).until_it_waits()
    version = sealing.result()
    assert version.release_consents.get(pseudonym="p-0001").withdrawn_purposes == ["commercial"]
    signed = version.seal.release["consent"]["records"][0]
    assert "commercial" in signed["excludes"]
    assert "commercial" not in signed["purposes"]
    assert coverage.first_gap(version=version, purposes=["commercial"]) is not None


def test_a_purpose_that_is_taken_back_after_the_seal_began_is_noted_in_it():
    version = ready()
    taking = partial(
        consent.withdraw_purposes, record=amina(), purposes=["commercial"], by=owner(version)
    )
    with transaction.atomic():
        releases.seal(version=version)
        narrowing = at_once.Call(taking).until_it_waits()
    narrowing.result()
    assert version.release_consents.get(pseudonym="p-0001").withdrawn_purposes == ["commercial"]


@pytest.mark.parametrize("attempt", range(4))
def test_a_seal_and_the_end_of_its_consents_leave_no_version_given_on_nothing(attempt):
    version = ready()
    ways = list(endings(version).values())
    at_once.all_of(partial(releases.seal, version=version), ways[attempt])
    require_sound(version)


def test_of_two_who_withdraw_the_same_consent_one_is_told_that_it_ended():
    version = sealed.version(said=SAID)
    ended = at_once.all_of(*[endings(version)[way] for way in ("withdraw", "speaker", "void")])
    refused = [one for one in ended if isinstance(one, consent.ConsentEnded)]
    assert len(refused) == 2, ended
    assert News.objects.exclude(kind="sealed").count() == 1
    require_sound(version)


def test_two_speakers_withdraw_from_the_same_versions_at_once():
    first = sealed.version(said=SAID)
    second = sealed.seal(versions.open_draft(dataset=first.dataset, by=owner(first)))
    by = owner(first)
    ended = at_once.all_of(
        *[
            partial(consent.withdraw_speaker, speaker=one, by=by)
            for one in Speaker.objects.order_by("pk")
        ]
    )
    assert not [one for one in ended if isinstance(one, Exception)], ended
    for version in (first, second):
        require_sound(version)
        assert set(version.release_consents.values_list("ended", flat=True)) == {END.WITHDRAWN}


def issue(offer: Offer) -> Grant:
    buyer = factories.organization()
    return grants.issue(
        offer=offer,
        licensee=buyer,
        by=factories.owner_of(buyer),
        consideration=grants.Consideration("0.00", "EUR", "free"),
        acceptance=grants.Acceptance(offer.created_at, "api"),
    )


def offered() -> tuple[Version, Offer]:
    version = sealed.version(said=SAID)
    return version, offers.make(version=version, profile="CC-BY-4.0", by=owner(version))


def test_who_buys_first_is_relied_on_and_the_record_is_not_struck_out():
    version, offer = offered()
    with transaction.atomic():
        issue(offer)
        voiding = at_once.Call(endings(version)["void"]).until_it_waits()
    with pytest.raises(consent.ConsentReliedOn):
        voiding.result()
    assert Version.objects.get(pk=version.pk).consent_state == Version.Consent.GIVEN


@pytest.mark.parametrize("way", ["withdraw", "speaker", "void", "erase"])
def test_what_ended_first_is_not_licensed(way):
    version, offer = offered()
    with transaction.atomic():
        endings(version)[way]()
        buying = at_once.Call(partial(issue, offer)).until_it_waits()
    with pytest.raises(offers.OfferBeyondConsent):
        buying.result()
    assert not Grant.objects.exists()
    assert Version.objects.get(pk=version.pk).relied_on_at is None


@pytest.mark.parametrize("attempt", range(4))
def test_a_record_is_never_struck_out_and_relied_on_at_once(attempt):
    version, offer = offered()
    voided, bought = at_once.all_of(endings(version)["void"], partial(issue, offer))
    failed = [one for one in (voided, bought) if isinstance(one, CommonholdError)]
    assert len(failed) == 1, (attempt, voided, bought)
    is_relied_on = Version.objects.get(pk=version.pk).relied_on_at is not None
    assert is_relied_on == Grant.objects.exists() == (amina().voided_at is None)


def test_a_version_withdrawn_by_its_publisher_is_not_licensed_meanwhile():
    version, offer = offered()
    with transaction.atomic():
        releases.withdraw(version=version, reason="A mistake.", by=owner(version))
        buying = at_once.Call(partial(issue, offer)).until_it_waits()
    with pytest.raises(offers.OfferClosed):
        buying.result()
    assert not Grant.objects.exists()
