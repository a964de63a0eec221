"""A station with an empty dataset, and its editor's client."""

from importlib import import_module

import pytest


@pytest.fixture
def station(db):
    # Pytest reads this file before Django has read its models.
    return import_module("tests.factories").organization("Radio Valley")


@pytest.fixture
def dataset(station):
    return import_module("tests.sealed").dataset(station, slug="show")


@pytest.fixture
def editor(station):
    return import_module("tests.marketplace.api.callers").client_of(station)


@pytest.fixture
def empty_store(settings, tmp_path):
    """A blob store of the test's own, so that what is left in it can be counted."""
    settings.BLOB_DIR = tmp_path / "blobs"
