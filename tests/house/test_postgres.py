"""The embedded PostgreSQL keeps to its folder, its user and its socket."""

import os
import shutil
import signal
import stat
from pathlib import Path

import pytest

from marketplace.host import postgres


def modes(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Permissions and owners of a folder and of everything above it."""
    found = {}
    for path in (folder, *folder.parents):
        state = path.stat()
        found[str(path)] = (stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid)
    return found


@pytest.fixture
def private(tmp_path):
    """A folder that nobody else may enter, like root's home."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


def start(data_dir):
    return postgres.start(data_dir, throwaway=True)


def ask(server, query, **options):
    with postgres.connect(server.socket_folder, **options) as connection:
        return connection.execute(query).fetchone()[0]


def test_it_changes_no_permission_and_no_account(private):
    before = modes(private)
    accounts = Path("/etc/passwd").read_bytes()
    server = start(private / "data")
    server.stop()
    assert modes(private) == before
    assert Path("/etc/passwd").read_bytes() == accounts
    owners = {path.lstat().st_uid for path in (private / "data").rglob("*")}
    assert owners == {os.geteuid()}


def test_its_folders_are_closed_to_others(private):
    server = start(private / "data")
    try:
        for name in ("postgres", "run", "log"):
            assert stat.S_IMODE((private / "data" / name).stat().st_mode) == 0o700
    finally:
        server.stop()


def test_it_listens_on_a_unix_socket_alone(private):
    server = start(private / "data")
    try:
        assert ask(server, "SHOW listen_addresses") == ""
    finally:
        server.stop()


def test_what_was_stored_is_there_after_every_process_was_killed(private):
    data_dir = private / "data"
    server = postgres.start(data_dir)
    assert postgres.create_database(server.socket_folder)
    with postgres.connect(server.socket_folder, database=postgres.DATABASE) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = postgres.start(data_dir)
    try:
        assert not postgres.create_database(again.socket_folder)
        assert ask(again, "SELECT answer FROM kept", database=postgres.DATABASE) == 42
    finally:
        again.stop()


def test_a_lock_that_names_a_stranger_is_removed(private):
    data_dir = private / "data"
    start(data_dir).stop()
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    server = start(data_dir)
    try:
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()


def test_an_interrupted_initialization_is_redone(private):
    unfinished = private / "data" / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "leftover").touch()
    server = start(private / "data")
    server.stop()
    assert not unfinished.exists()


def test_a_folder_with_a_long_path_gets_a_private_socket_elsewhere(private):
    data_dir = private / ("long" * 30)
    folder = postgres.socket_folder(data_dir)
    assert folder.parent == Path("/tmp")  # noqa: S108
    server = start(data_dir)
    try:
        assert ask(server, "SELECT 1") == 1
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        server.stop()
        postgres.remove_outside_folder(data_dir)
    assert not folder.exists()


def test_a_socket_folder_of_somebody_else_is_refused(private):
    data_dir = private / ("long" * 30)
    folder = postgres.socket_folder(data_dir)
    folder.symlink_to(private)
    try:
        with pytest.raises(postgres.PostgresError, match="belongs to somebody else"):
            start(data_dir)
    finally:
        folder.unlink()


def test_a_server_that_cannot_start_says_where_its_reason_is(private):
    data_dir = private / "data"
    start(data_dir).stop()
    shutil.rmtree(data_dir / "postgres" / "global")
    with pytest.raises(postgres.PostgresError, match=r"postgres\.log"):
        postgres.start(data_dir, seconds=1)


@pytest.fixture
def _no_namespaces(tmp_path, monkeypatch):
    """A machine without `unshare`; the tools that remain are found."""
    for name in ("setpriv", "test"):
        (tmp_path / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("_no_namespaces")
def test_without_namespaces_root_is_told_what_to_do_and_others_need_none(private):
    if os.geteuid() == 0:
        with pytest.raises(
            postgres.PostgresError, match=r"allows no user namespaces.*DATABASE_URL"
        ):
            start(private / "data")
    else:
        start(private / "data").stop()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
