"""Things that tests stand on, made through the services where there is one."""

from itertools import count

from allauth.account.models import EmailAddress

from accounts import organizations, people
from accounts.models import Membership, Organization, Role, User

numbers = count(1)
PASSWORD = "correct horse battery"


def user(email: str = "", name: str = "") -> User:
    """A person who proved their address and can log in with PASSWORD."""
    email = email or f"person{next(numbers)}@example.org"
    return people.join(address=email, password=PASSWORD, name=name)


def squatter(email: str) -> User:
    """An account that claims an address which nobody proved."""
    claimed = User.objects.create_user(email, PASSWORD, name="Squatter")
    EmailAddress.objects.create(user=claimed, email=claimed.email, primary=True)
    return claimed


def organization(name: str = "", owner: User | None = None) -> Organization:
    """An organization with one owner."""
    name = name or f"Radio {next(numbers)}"
    return organizations.create(name=name, owner=owner or user())


def owner_of(organization: Organization) -> User:
    """The first owner of an organization."""
    return organization.memberships.select_related("user").filter(role=Role.OWNER)[0].user


def member(organization: Organization, role: str = Role.EDITOR) -> User:
    """A new person in the organization."""
    person = user()
    Membership.objects.create(user=person, organization=organization, role=role)
    return person
