"""Whose an address is: theirs who proved it, and nobody's who only claims it."""

from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import organizations, people
from accounts.models import ApiKey, AuditEntry, Membership, Organization, Role, Scope, User
from tests import at_once, factories

pytestmark = pytest.mark.django_db
ADDRESS = "colleague@radio-mtoni.example"
PERMISSIONS = ("view", "manage", "contribute_for", "buy_for")


def forget_proof(user: User) -> User:
    """Make an account as they were before addresses had to be proved."""
    User.objects.filter(pk=user.pk).update(confirmed_at=None)
    EmailAddress.objects.filter(user=user).update(verified=False)
    return User.objects.get(pk=user.pk)


def test_an_account_that_nobody_proved_may_do_nothing_even_for_its_own_organization():
    organization = factories.organization()
    owner = forget_proof(factories.owner_of(organization))
    allowed = [
        name
        for name in PERMISSIONS
        if owner.has_perm(f"accounts.{name}_organization", organization)
    ]
    assert allowed == []
    with pytest.raises(organizations.NotAllowed):
        organizations.issue_key(organization=organization, user=owner, name="k", scopes=["read"])


def test_an_account_that_nobody_proved_founds_nothing_and_joins_nothing():
    squatter, organization = factories.squatter(ADDRESS), factories.organization()
    with pytest.raises(people.Unconfirmed, match=ADDRESS):
        organizations.create(name="Radio Mtoni", owner=squatter)
    with pytest.raises(people.Unconfirmed):
        organizations.join(organization=organization, user=squatter, role=Role.EDITOR)
    assert not Organization.objects.filter(slug="radio-mtoni").exists()


def test_the_database_takes_no_member_who_proved_nothing():
    membership = Membership(
        user=factories.squatter(ADDRESS), organization=factories.organization(), role=Role.EDITOR
    )
    with pytest.raises(IntegrityError, match="belongs to nothing"), transaction.atomic():
        membership.save()


def test_a_squatter_can_not_hold_an_address_against_its_owner():
    squatter = factories.squatter(ADDRESS)
    browser = Client()
    browser.force_login(squatter)
    owner = people.join(address=ADDRESS.upper(), password=factories.PASSWORD, name="Colleague")
    squatter.refresh_from_db()
    assert (owner.email, people.holder(address=ADDRESS)) == (ADDRESS, owner)
    assert not squatter.is_active
    assert ADDRESS not in (squatter.email, *EmailAddress.objects.filter(user=squatter))
    assert browser.get("/account/").status_code == 302
    displaced = AuditEntry.objects.get(verb="user.displaced")
    assert displaced.about == [f"user:{squatter.pk}"]
    assert displaced.copies == {"address": ADDRESS}


def test_what_a_squatter_made_ends_with_the_squatter():
    person = factories.user(ADDRESS)
    organization = factories.organization(owner=person)
    _, secret = organizations.issue_key(
        organization=organization, user=person, name="k", scopes=Scope.values
    )
    squatter = forget_proof(person)
    people.join(address=ADDRESS, password="another long password", name="Colleague")
    assert not ApiKey.objects.is_valid(secret)
    assert authenticate(email=ADDRESS, password=factories.PASSWORD) is None
    squatter.refresh_from_db()
    assert not squatter.has_perm("accounts.view_organization", organization)


def test_an_address_that_is_proved_can_not_be_joined_with_again():
    factories.user(ADDRESS)
    with pytest.raises(people.AddressTaken, match=ADDRESS):
        people.join(address=ADDRESS.title(), password=factories.PASSWORD, name="Thief")
    assert User.objects.count() == 1


def test_the_first_proof_makes_somebody_and_displaces_who_only_claimed():
    claimant, squatter = factories.squatter("mine@example.org"), factories.squatter(ADDRESS)
    second = EmailAddress.objects.create(user=claimant, email=ADDRESS)
    confirmed = people.confirm(address=second)
    squatter.refresh_from_db()
    assert confirmed.confirmed_at is not None
    assert (confirmed.email, squatter.is_active) == (ADDRESS, False)
    assert EmailAddress.objects.get(user=claimant, primary=True).email == ADDRESS
    assert people.holder(address="mine@example.org") is None


def test_a_further_address_is_added_by_proof_and_the_first_stays_the_one_we_write_to():
    person = factories.user("mine@example.org")
    people.confirm(address=EmailAddress.objects.create(user=person, email=ADDRESS))
    person.refresh_from_db()
    assert person.email == "mine@example.org"
    assert people.holder(address=ADDRESS) == person == people.holder(address=person.email)


def test_a_claim_on_a_further_address_gives_way_to_who_proves_it_and_costs_nothing_else():
    claimant = factories.user("mine@example.org")
    EmailAddress.objects.create(user=claimant, email=ADDRESS)
    owner = people.join(address=ADDRESS, password=factories.PASSWORD, name="Colleague")
    claimant.refresh_from_db()
    assert claimant.is_active
    assert list(EmailAddress.objects.filter(email=ADDRESS).values_list("user")) == [(owner.pk,)]
    assert not AuditEntry.objects.filter(verb="user.displaced").exists()


def test_an_address_that_somebody_proved_is_not_proved_by_another():
    factories.user(ADDRESS)
    other = EmailAddress.objects.create(user=factories.user(), email=ADDRESS)
    with pytest.raises(people.AddressTaken):
        people.confirm(address=other)
    other.refresh_from_db()
    assert not other.verified


@pytest.mark.django_db(transaction=True)
def test_an_address_never_becomes_two_peoples_who_prove_it_at_once():
    join = partial(people.join, address=ADDRESS, password=factories.PASSWORD, name="x")
    outcomes = at_once.all_of(*[join] * 4)
    assert sum(isinstance(one, people.AddressTaken) for one in outcomes) == 3
    assert sum(isinstance(one, User) for one in outcomes) == 1
    assert User.objects.filter(email=ADDRESS).count() == 1
