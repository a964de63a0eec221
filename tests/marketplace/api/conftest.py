"""A station with an empty dataset, and its editor's client."""

from contextlib import contextmanager
from importlib import import_module

import pytest
from celery import Task


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


@pytest.fixture
def told_workers(monkeypatch, django_capture_on_commit_callbacks):
    """What workers are told in a block, once it is committed: names of tasks and arguments."""

    @contextmanager
    def telling():
        told = []

        def send(task, args=None, kwargs=None, **options):
            told.append((task.name.rpartition(".")[2], tuple(args or ())))

        with monkeypatch.context() as patched:
            patched.setattr(Task, "apply_async", send)
            with django_capture_on_commit_callbacks(execute=True):
                yield told
                assert told == []

    return telling
