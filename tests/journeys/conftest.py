"""A whole Commonhold for the journeys: one installation, its people, and their keys."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.journeys.terminal import Person, Terminal
from tests.running import Site, running

PASSWORD = "correct horse battery"

PEOPLE = """
import json
from accounts import organizations
from accounts.models import Scope, User
found = {{}}
sides = (("archive@radio.example", "Radio {0}"), ("ml@speech.example", "Speech {0}"))
for email, organization in sides:
    user = User.objects.create_user("{0}." + email, "{1}", name=email.split("@")[0].title())
    made = organizations.create(name=organization, owner=user)
    key, secret = organizations.issue_key(
        organization=made, user=user, name="journey", scopes=Scope.values
    )
    found[organization.split()[0].lower()] = dict(email=user.email, slug=made.slug, key=secret)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class People:
    """The two sides of every journey."""

    contributor: Person
    trainer: Person


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    """A running Commonhold without demo data."""
    with running(tmp_path_factory.mktemp("journeys") / "data") as started:
        yield started


@pytest.fixture
def people(site, request) -> People:
    """A radio station and a speech company, new for each test."""
    name = request.node.name.replace("_", "-")[:30].strip("-")
    made = json.loads(site.manage("shell", "--no-imports", "-c", PEOPLE.format(name, PASSWORD)))
    return People(contributor=Person(**made["radio"]), trainer=Person(**made["speech"]))


@pytest.fixture
def archivist(site, people, tmp_path) -> Iterator[Terminal]:
    """The station's terminal."""
    with closing(Terminal(site, people.contributor, tmp_path / "archivist")) as terminal:
        yield terminal


@pytest.fixture
def trainer(site, people, tmp_path) -> Iterator[Terminal]:
    """The company's terminal."""
    with closing(Terminal(site, people.trainer, tmp_path / "trainer")) as terminal:
        yield terminal
