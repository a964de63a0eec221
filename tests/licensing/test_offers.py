"""Offers: only of what is sealed, only what everybody agreed to, and never changed."""

from functools import partial

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import AuditEntry
from ingestion import consent, releases
from ingestion.archive import versions
from ingestion.models import ConsentRecord, Version
from licensing import offers, profiles
from licensing.models import News, Offer
from licensing.offers import NotSealed, OfferBeyondConsent, OfferExists
from tests import at_once, clock, factories, rights, sealed
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
Closed = Offer.Closed


@pytest.fixture
def version() -> Version:
    """Sealed: Amina agreed to everything that is open, in show.wav and evening.wav."""
    draft = sealed.dataset().versions.get()
    sealed.add(draft, said=SAID[:1], path="evening.wav")
    sealed.add(draft, said=SAID[:1], path="show.wav")
    return sealed.seal(draft)


def make(version: Version, profile: str = "commercial-training", **choices) -> Offer:
    return rights.offer(version, profile=profile, **choices)


def test_an_offer_keeps_the_license_as_it_was(version):
    offer = make(version, term_days=365)
    terms = profiles.compile_terms(profile=profiles.get("commercial-training"), term_days=365)
    assert (offer.name, offer.summary) == (terms.profile.name, terms.profile.summary)
    assert (offer.iri, offer.spdx) == (terms.profile.id, terms.profile.spdx)
    assert (offer.terms_text, offer.terms_sha256) == (terms.text, terms.sha256)
    assert offer.purposes == sorted(sealed.TRAINING)
    assert offer.terms["denies"] == terms.denies
    assert (offer.term_days, offer.benefit_share_bps) == (365, 0)


def test_the_database_refuses_to_change_what_was_offered(version):
    offer = make(version)
    for change in (
        {"terms_text": "Do what you want."},
        {"purposes": ["voice-cloning"]},
        {"name": "Another"},
        {"term_days": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Offer.objects.filter(pk=offer.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        offer.delete()
    offers.close(offer=offer, by=editor(version))
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(closed_at=None, closed_because="")


def test_an_offer_is_told_and_written_down(version):
    offer = make(version)
    assert list(News.objects.values_list("kind", "dataset_id", "version_id", "offer_id")) == [
        ("offer-opened", version.dataset_id, version.pk, offer.pk)
    ]
    entry = AuditEntry.objects.get(verb="offer.opened")
    assert entry.copies["license"] == offer.name
    assert entry in audit.history(of=version.dataset)


def test_only_what_is_sealed_is_offered(version):
    draft = versions.open_draft(dataset=version.dataset, by=editor(version))
    with pytest.raises(NotSealed, match="Version 2"):
        make(draft)
    releases.withdraw(version=version, reason="A mistake.", by=editor(version))
    with pytest.raises(NotSealed, match="Version 1"):
        make(version)
    assert not Offer.objects.exists()


def test_a_license_is_offered_once_at_a_time(version):
    first = make(version, term_days=30)
    with pytest.raises(OfferExists, match="Commercial training already"):
        make(version)
    make(version, "research-only")
    offers.close(offer=first, by=editor(version))
    assert make(version).term_days is None
    assert Offer.objects.count() == 3


@pytest.mark.parametrize(
    ("purposes", "excluded", "lack"),
    [
        (("research",), (), "not-given"),
        (("research",), ("commercial",), "excluded"),
    ],
)
def test_nothing_is_offered_that_somebody_did_not_agree_to(version, purposes, excluded, lack):
    draft = versions.open_draft(dataset=version.dataset, by=editor(version))
    sealed.add(draft, said=SAID[1:], path="juma.wav", purposes=purposes, excluded=excluded)
    second = sealed.seal(draft)
    with pytest.raises(OfferBeyondConsent) as refusal:
        make(second)
    told = refusal.value.details
    assert (told["path"], told["speaker"], told["reason"]) == ("juma.wav", "p-0002", lack)
    assert told["purpose"] in {"commercial", "evaluation"}
    for named in ("Commercial training", "juma.wav", "p-0002", str(told["phrase"])):
        assert named in refusal.value.message
    assert make(version).is_open


def test_what_ended_is_not_offered_by_its_date_or_by_word(monkeypatch):
    day = clock.in_days(30)
    version = sealed.version(said=SAID, expires_on=day)
    clock.on(day, monkeypatch)
    with pytest.raises(OfferBeyondConsent, match=day.isoformat()):
        make(version, "research-only")
    first = ConsentRecord.objects.get(speaker__pseudonym="p-0001")
    consent.withdraw(record=first, by=editor(version))
    with pytest.raises(OfferBeyondConsent, match="withdrew consent"):
        make(version, "research-only")


def test_a_purpose_that_was_taken_back_is_not_offered_and_the_rest_is(version):
    record = ConsentRecord.objects.first()
    consent.withdraw_purposes(record=record, purposes=["commercial"], by=editor(version))
    with pytest.raises(OfferBeyondConsent, match="took it back"):
        make(version)
    assert make(version, "research-only").is_open


def test_strangers_are_told_the_published_file_and_not_the_recordings_name(version):
    offer = make(version)
    evening = ConsentRecord.objects.get(scopes__recording__name="evening.wav")
    consent.withdraw(record=evening, by=editor(version))
    with pytest.raises(OfferBeyondConsent) as refusal:
        rights.grant(offer)
    assert refusal.value.details["path"] == "audio/r0001/0001.flac"
    assert "evening.wav" not in refusal.value.message


@pytest.mark.parametrize(
    ("profile", "choices"),
    [("CC-BY-4.0", {"term_days": 30}), ("commercial-training", {"benefit_share_bps": 10})],
)
def test_choices_that_do_not_fit_are_refused(version, profile, choices):
    with pytest.raises(profiles.InvalidTerms):
        make(version, profile, **choices)
    with pytest.raises(profiles.UnknownProfile):
        make(version, "do-what-you-want")
    assert not News.objects.exists()


def test_closing_is_told_once_and_keeps_its_first_reason(version):
    offer = make(version)
    offers.close(offer=offer, by=editor(version))
    closed = offers.close(offer=offer, by=audit.SITE, because=Closed.CONSENT)
    assert closed.closed_because == Closed.PUBLISHER
    assert News.objects.filter(kind="offer-closed").count() == 1
    assert AuditEntry.objects.get(verb="offer.closed").copies["because"] == "publisher"


def test_an_offer_of_what_ended_is_not_open_before_anybody_has_read_the_news(version):
    make(version)
    assert Offer.objects.open().count() == 1
    consent.withdraw(record=ConsentRecord.objects.first(), by=editor(version))
    assert Offer.objects.open().count() == 0
    other = sealed.version(said=SAID)
    make(other)
    assert Offer.objects.open().count() == 1
    releases.withdraw(version=other, reason="A mistake.", by=editor(other))
    assert Offer.objects.open().count() == 0


def test_a_dataset_is_unlisted_until_something_of_it_was_offered(version):
    dataset, stranger = version.dataset, factories.user()
    member = editor(version)
    second = versions.open_draft(dataset=dataset, by=member)
    everything = (dataset, version, second)

    def sees(person) -> list[bool]:
        return [person.has_perm("licensing.view_dataset", thing) for thing in everything]

    assert sees(stranger) == sees(AnonymousUser()) == [False, False, False]
    assert sees(member) == [True, True, True]
    offer = make(version)
    assert sees(stranger) == sees(AnonymousUser()) == [True, True, False]
    offers.close(offer=offer, by=member)
    assert sees(stranger) == [True, True, False]
    releases.withdraw(version=version, reason="A mistake.", by=member)
    dataset.refresh_from_db()
    version.refresh_from_db()
    assert sees(stranger) == [False, False, False]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_offer_the_same_at_once_one_is_told_so():
    version = sealed.version(said=SAID)
    ended = at_once.all_of(*[partial(make, version)] * 3)
    assert [type(one) for one in ended].count(OfferExists) == 2
    assert Offer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_offer_waits_for_who_is_taking_a_purpose_back():
    version = sealed.version(said=SAID)
    record = ConsentRecord.objects.first()
    with transaction.atomic():
        consent.withdraw_purposes(record=record, purposes=["commercial"], by=editor(version))
        making = at_once.Call(partial(make, version)).until_it_waits()
    with pytest.raises(OfferBeyondConsent):
        making.result()
