import shutil
from pathlib import Path

import pytest

from tests.sdk import bundles


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Keep pins, credentials and unfinished work of every test apart."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.delenv("COMMONHOLD_URL", raising=False)
    monkeypatch.delenv("COMMONHOLD_API_KEY", raising=False)


@pytest.fixture(scope="session")
def site() -> bundles.Site:
    return bundles.Site()


@pytest.fixture(scope="session")
def pristine(site, tmp_path_factory) -> Path:
    return bundles.write(tmp_path_factory.mktemp("pristine"), site)


@pytest.fixture
def bundle(pristine, tmp_path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "bundle"))
