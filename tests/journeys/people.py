"""A radio station and a speech company with an account each, and how they come to be."""

import json
from dataclasses import dataclass

from playwright.sync_api import expect

from tests.journeys.browser import Desk
from tests.journeys.terminal import Person
from tests.running import Site

PASSWORD = "correct horse battery"

PEOPLE = """
import json
from accounts import organizations, people
from accounts.models import Scope
found = {{}}
sides = (("archive@radio.example", "Radio {0}"), ("ml@speech.example", "Speech {0}"))
for email, organization in sides:
    address, name = "{0}." + email.lower(), email.split("@")[0].title()
    user = people.join(address=address, password="{1}", name=name)
    made = organizations.create(name=organization, owner=user)
    key, secret = organizations.issue_key(
        organization=made, user=user, name="journey", scopes=Scope.values
    )
    found[organization.split()[0].lower()] = dict(
        email=user.email, name=made.name, slug=made.slug, key=secret
    )
print(json.dumps(found))
"""


@dataclass(frozen=True)
class People:
    """The two sides of every journey."""

    contributor: Person
    trainer: Person


def meet(site: Site, name: str) -> People:
    """Make both, with organizations of that name."""
    made = json.loads(site.manage("shell", "--no-imports", "-c", PEOPLE.format(name, PASSWORD)))
    return People(contributor=Person(**made["radio"]), trainer=Person(**made["speech"]))


def sign_in(desk: Desk, person: Person) -> None:
    """Enter by the front door."""
    desk.page.goto("/accounts/login/")
    desk.fill(Email=person.email, Password=PASSWORD)
    desk.press("Sign in")
    expect(desk.page.locator("[data-menu]")).to_be_visible()


def prove_if_asked(desk: Desk, *, then: str) -> None:
    """Type the password once more, if it was too long ago; what was begun goes on by itself."""
    asked = desk.page.get_by_role("heading", name="Is it still you?")
    expect(asked.or_(desk.page.get_by_text(then)).first).to_be_visible()
    if asked.is_visible():
        desk.fill(Password=PASSWORD)
        desk.press("Go on")
