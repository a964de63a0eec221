"""Offers follow the news: what a consent no longer covers closes, and nothing else."""

from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.models import AuditEntry
from ingestion import consent, releases
from ingestion.archive import datasets, versions
from ingestion.models import ConsentRecord, Cursor, Version
from ingestion.news import CursorAhead
from licensing import following, offers
from licensing.models import News, Offer
from tests import at_once, clock, rights, sealed
from tests.sealed import Said
from tests.walks import editor

pytestmark = pytest.mark.django_db

SAID = (Said("Good morning from the valley."), Said("The road is open again.", "Juma"))
PROFILES = ("CC-BY-4.0", "commercial-training", "research-only")
Closed = Offer.Closed


@pytest.fixture
def version() -> Version:
    return sealed.version(said=SAID)


@pytest.fixture
def offered(version) -> dict[str, Offer]:
    """Three offers of the version, by their profiles, with the news about them read."""
    made = {profile: rights.offer(version, profile=profile) for profile in PROFILES}
    following.follow()
    return made


def amina() -> ConsentRecord:
    return ConsentRecord.objects.filter(speaker__name="Amina").latest("created_at")


def closed() -> dict[str, str]:
    """Why offers were closed, by their profiles."""
    following.follow()
    found = Offer.objects.filter(closed_at__isnull=False)
    return dict(found.values_list("profile", "closed_because"))


ENDS = {
    "withdrawn": lambda by: consent.withdraw(record=amina(), by=by),
    "speaker": lambda by: consent.withdraw_speaker(speaker=amina().speaker, by=by),
    "voided": lambda by: consent.void(record=amina(), reason="A mistake.", by=by),
    "erased": lambda by: consent.erase(record=amina(), by=by),
}


@pytest.mark.parametrize("way", ENDS)
def test_every_offer_of_what_rests_on_an_ended_consent_closes(version, offered, way):
    ENDS[way](editor(version))
    assert closed() == dict.fromkeys(PROFILES, Closed.CONSENT)


def test_a_purpose_that_was_taken_back_closes_only_the_offers_that_need_it(version, offered):
    consent.withdraw_purposes(record=amina(), purposes=["redistribution"], by=editor(version))
    assert closed() == {"CC-BY-4.0": Closed.CONSENT}
    consent.withdraw_purposes(record=amina(), purposes=["commercial"], by=editor(version))
    assert closed() == {"CC-BY-4.0": Closed.CONSENT, "commercial-training": Closed.CONSENT}


def test_a_version_that_its_publisher_withdrew_closes_its_offers(version, offered):
    releases.withdraw(version=version, reason="A mistake.", by=editor(version))
    assert closed() == dict.fromkeys(PROFILES, Closed.VERSION)


def test_what_ran_out_closes_once_it_was_noted(monkeypatch):
    day = clock.in_days(30)
    rights.offer(sealed.version(said=SAID, expires_on=day))
    clock.on(day, monkeypatch)
    assert closed() == {}
    consent.note_expired()
    assert closed() == {"research-only": Closed.CONSENT}


def test_other_versions_and_other_datasets_go_on(version, offered):
    draft = versions.open_draft(
        dataset=version.dataset, by=editor(version), without=[amina().speaker]
    )
    second = rights.offer(sealed.seal(draft))
    other = rights.offer(sealed.version(said=SAID))
    consent.withdraw_speaker(speaker=version.dataset.speakers.get(name="Amina"), by=editor(version))
    following.follow()
    assert set(Offer.objects.open()) == {second, other}


def test_the_site_closes_offers_in_its_own_name_and_tells_it_once(version, offered):
    ENDS["withdrawn"](editor(version))
    assert len(closed()) == 3
    assert following.follow() == 0
    entries = AuditEntry.objects.filter(verb="offer.closed")
    assert {(one.actor, one.copies["because"]) for one in entries} == {(audit.SITE.name, "consent")}
    assert News.objects.filter(kind="offer-closed").count() == entries.count() == 3


def test_an_offer_that_its_publisher_closed_before_keeps_that_reason(version, offered):
    offers.close(offer=offered["CC-BY-4.0"], by=editor(version))
    ENDS["withdrawn"](editor(version))
    assert closed()["CC-BY-4.0"] == Closed.PUBLISHER


def test_news_of_texts_closes_nothing_and_asks_about_no_offer(version, offered):
    datasets.edit(dataset=version.dataset, title="Evening show", by=editor(version))
    with CaptureQueriesContext(connection) as queries:
        assert following.follow() == 1
    assert "licensing_offer" not in " ".join(map(str, queries))
    assert closed() == {}


def test_catching_up_anew_closes_what_was_missed(version, offered):
    ENDS["withdrawn"](editor(version))
    Cursor.objects.filter(reader=following.READER).update(position=10**9)
    with pytest.raises(CursorAhead):
        following.follow()
    following.anew()
    assert closed() == dict.fromkeys(PROFILES, Closed.CONSENT)


@pytest.mark.django_db(transaction=True)
def test_following_and_a_purchase_wait_for_one_another_and_both_end():
    version = sealed.version(said=SAID)
    first, second = (rights.offer(version, profile=one) for one in PROFILES[:2])
    following.follow()
    ENDS["withdrawn"](editor(version))
    with transaction.atomic():
        # As a purchase does before it tells of itself.
        Offer.objects.select_for_update().get(pk=second.pk)
        follower = at_once.Call(following.follow).until_it_waits()
        offers.close(offer=second, by=editor(version))
    follower.result()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.closed_because, second.closed_because) == (Closed.CONSENT, Closed.PUBLISHER)


@pytest.mark.django_db(transaction=True)
def test_an_offer_that_is_made_while_a_purpose_is_taken_back_is_closed():
    version = sealed.version(said=SAID)
    taking = partial(
        consent.withdraw_purposes, record=amina(), purposes=["commercial"], by=editor(version)
    )
    with transaction.atomic():
        offer = rights.offer(version, profile="commercial-training")
        narrowing = at_once.Call(taking).until_it_waits()
        assert at_once.Call(following.follow).result() >= 0
    narrowing.result()
    following.follow()
    offer.refresh_from_db()
    assert offer.closed_because == Closed.CONSENT
