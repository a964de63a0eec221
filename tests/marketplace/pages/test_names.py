"""A reader is told when a name could be taken for somebody else's."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from ingestion.archive import datasets
from ingestion.models import Speaker
from tests import factories, letters, sealed, trade
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db

TITLE, IMITATION = "Voces de la acequia", "Voces d\u0435 la acequia"
OVERRIDE = "Radio\u202e Mtoni"


def listed(title: str):
    """A dataset of a new organization that the catalogue shows."""
    version = sealed.version(sealed.dataset(title=title))
    trade.offer(version)
    trade.follow()
    return version.dataset


def page_of(client, dataset) -> str:
    address = reverse("dataset", args=[dataset.organization.slug, dataset.slug])
    return client.get(address).content.decode()


def test_a_title_that_looks_like_an_earlier_one_is_never_shown_without_that_one(client):
    first, second = listed(TITLE), listed(IMITATION)

    shown = page_of(client, second)
    assert "mixes letters of several alphabets" in shown
    assert "Another dataset with a title like this was here before" in shown
    assert f'href="/d/{first}"' in shown
    assert "Look twice" not in page_of(client, first)


def test_the_checkout_says_that_a_title_looks_like_an_earlier_one(client):
    first, second = listed(TITLE), listed(IMITATION)
    client.force_login(factories.owner_of(factories.organization()))

    offer = second.versions.get().offers.get()
    shown = client.get(reverse("checkout", args=[offer.pk])).content.decode()
    assert f'href="/d/{first}"' in shown


def test_the_catalogue_marks_a_title_of_mixed_alphabets(client):
    listed(IMITATION)

    assert "Mixed alphabets" in client.get("/").content.decode()


def test_an_invitation_marks_who_could_be_taken_for_somebody_else():
    inviter = factories.user(name="Amin\u0430")
    station = factories.organization("Radio Val\u04cfey", owner=inviter)
    form = {"member-email": "x@example.org", "member-role": "editor"}
    browser_of(inviter).post("/account/invitations/", form)
    page = unescape(Client().get(letters.link("x@example.org")).content.decode())
    letter = str(letters.to("x@example.org")[-1].body)
    for name in (inviter.name, station.name):
        assert f"«{name}» mixes letters of several alphabets" in letter
        assert f'«<span dir="auto">{name}</span>» mixes letters of several alphabets' in page


def test_the_list_of_members_marks_a_name_of_mixed_alphabets():
    station = factories.organization()
    owner = browser_of(factories.owner_of(station))
    assert "Mixed alphabets" not in owner.get("/account/").content.decode()
    station.memberships.create(user=factories.user(name="Amin\u0430"), role=Role.EDITOR)
    assert "Mixed alphabets" in owner.get("/account/").content.decode()


def test_the_api_tells_what_a_dataset_looks_like(client):
    first, second = listed(TITLE), listed(IMITATION)

    told = client.get(f"/api/v1/datasets/{second}").json()
    assert told["looks_like"] == [str(first)]
    assert told["mixed_scripts"] == [IMITATION]
    assert client.get(f"/api/v1/datasets/{first}").json()["looks_like"] == []


def join(client, **who: str):
    """The answer to what a newcomer says who they are."""
    client.post(reverse("account_signup"), {"email": "new@example.org"})
    posted = {"password1": factories.PASSWORD, "slug": "new"} | who
    return client.post(letters.link("new@example.org"), posted)


def test_joining_refuses_names_that_hold_what_nobody_sees(client):
    answer = join(client, name=OVERRIDE, organization=OVERRIDE)

    assert answer.content.decode().count("The name holds the invisible character U+202E") == 2
    assert not User.objects.exists()


def test_joining_says_whose_name_an_organization_looks_like(client):
    factories.organization("Radio Mtoni")

    answer = join(client, name="Ana", organization="R\u0430dio Mtoni")

    assert answer.status_code == 409
    assert "looks like the name of Radio Mtoni" in answer.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_title_is_checked_when_it_is_made_and_when_it_is_changed(client):
    dataset = sealed.dataset(title=TITLE)
    owner = factories.owner_of(dataset.organization)
    for change in (
        lambda: datasets.edit(dataset=dataset, by=owner, title=OVERRIDE),
        lambda: sealed.dataset(title=OVERRIDE),
    ):
        with pytest.raises(datasets.names.InvalidName):
            change()

    edited = datasets.edit(dataset=dataset, by=owner, title="Voces del río")
    assert edited.look == datasets.names.look_of("Voces del río")


def test_a_speaker_has_no_name_that_nobody_sees():
    dataset = sealed.dataset()

    with pytest.raises(datasets.names.InvalidName):
        sealed.speaker(dataset, OVERRIDE)
    assert not Speaker.objects.exists()
