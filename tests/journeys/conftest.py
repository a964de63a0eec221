"""A whole Commonhold for the journeys: one installation, its people, and their keys."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.journeys.people import People, meet
from tests.journeys.terminal import Terminal
from tests.running import Site, running


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    """A running Commonhold without demo data."""
    with running(tmp_path_factory.mktemp("journeys") / "data") as started:
        yield started


@pytest.fixture
def people(site, request) -> People:
    """A radio station and a speech company, new for each test."""
    return meet(site, request.node.name.replace("_", "-")[:30].strip("-"))


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
