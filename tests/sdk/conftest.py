import shutil
from pathlib import Path

import pytest

from tests.sdk import bundles, verified


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Keep pins, credentials and unfinished work of every test apart."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("COMMONHOLD_URL", raising=False)
    monkeypatch.delenv("COMMONHOLD_API_KEY", raising=False)


@pytest.fixture(scope="session")
def one_site() -> bundles.Site:
    return bundles.Site()


@pytest.fixture
def site(one_site) -> bundles.Site:
    """A site whose keys were kept at an earlier download."""
    verified.pin(one_site)
    return one_site


@pytest.fixture(scope="session")
def pristine(one_site, tmp_path_factory) -> Path:
    return bundles.write(tmp_path_factory.mktemp("pristine"), one_site)


@pytest.fixture
def bundle(site, pristine, tmp_path) -> Path:
    """A release of that site."""
    return Path(shutil.copytree(pristine, tmp_path / "bundle"))
