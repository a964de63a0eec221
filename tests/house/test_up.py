"""`manage.py up` starts everything, restarts what dies, and stops what it started and no more."""

import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.running import ROOT, Site, running


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """One installation for all of these tests: starting it a second time is part of them."""
    return tmp_path_factory.mktemp("up") / "data"


def attempt(site: Site) -> subprocess.CompletedProcess[str]:
    """Run `up` where it must refuse."""
    command = [sys.executable, "manage.py", "up"]
    return subprocess.run(
        command, cwd=ROOT, env=site.environment, check=False, capture_output=True, text=True
    )


def test_it_serves_and_ctrl_c_stops_all_of_it_and_nothing_else(data_dir):
    bystander = subprocess.Popen(["sleep", "60"])
    with running(data_dir) as site:
        assert site.status("/accounts/login/") == 200
        site.wait_for(lambda: len(site.tree()) == 4, seconds=30)
        started = site.descendants()
        assert site.stop(signal.SIGINT) == 0
    assert "Commonhold has stopped" in site.said()
    assert [process for process in started if process.is_running()] == []
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_sigterm_stops_it_too(data_dir):
    with running(data_dir) as site:
        started = site.descendants()
        assert site.stop(signal.SIGTERM) == 0
    assert [process for process in started if process.is_running()] == []


@pytest.mark.parametrize("name", ["web", "worker", "postgres"])
def test_what_is_killed_starts_again(data_dir, name):
    with running(data_dir) as site:
        site.wait_for(lambda: len(site.tree()) == 4, seconds=30)
        killed = site.tree()[name]
        killed.kill()
        site.wait_for(lambda: (now := site.tree().get(name)) and now.pid != killed.pid, seconds=30)
        site.wait_for(lambda: site.status("/accounts/login/") == 200, seconds=30)
        assert f"{name} stopped (killed by SIGKILL)" in site.said()


def test_nothing_survives_a_killed_supervisor_and_the_next_start_works(data_dir):
    with running(data_dir) as site:
        site.wait_for(lambda: len(site.tree()) == 4, seconds=30)
        started = site.descendants()
        site.process.kill()
        site.process.wait()
        _, alive = psutil.wait_procs(started, timeout=15)
        assert alive == []
    with running(data_dir) as again:
        assert again.status("/accounts/login/") == 200


def test_a_second_start_with_the_same_folder_says_so(data_dir):
    with running(data_dir) as site:
        second = attempt(Site(data_dir))
    assert second.returncode == 1
    assert (
        f"already runs with this DATA_DIR: process {site.process.pid}, {site.url}" in second.stderr
    )


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = attempt(Site(tmp_path / "data", port=port))
    assert refused.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in refused.stderr


@pytest.mark.parametrize(
    "named",
    [
        {
            "SITE_URL": "https://radio.example.org",
            "ALLOWED_HOSTS": "radio.example.org",
            "TRUST_PROXY": "1",
            "SECRET_KEY": "".join(map(chr, range(50, 110))),
        },
        {"DEBUG": "1", "ALLOWED_HOSTS": "127.0.0.1,radio.example.org"},
        {"DEBUG": "1", "TRUST_PROXY": "1"},
    ],
)
def test_it_does_not_start_for_others_without_mail_that_reaches_them(tmp_path, named):
    refused = attempt(Site(tmp_path / "data", **named))
    assert refused.returncode == 1
    assert "Set EMAIL_HOST" in refused.stderr
    assert not (tmp_path / "data").exists()


def open_to_others(folder):
    """What in a folder somebody else could look at, and the folder itself."""
    found = [folder, *folder.rglob("*")]
    return [str(path) for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_nobody_else_looks_into_its_folder_and_an_open_one_is_closed(tmp_path):
    data = tmp_path / "data"
    (data / "mail").mkdir(parents=True)
    (data / "mail" / "1.log").write_text("a link")
    for path in (data, data / "mail", data / "mail" / "1.log"):
        path.chmod(0o755)
    with running(data) as site:
        site.wait_for(lambda: len(site.tree()) == 4, seconds=30)
        assert site.status("/accounts/login/") == 200
        site.manage("prepare")
        found = [path for path in open_to_others(data) if not stat.S_ISSOCK(mode_of(path))]
        assert found == []
        assert "Others could look at 3 of the files and folders" in site.said()
    with running(data) as again:
        assert "Others could look at" not in again.said()


def mode_of(path):
    return Path(path).lstat().st_mode


def test_it_says_where_the_mail_is_and_the_link_opens_it(data_dir):
    with running(data_dir) as site:
        site.wait_for(lambda: "/mail/?code=" in site.said(), seconds=10)
        link = re.search(r"Mail is at (\S+)", site.said())
        assert link is not None
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert b"No letters yet" in opener.open(link[1], timeout=20).read()


def test_commands_beside_it_find_its_database_and_its_address(data_dir):
    with running(data_dir) as site:
        code = (
            "from django.conf import settings; from accounts.models import User;"
            "print(User.objects.count() >= 0, settings.SITE_URL)"
        )
        assert site.manage("shell", "--verbosity", "0", "-c", code).split() == ["True", site.url]


def test_nothing_appears_outside_its_folder(tmp_path):
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    with running(tmp_path / "data", HOME=str(home), TMPDIR=str(temporary)) as site:
        site.wait_for(lambda: len(site.tree()) == 4, seconds=30)
        assert site.status("/accounts/login/") == 200
    assert list(home.rglob("*")) == []
    assert list(temporary.rglob("*")) == []
    key = tmp_path / "data" / "keys" / "secret_key"
    assert key.stat().st_mode & 0o077 == 0
