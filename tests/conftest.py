"""What every test stands on: one embedded PostgreSQL, a private DATA_DIR, no network.

The server is started once by the first pytest process, shared by the workers of xdist (each makes
a database of its own on it), and stopped at the end. DATABASE_URL names another server instead.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from marketplace.host import postgres

hypothesis_settings.register_profile(
    "commonhold", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("commonhold")

session_folder = pytest.StashKey[Path]()
session_server = pytest.StashKey[postgres.Server]()


def pytest_configure(config: pytest.Config) -> None:
    """Point the settings at this session's database and folder before Django reads them."""
    worker = getattr(config, "workerinput", None)
    if worker is None:
        config.stash[session_folder] = folder = Path(tempfile.mkdtemp(prefix="commonhold-tests-"))
        os.environ["COMMONHOLD_TEST_FOLDER"] = str(folder)
        if not os.environ.get("DATABASE_URL"):
            config.stash[session_server] = postgres.start(folder, throwaway=True)
            os.environ["DATABASE_URL"] = postgres.database_url(folder, database="postgres")
    folder = Path(os.environ["COMMONHOLD_TEST_FOLDER"])
    data_dir = folder / (worker["workerid"] if worker else "main")
    (data_dir / "static").mkdir(parents=True)  # whitenoise warns where it is missing
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "DATA_DIR": str(data_dir),
        "SECRET_KEY": "for tests only, and as long as a secret has to be: 0123456789",
        "CELERY_BROKER_URL": "memory://",
        "ALLOW_TEST_PAYMENTS": "1",
        "SITE_URL": "http://localhost",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
    }
    # Password hashing is slow on purpose; no test asks how slow.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if worker is None and config.getoption("numprocesses", None):
        # A worker that inherits this name reads the settings before it knows its own folder.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that pytest_configure started and remove the session's folder."""
    if server := config.stash.get(session_server, None):
        server.stop()
    if folder := config.stash.get(session_folder, None):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_keys(settings, tmp_path_factory) -> None:
    """Keys belong to one database, and every test begins with an empty one."""
    settings.KEY_DIR = tmp_path_factory.mktemp("keys")


@pytest.fixture(autouse=True)
def _nothing_counted(request, django_db_blocker) -> Iterator[None]:
    """No test is refused for what others did. The shared cache is a table, rolled back mostly."""
    caches["local"].clear()
    caches["told"].clear()
    yield
    marker = request.node.get_closest_marker("django_db")
    is_kept = marker is not None and marker.kwargs.get("transaction")
    if is_kept or {"transactional_db", "live_server"} & set(request.fixturenames):
        with django_db_blocker.unblock():
            caches["default"].clear()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The DATA_DIR of this test process."""
    return Path(settings.DATA_DIR)


@pytest.fixture(scope="session")
def python() -> str:
    """The interpreter that runs the tests, for tests that run our programs."""
    return sys.executable
