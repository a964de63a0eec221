"""Organizations: who may do what in them, and the keys of their machines."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects

from accounts import audit, invitations, organizations
from accounts.models import ApiKey, Role, User
from tests import at_once, factories
from tests.at_once import Call

pytestmark = pytest.mark.django_db

ALLOWED = {
    "accounts.view_organization": {"owner", "editor", "buyer"},
    "accounts.manage_organization": {"owner"},
    "accounts.contribute_for_organization": {"owner", "editor"},
    "accounts.buy_for_organization": {"owner", "buyer"},
}


@pytest.mark.parametrize("permission", ALLOWED)
def test_each_role_may_do_what_its_name_says_and_no_more(permission):
    organization = factories.organization()
    people = {role: factories.member(organization, role) for role in Role.values}
    people["stranger"] = factories.user()
    people["owner of another"] = factories.owner_of(factories.organization())
    people["nobody"] = AnonymousUser()
    allowed = {name for name, person in people.items() if person.has_perm(permission, organization)}
    assert allowed == ALLOWED[permission]


@pytest.mark.django_db(transaction=True)
def test_nobody_founds_organizations_without_end(settings):
    settings.QUOTA_ORGANIZATIONS = 3
    owner = factories.user()
    found = [lambda name=name: factories.organization(name, owner) for name in "abcde"]
    refused = [one for one in at_once.all_of(*found) if isinstance(one, Exception)]
    assert {type(one) for one in refused} == {organizations.TooManyOrganizations}
    assert owner.memberships.count() == 3
    mine = owner.memberships.first().organization
    organizations.change_role(
        membership=mine.memberships.create(user=factories.user(), role=Role.BUYER),
        role=Role.OWNER,
        by=owner,
    )
    organizations.remove_member(organization=mine, user=owner, by=owner)
    assert factories.organization("f", owner).memberships.count() == 1


@pytest.mark.parametrize("permission", ALLOWED)
def test_an_owner_without_a_factor_may_do_nothing_where_the_site_asks_for_one(permission, settings):
    settings.REQUIRE_MFA_FOR_OWNERS = True
    organization = factories.organization()
    owner = factories.owner_of(organization)
    assert not owner.has_perm(permission, organization)
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    assert owner.has_perm(permission, organization)


@pytest.mark.parametrize("permission", ALLOWED)
def test_an_operator_may_do_nothing_for_an_organization_they_do_not_belong_to(permission):
    operator = User.objects.create_superuser("operator@example.org", "x")
    assert not operator.has_perm(permission, factories.organization())


def test_a_person_who_was_switched_off_may_do_nothing():
    organization = factories.organization()
    owner = factories.owner_of(organization)
    owner.is_active = False
    owner.save()
    assert not owner.has_perm("accounts.view_organization", organization)


def test_a_key_is_kept_as_a_hash_and_found_by_its_secret():
    organization = factories.organization()
    key, secret = organizations.issue_key(
        organization=organization,
        user=factories.owner_of(organization),
        name="gpu box",
        scopes=["read", "download"],
    )
    stored = ApiKey.objects.get(pk=key.pk)
    assert secret.split(".")[1] not in "".join(str(value) for value in vars(stored).values())
    assert ApiKey.objects.get_from_key(secret) == stored
    assert stored.hashed_key.startswith("sha512$$")


def test_a_revoked_key_is_not_usable():
    organization = factories.organization()
    owner = factories.owner_of(organization)
    key, secret = organizations.issue_key(
        organization=organization, user=owner, name="k", scopes=["read"]
    )
    organizations.revoke_key(key=key, by=owner)
    assert not ApiKey.objects.is_valid(secret)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "root"]])
def test_a_key_with_unknown_scopes_is_refused(scopes):
    organization = factories.organization()
    with pytest.raises(organizations.UnknownScope):
        organizations.issue_key(
            organization=organization,
            user=factories.owner_of(organization),
            name="k",
            scopes=scopes,
        )


def test_a_stranger_makes_no_key_for_an_organization():
    with pytest.raises(organizations.NotAllowed):
        organizations.issue_key(
            organization=factories.organization(),
            user=factories.user(),
            name="k",
            scopes=["read"],
        )


def test_a_member_who_leaves_loses_their_keys():
    organization = factories.organization()
    editor = factories.member(organization, Role.EDITOR)
    _, secret = organizations.issue_key(
        organization=organization, user=editor, name="k", scopes=["contribute"]
    )
    organizations.remove_member(
        organization=organization, user=editor, by=factories.owner_of(organization)
    )
    assert not ApiKey.objects.is_valid(secret)


def test_a_member_leaves_by_themselves_and_a_colleague_cannot_be_sent_away_by_one():
    organization = factories.organization()
    editor, buyer = (factories.member(organization, role) for role in (Role.EDITOR, Role.BUYER))
    with pytest.raises(organizations.NotAllowed):
        organizations.remove_member(organization=organization, user=buyer, by=editor)
    organizations.remove_member(organization=organization, user=editor, by=editor)
    assert set(organization.memberships.values_list("user", flat=True)) == {
        factories.owner_of(organization).pk,
        buyer.pk,
    }
    entry = audit.history(of=organization).first()
    assert (entry.verb, entry.copies) == ("member.left", {"member": editor.email})


def test_the_last_owner_can_not_leave():
    organization = factories.organization()
    owner = factories.owner_of(organization)
    with pytest.raises(organizations.LastOwner):
        organizations.remove_member(organization=organization, user=owner, by=owner)
    with pytest.raises(organizations.LastOwner):
        organizations.change_role(
            membership=organization.memberships.get(), role=Role.BUYER, by=owner
        )


@pytest.mark.parametrize("lack", [{"is_active": False}, {"confirmed_at": None}])
def test_an_organization_is_never_left_to_an_owner_who_can_not_act(lack):
    organization = factories.organization()
    owner, absent = factories.owner_of(organization), factories.member(organization, Role.OWNER)
    User.objects.filter(pk=absent.pk).update(**lack)
    with pytest.raises(organizations.LastOwner):
        organizations.remove_member(organization=organization, user=owner, by=owner)
    organizations.remove_member(organization=organization, user=absent, by=owner)
    assert organization.memberships.get().user == owner


@pytest.mark.parametrize("role", [Role.EDITOR, Role.BUYER])
def test_only_an_owner_changes_roles(role):
    organization = factories.organization()
    person = factories.member(organization, role)
    with pytest.raises(organizations.NotAllowed):
        organizations.change_role(
            membership=organization.memberships.get(user=person), role=Role.OWNER, by=person
        )


MEANWHILE = {
    "change a role": lambda station, by: organizations.change_role(
        membership=station.memberships.get(role=Role.EDITOR), role=Role.OWNER, by=by
    ),
    "remove a member": lambda station, by: organizations.remove_member(
        organization=station, user=station.memberships.get(role=Role.EDITOR).user, by=by
    ),
    "invite": lambda station, by: invitations.invite(
        organization=station, address="new@example.org", role=Role.OWNER, by=by
    ),
    "send an invitation again": lambda station, by: invitations.renew(
        invitation=station.invitations.get(), by=by
    ),
    "withdraw an invitation": lambda station, by: invitations.withdraw(
        invitation=station.invitations.get(), by=by
    ),
    "make a key": lambda station, by: organizations.issue_key(
        organization=station, user=by, name="late", scopes=["read"]
    ),
    "stop a colleague's key": lambda station, by: organizations.revoke_key(
        key=station.api_keys.get(), by=by
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", MEANWHILE)
def test_an_owner_who_is_sent_away_meanwhile_does_nothing_any_more(act):
    station = factories.organization()
    owner, sent_away = factories.owner_of(station), factories.member(station, Role.OWNER)
    factories.member(station, Role.EDITOR)
    invitations.invite(organization=station, address="x@example.org", role=Role.BUYER, by=owner)
    organizations.issue_key(organization=station, user=owner, name="box", scopes=["read"])
    # As the request of a browser has read them.
    prefetch_related_objects([sent_away], "memberships")
    with transaction.atomic():
        organizations.remove_member(organization=station, user=sent_away, by=owner)
        late = Call(lambda: MEANWHILE[act](station, sent_away)).until_it_waits()
    with pytest.raises(organizations.NotAllowed):
        late.result()


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays():
    station = factories.organization()
    owner, other = factories.owner_of(station), factories.member(station, Role.OWNER)
    with transaction.atomic():
        organizations.remove_member(organization=station, user=owner, by=owner)
        late = Call(
            lambda: organizations.remove_member(organization=station, user=other, by=other)
        ).until_it_waits()
    with pytest.raises(organizations.LastOwner):
        late.result()


def test_two_organizations_can_not_share_an_address():
    factories.organization("Radio Kasese")
    with pytest.raises(organizations.NameTaken, match="radio-kasese"):
        factories.organization("Radio  Kasese!")


def test_a_name_without_latin_letters_asks_for_a_short_name():
    with pytest.raises(organizations.NameTaken, match="no letters"):
        factories.organization("መቐለ ሬድዮ")


def test_an_email_belongs_to_one_person_whatever_its_case():
    factories.user("amina@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("AMINA@example.org")
