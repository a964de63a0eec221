"""Members and invitations, by the pages."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import people
from accounts.models import Invitation, Organization, Role, User
from tests import factories, letters
from tests.signing_in import browser_of

pytestmark = pytest.mark.django_db
ADDRESS = "juma@example.org"
WHO = {"name": "Juma", "password1": factories.PASSWORD}


def invite(organization: Organization, address: str = ADDRESS, role: str = "buyer") -> str:
    """Invite an address by the page, and return the link of the letter."""
    form = {"member-email": address, "member-role": role}
    owner = browser_of(factories.owner_of(organization))
    assert owner.post("/account/invitations/", form).status_code == 302
    return letters.link(address.lower())


def test_a_stranger_who_claims_a_colleagues_address_never_becomes_a_member():
    organization = factories.organization()
    squatter = browser_of(factories.squatter(ADDRESS))
    link = invite(organization)
    assert not organization.memberships.filter(user__email=ADDRESS).exists()
    # Not even with the link, since the account is nobody's.
    assert squatter.post(link).status_code == 403
    colleague = Client()
    assert colleague.post(link, WHO).status_code == 302
    member = organization.memberships.get(role=Role.BUYER).user
    assert (member.name, member) == ("Juma", people.holder(address=ADDRESS))
    assert squatter.get("/account/").status_code == 302


def test_a_newcomer_joins_by_an_invitation_and_acts_for_who_invited_them():
    organization = factories.organization()
    browser = Client()
    link = invite(organization, "Juma@Example.org", "editor")
    assert "to see it and to join" in str(letters.to(ADDRESS)[-1].body)
    assert str(organization) in browser.get(link).content.decode()
    joined = browser.post(link, WHO)
    assert joined["Location"] == "/account/"
    page = browser.get("/account/")
    assert page.context["organization"] == organization
    assert page.context["membership"].role == Role.EDITOR
    assert f"You belong to {organization} now" in page.content.decode()


def test_whoever_has_an_account_signs_in_and_comes_back_to_the_invitation():
    organization, person = factories.organization(), factories.user(ADDRESS)
    elsewhere = factories.organization(owner=person)
    link, browser = invite(organization), Client()
    shown = browser.get(link).content.decode()
    onward = re.search(r'href="(/accounts/login/\?next=[^"]+)"', shown)
    assert onward is not None
    assert browser.post(link).status_code == 200
    assert not organization.memberships.filter(user=person).exists()
    login = {"login": ADDRESS, "password": factories.PASSWORD}
    back = browser.post(onward[1], login | {"next": link})
    assert back["Location"] == link
    assert browser.get(link).status_code == 200
    assert browser.post(link)["Location"] == "/account/"
    assert browser.get("/account/").context["organization"] == organization
    assert set(person.memberships.values_list("organization", flat=True)) == {
        organization.pk,
        elsewhere.pk,
    }


def test_opening_an_invitation_changes_nothing():
    organization, person = factories.organization(), factories.user(ADDRESS)
    link = invite(organization)
    for browser in (Client(), browser_of(person)):
        browser.get(link)
        browser.head(link)
    assert organization.memberships.count() == 1
    assert Invitation.objects.open().exists()


def test_an_invitation_of_another_address_is_told_apart_and_changes_nothing():
    organization, other = factories.organization(), factories.user()
    answer = browser_of(other).post(invite(organization))
    assert answer.status_code == 403
    told = answer.content.decode()
    assert ADDRESS in told
    assert other.email in told
    assert not other.memberships.exists()


def spoil(how: str, invitation: Invitation) -> None:
    """End an invitation in one of its ways."""
    owner = browser_of(factories.owner_of(invitation.organization))
    if how == "withdrawn":
        owner.post(f"/account/invitations/{invitation.pk}/withdraw/")
    elif how == "renewed":
        owner.post(f"/account/invitations/{invitation.pk}/again/")
    elif how == "used":
        Client().post(letters.link(ADDRESS), WHO)
    else:
        past = timezone.now() - timedelta(days=1)
        Invitation.objects.filter(pk=invitation.pk).update(expires_at=past)


ENDED = {
    "withdrawn": (410, "took this invitation back"),
    "renewed": (404, "a newer mail took its place"),
    "used": (410, "used already"),
    "expired": (410, "too old"),
}


@pytest.mark.parametrize("how", ENDED)
def test_a_link_that_is_over_says_why_and_makes_nobody(how: str):
    organization = factories.organization()
    link = invite(organization)
    spoil(how, Invitation.objects.get())
    before = User.objects.count()
    for browser in (Client(), browser_of(factories.owner_of(organization))):
        status, words = ENDED[how]
        answer = browser.post(link, WHO)
        assert answer.status_code == status
        assert words in answer.content.decode()
    assert User.objects.count() == before


def test_inviting_never_says_whether_an_address_has_joined():
    factories.user("joined@example.org")
    factories.squatter("claimed@example.org")
    told = []
    for address in ("joined@example.org", "claimed@example.org", "nobody@example.org"):
        owner = browser_of(factories.owner_of(factories.organization("Radio " + address[:5])))
        form = {"member-email": address, "member-role": "editor"}
        answer = owner.post("/account/invitations/", form, follow=True)
        page = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.content.decode())
        page = re.sub(r"/account/\w+/\d+/|role-\d+|person\d+@|radio-\w+", "", page)
        page = re.sub(r"<time [^>]*>[^<]*</time>", "", page)
        told.append(page.replace(address, "").replace("Radio " + address[:5], ""))
        (letter,) = letters.to(address)
        assert "/invitations/" in str(letter.body)
    assert told[0] == told[1] == told[2]


def test_an_owner_sees_open_invitations_and_sends_one_again():
    organization = factories.organization()
    former = invite(organization)
    owner = browser_of(factories.owner_of(organization))
    page = owner.get("/account/")
    (shown,) = page.context["invitations"]
    assert ADDRESS in page.content.decode()
    owner.post(f"/account/invitations/{shown.pk}/again/")
    assert letters.link(ADDRESS) != former
    owner.post(f"/account/invitations/{shown.pk}/withdraw/")
    assert owner.get("/account/").context["invitations"] == []


def test_an_address_that_is_invited_already_is_said_beside_the_field():
    organization = factories.organization()
    invite(organization)
    form = {"member-email": ADDRESS, "member-role": "owner"}
    owner = browser_of(factories.owner_of(organization))
    answer = owner.post("/account/invitations/", form)
    assert answer.status_code == 409
    assert "invited already" in str(answer.context["invitation_form"].errors["email"])
    own = {"member-email": factories.owner_of(organization).email, "member-role": "buyer"}
    assert owner.post("/account/invitations/", own).status_code == 409
    assert len(mail.outbox) == 1


def test_an_invitation_that_could_not_be_sent_stands_and_can_be_sent_again(settings):
    organization = factories.organization()
    owner = browser_of(factories.owner_of(organization))
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.marketplace.pages.test_joining.BrokenPost"
    form = {"member-email": ADDRESS, "member-role": "buyer"}
    refused = owner.post("/account/invitations/", form)
    assert refused.status_code == 503
    assert "could not be sent" in refused.content.decode()
    settings.EMAIL_BACKEND = works
    owner.post(f"/account/invitations/{Invitation.objects.get().pk}/again/")
    assert Client().post(letters.link(ADDRESS), WHO).status_code == 302
    assert organization.memberships.count() == 2


def test_invitations_do_not_fill_a_strangers_mailbox():
    for _ in range(2):
        organization = factories.organization()
        owner = browser_of(factories.owner_of(organization))
        owner.post("/account/invitations/", {"member-email": ADDRESS, "member-role": "buyer"})
        again = f"/account/invitations/{organization.invitations.get().pk}/again/"
        answers = [owner.post(again) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429] * 3
    assert "as many as one address may" in answers[-1].content.decode()
    assert len(letters.to(ADDRESS)) == 5
    # The refused one took nothing away: the last link that was sent works.
    assert Client().get(letters.link(ADDRESS)).status_code == 200


def test_one_person_does_not_invite_without_end(settings):
    settings.RATES = settings.RATES | {"invite": ("3/d",)}
    organization = factories.organization()
    owner = browser_of(factories.owner_of(organization))
    for number in range(4):
        form = {"member-email": f"x{number}@example.org", "member-role": "buyer"}
        answer = owner.post("/account/invitations/", form)
    assert answer.status_code == 429
    assert len(mail.outbox) == organization.invitations.count() == 3


@pytest.mark.parametrize("role", [Role.EDITOR, Role.BUYER])
def test_only_owners_invite_and_see_who_is_invited(role: Role):
    organization = factories.organization()
    invite(organization)
    client = browser_of(factories.member(organization, role))
    number = Invitation.objects.get().pk
    form = {"member-email": "x@example.org", "member-role": "owner"}
    assert client.post("/account/invitations/", form).status_code == 403
    assert client.post(f"/account/invitations/{number}/again/").status_code == 403
    assert client.post(f"/account/invitations/{number}/withdraw/").status_code == 403
    page = client.get("/account/").content.decode()
    assert ADDRESS not in page
    assert "Invite somebody" not in page
    assert len(mail.outbox) == 1


def test_another_organizations_members_and_invitations_cannot_be_touched():
    client = browser_of(factories.owner_of(factories.organization()))
    elsewhere = factories.organization()
    invite(elsewhere)
    member, invitation = elsewhere.memberships.get().pk, Invitation.objects.get().pk
    assert client.post(f"/account/members/{member}/remove/").status_code == 404
    assert client.post(f"/account/members/{member}/role/", {"role": "buyer"}).status_code == 404
    assert client.post(f"/account/invitations/{invitation}/again/").status_code == 404
    assert client.post(f"/account/invitations/{invitation}/withdraw/").status_code == 404


def test_an_owner_promotes_and_removes_a_member():
    organization = factories.organization()
    person = factories.member(organization, Role.BUYER)
    client = browser_of(factories.owner_of(organization))
    membership = organization.memberships.get(user=person)
    client.post(f"/account/members/{membership.pk}/role/", {"role": "editor"})
    membership.refresh_from_db()
    assert membership.role == Role.EDITOR
    client.post(f"/account/members/{membership.pk}/remove/")
    assert not organization.memberships.filter(user=person).exists()


def test_a_member_leaves_by_themselves():
    organization = factories.organization()
    person = factories.member(organization, Role.BUYER)
    client = browser_of(person)
    mine, others = organization.memberships.order_by("user")[::-1]
    assert client.post(f"/account/members/{others.pk}/remove/").status_code == 403
    assert client.post(f"/account/members/{mine.pk}/remove/").status_code == 302
    assert client.get("/account/").context["organization"] is None


def test_the_last_owner_stays():
    owner = factories.user()
    organization = factories.organization(owner=owner)
    number = organization.memberships.get().pk
    answer = browser_of(owner).post(f"/account/members/{number}/remove/")
    assert answer.status_code == 409
    assert "last owner" in answer.content.decode()
