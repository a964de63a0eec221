"""The configuration says what is missing, and the containers carry what the application is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ENTRYPOINT = ROOT / "docker" / "entrypoint"


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        command, cwd=ROOT, env=kept | environment, check=False, capture_output=True, text=True
    )


def settings(**environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own and print two of them."""
    code = "from marketplace import settings as s; print(s.SITE_URL, s.SECRET_KEY, s.EMBEDDED)"
    return run([sys.executable, "-c", code], **environment)


def test_a_named_database_without_a_secret_key_does_not_start():
    done = settings(DATABASE_URL="postgresql://example/commonhold")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert "Set it to 50 or more random characters" in done.stderr


def test_a_yes_or_no_that_is_neither_is_named():
    done = settings(DEBUG="maybe")
    assert done.returncode != 0
    assert "DEBUG='maybe' is not understood: set it to 1 or 0." in done.stderr


def test_the_embedded_secret_is_the_one_that_was_kept(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "secret_key").write_text("kept")
    done = settings(DATA_DIR=str(tmp_path))
    assert done.stdout.split() == ["http://127.0.0.1:8000", "kept", "True"]


def origin(**environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own and print the log's name."""
    code = "from marketplace import settings; print(settings.LOG_ORIGIN)"
    return run([sys.executable, "-c", code], **environment)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "127.0.0.1"),
        ({"PORT": "8471"}, "127.0.0.1"),
        ({"SITE_URL": "https://Data.Example.org:8443/path/"}, "data.example.org"),
        (
            {"SITE_URL": "https://data.example.org", "LOG_ORIGIN": "log.example.org"},
            "log.example.org",
        ),
    ],
)
def test_the_logs_name_is_a_bare_host_name(environment, name):
    assert origin(**environment).stdout.strip() == name


@pytest.mark.parametrize(
    "environment",
    [
        {"LOG_ORIGIN": "log.example.org/2026"},
        {"LOG_ORIGIN": "log.example.org:8000"},
        {"LOG_ORIGIN": "https://log.example.org"},
        {"LOG_ORIGIN": "Log.Example.org"},
        {"LOG_ORIGIN": "log example"},
        {"LOG_ORIGIN": "log.example.org."},
        {"LOG_ORIGIN": "log.example.org\n"},
        {"LOG_ORIGIN": "a" * 254},
        {"SITE_URL": "data.example.org"},
        {"SITE_URL": "http://[::1]:8000"},
    ],
)
def test_another_kind_of_name_does_not_start_and_says_what_to_set(environment):
    done = origin(**environment)
    assert done.returncode != 0
    assert "Set LOG_ORIGIN to one, such as log.example.org" in done.stderr


def test_loading_the_settings_writes_nothing(tmp_path):
    assert settings(DATA_DIR=str(tmp_path / "data")).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "SECRET_KEY", "SITE_URL"])
def test_a_container_says_which_variable_is_missing(name):
    given = {"DATABASE_URL": "postgresql://x/y", "SECRET_KEY": "s", "SITE_URL": "http://z"}
    del given[name]
    done = run(["sh", str(ENTRYPOINT), "true"], **given)
    assert done.returncode != 0
    assert f"{name}: set it to" in done.stderr


def test_the_image_carries_every_package_but_the_demo_and_compose_starts_known_roles():
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "demo"}
    assert {name for name in packages if f"COPY {name} {name}\n" not in dockerfile} == set()
    assert "COPY demo" not in dockerfile  # data to look at is not for those who run it
    services = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())["services"]
    entrypoint = ENTRYPOINT.read_text()
    roles = {role for service in services.values() for role in service.get("command", [])[:1]}
    assert {
        role for role in roles - {"redis-server"} if f"\n  {role})\n" not in entrypoint
    } == set()
