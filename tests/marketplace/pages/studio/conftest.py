"""A station, and one of its contributors at a browser."""

from importlib import import_module

import pytest
from django.test import Client


@pytest.fixture
def factories():
    # Pytest reads this file before Django has read its models.
    return import_module("tests.factories")


@pytest.fixture
def station(db, factories):
    return factories.organization("Radio Kasese")


@pytest.fixture
def contributor(station, factories):
    return factories.member(station, "editor")


@pytest.fixture
def browser(contributor) -> Client:
    return import_module("tests.signing_in").browser_of(contributor)


@pytest.fixture
def draft(station):
    sealed = import_module("tests.sealed")
    return import_module("tests.marketplace.pages.studio.stages").draft(sealed.dataset(station))


@pytest.fixture
def recording(draft):
    return import_module("tests.marketplace.pages.studio.stages").recording(draft)
