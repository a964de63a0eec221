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


SECRET = "0123456789 and as long as a secret has to be, at least"
PUBLIC = {
    "DATABASE_URL": "postgresql://commonhold:of-our-own@localhost/commonhold",
    "SECRET_KEY": SECRET,
    "SITE_URL": "https://data.example.org",
    "ALLOWED_HOSTS": "data.example.org",
    "TRUST_PROXY": "1",
}
"""A site that others can reach, as it has to be."""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SITE_URL": "http://data.example.org"}, "is not https"),
        ({"TRUST_PROXY": "0"}, "TRUST_PROXY is 0"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY is no secret"),
        ({"SECRET_KEY": "x" * 80}, "SECRET_KEY is no secret"),
        ({"SECRET_KEY": f"change-me-{SECRET}"}, "SECRET_KEY is no secret"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS=* answers to every name"),
        ({"ALLOWED_HOSTS": "127.0.0.1"}, "ALLOWED_HOSTS lacks data.example.org"),
        ({"ALLOWED_HOSTS": "a.example.org,example.org"}, "ALLOWED_HOSTS lacks data.example.org"),
        ({"DATABASE_URL": "postgresql://commonhold:change-me@db/x"}, "the example's password"),
        ({"DATABASE_URL": "", "SECRET_KEY": "x"}, "SECRET_KEY is no secret"),
        ({"SITE_URL": "http://127.evil.example"}, "is not https"),
        ({"SITE_URL": "http://localhost.evil.example"}, "is not https"),
        ({"SITE_URL": ""}, "SITE_URL=http://127.0.0.1:8000 is this machine alone"),
        ({"SITE_URL": "http://localhost", "TRUST_PROXY": "0"}, "is this machine alone"),
        ({"SITE_URL": "http://localhost", "ALLOWED_HOSTS": "[::1]"}, "is this machine alone"),
        ({"DATABASE_URL": "", "SITE_URL": ""}, "is this machine alone"),
    ],
)
def test_nothing_unsafe_starts_where_others_can_reach_it(change, sentence):
    done = settings(**(PUBLIC | change))
    assert done.returncode != 0
    assert sentence in done.stderr


def test_the_containers_example_does_not_start_as_it_stands():
    lines = (ROOT / "docker" / "example.env").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    done = settings(**(PUBLIC | example))
    assert done.returncode != 0
    assert "SECRET_KEY is no secret" in done.stderr


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"ALLOWED_HOSTS": ".example.org"},
        {"SITE_URL": "https://localhost:8443", "ALLOWED_HOSTS": "localhost"},
        {"SITE_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": "127.0.0.1", "TRUST_PROXY": "0"},
    ],
)
def test_what_is_safe_starts(change):
    assert settings(**(PUBLIC | change)).returncode == 0


def test_the_deployment_check_has_nothing_to_say_of_a_safe_site(tmp_path):
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = run(command, **PUBLIC, DATA_DIR=str(tmp_path), PAYMENT_PROVIDER="test")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_cookies_of_a_public_site_are_bound_to_it_and_to_https():
    code = (
        "from marketplace import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS, s.SECURE_SSL_REDIRECT)"
    )
    done = run([sys.executable, "-c", code], **PUBLIC)
    assert done.stdout.split() == [
        "__Host-sessionid", "__Host-csrftoken", "True", "True", "31536000", "True"
    ]  # fmt: skip


@pytest.mark.parametrize(("named", "known"), [("", "[]"), ("former,older", "['former', 'older']")])
def test_a_secret_can_be_replaced_without_losing_what_it_made(named, known):
    code = "from marketplace import settings as s; print(s.SECRET_KEY_FALLBACKS)"
    done = run([sys.executable, "-c", code], **PUBLIC, SECRET_KEY_FALLBACKS=named)
    assert done.stdout.strip() == known, done.stderr


def limits(**environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own and print by what limits count, and where."""
    code = (
        "from marketplace import settings as s;"
        "print(s.TRUSTED_PROXIES, s.CACHES['default']['BACKEND'].rpartition('.')[2],"
        "s.CACHES['default']['LOCATION'])"
    )
    return run([sys.executable, "-c", code], **environment)


@pytest.mark.parametrize("value", ["-1", "yes", "many", "10", "1.5"])
def test_a_number_of_proxies_that_is_none_is_named(value):
    done = limits(TRUST_PROXY=value)
    assert done.returncode != 0
    assert f"TRUST_PROXY={value!r} is not understood" in done.stderr


def test_a_cache_that_is_not_shared_is_refused():
    done = limits(CACHE_URL="locmem://")
    assert done.returncode != 0
    assert "CACHE_URL='locmem://' is not understood" in done.stderr


@pytest.mark.parametrize(
    ("environment", "printed"),
    [
        ({}, "0 DatabaseCache shared_cache"),
        (PUBLIC | {"TRUST_PROXY": "2"}, "2 DatabaseCache shared_cache"),
        ({"CELERY_BROKER_URL": "redis://r/0"}, "0 RedisCache redis://r/0"),
        ({"CELERY_BROKER_URL": "amqp://r//"}, "0 DatabaseCache shared_cache"),
        (
            {"CELERY_BROKER_URL": "redis://r/0", "CACHE_URL": "redis://c/1"},
            "0 RedisCache redis://c/1",
        ),
    ],
)
def test_all_processes_count_limits_in_one_place(environment, printed):
    assert limits(**environment).stdout.strip() == printed


def origin(**environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own and print the log's name."""
    code = "from marketplace import settings; print(settings.LOG_ORIGIN)"
    return run([sys.executable, "-c", code], **environment)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "127.0.0.1"),
        ({"PORT": "8471"}, "127.0.0.1"),
        (PUBLIC | {"SITE_URL": "https://Data.Example.org:8443/path/"}, "data.example.org"),
        (
            PUBLIC | {"LOG_ORIGIN": "log.example.org"},
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


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, True),
        ({"SITE_URL": "http://localhost:8000", "ALLOWED_HOSTS": "localhost,[::1]"}, True),
        (PUBLIC | {"DATABASE_URL": ""}, False),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "127.0.0.1,radio.example.org"}, False),
        ({"DEBUG": "1", "TRUST_PROXY": "1"}, False),
        ({"EMAIL_HOST": "mail.example.org"}, False),
        (PUBLIC, False),
    ],
)
def test_letters_are_never_shown_where_somebody_comes_from_elsewhere(environment, shown):
    code = "from marketplace import settings; print(settings.SHOW_MAIL)"
    assert run([sys.executable, "-c", code], **environment).stdout.strip() == str(shown)


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
    services = compose()["services"]
    entrypoint = ENTRYPOINT.read_text()
    ours = [service for service in services.values() if service["image"] == "commonhold"]
    roles = {role for service in ours for role in service["command"][:1]}
    assert roles == {"prepare", "web", "notary", "worker", "beat"}
    assert {role for role in roles if f"\n  {role})\n" not in entrypoint} == set()


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())


def test_whoever_opens_strangers_files_has_no_keys_and_no_way_out():
    services, networks = compose()["services"], compose()["networks"]
    holders = {name for name, one in services.items() if "keys:/keys" in one.get("volumes", ())}
    assert holders == {"web", "notary"}
    assert {name for name, one in networks.items() if (one or {}).get("internal")} == {"inside"}
    assert services["prepare"]["volumes"] == services["beat"]["volumes"] == []
    for name in ("prepare", "worker", "beat", "postgres", "redis"):
        assert services[name]["networks"] == ["inside"], name
    assert [name for name, one in services.items() if "ports" in one] == ["nginx"]


def test_each_container_has_an_end_to_its_memory_and_its_scratch_room():
    for name, one in compose()["services"].items():
        assert one["mem_limit"], name
        assert all(":size=" in mount for mount in one.get("tmpfs", ())), name


def test_the_worker_without_keys_gets_files_and_in_a_queue_of_their_own_the_checks():
    code = (
        "import django; django.setup();"
        "from marketplace.celery import app; from marketplace import tasks;"
        "import ingestion.tasks, licensing.tasks, notary.tasks;"
        "route = lambda name: app.amqp.router.route({}, name)['queue'].name;"
        "print(*(f'{route(name)}:{name}' for name in app.tasks if name[:7] != 'celery.'))"
    )
    done = run([sys.executable, "-c", code], DJANGO_SETTINGS_MODULE="marketplace.settings")
    assert sorted(one for one in done.stdout.split() if not one.startswith("notary:")) == [
        "bytes:ingestion.tasks.check_bytes_task",
        "bytes:ingestion.tasks.sweep_bytes_task",
        "cpu:ingestion.tasks.run_pipeline_task",
    ], done.stderr
