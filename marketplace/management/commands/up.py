"""`manage.py up`: everything on one machine, from the database to the scheduler."""

import contextlib
import http
import http.client
import os
import secrets
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from ingestion.pipeline import children
from marketplace.host import broker, letters, permissions, postgres
from marketplace.host.postgres import PostgresError
from marketplace.host.supervisor import (
    Child,
    Spawn,
    StartError,
    Supervisor,
    alone,
    program,
    require_free,
)
from marketplace.management.commands.prepare import prepare_database

PYTHON = (sys.executable, "-m")
CELERY = (*PYTHON, "celery", "-A", "marketplace")
# One process with threads: heavy steps run in processes of their own, and the broker inside
# PostgreSQL can hang a pool of forked processes when one of them is killed.
WORKER = (
    *(*CELERY, "worker", "--pool", "threads", "--concurrency", "2"),
    *("--queues", ",".join(broker.QUEUES)),
    *("--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
BEAT = (*CELERY, "beat", "--pidfile", "", "--loglevel", "WARNING")


class Command(BaseCommand):
    """Start the database, the site, the worker and the scheduler, and stop them on Ctrl-C."""

    help = (
        "Runs everything on one machine: embedded PostgreSQL (unless DATABASE_URL is set), web, "
        "worker, scheduler. PORT and DATA_DIR move it."
    )
    requires_system_checks = ()

    def handle(self, **_options: Any) -> None:
        port = int(os.environ.get("PORT") or 8000)
        data_dir = Path(settings.DATA_DIR)
        try:
            require_mail()
            make_folders(data_dir)
            if opened := permissions.close(data_dir):
                self.stdout.write(
                    f"Others could look at {opened} of the files and folders in {data_dir}; "
                    "only you can now."
                )
            note = f"process {os.getpid()}, http://127.0.0.1:{port}"
            with alone(data_dir / "up.lock", note=note):
                require_free(port)
                self.serve(data_dir, port=port)
        except (StartError, PostgresError, broker.BrokerError) as error:
            raise CommandError(error.message) from error

    def say(self, line: str) -> None:
        """Tell something now, also where it is written to a file or piped."""
        self.stdout.write(line)
        self.stdout.flush()

    def serve(self, data_dir: Path, *, port: int) -> None:
        """Start everything in order, say where it is, and tend it until asked to stop."""
        supervisor = Supervisor(self.say, data_dir / "log")
        with supervisor.until_asked_to_stop():
            if settings.EMBEDDED:
                keep_secret_key(Path(settings.KEY_DIR) / "secret_key")
                (data_dir / "run" / "site").write_text(f"http://127.0.0.1:{port}")
                supervisor.add(database(data_dir))
                postgres.create_database(postgres.socket_folder(data_dir))
            prepare_database()
            programs = Programs(data_dir, port=port)
            web = programs.web()
            supervisor.add(web)
            if supervisor.wait_for(web, partial(answers, port), seconds=90):
                self.say(f"Commonhold is at http://127.0.0.1:{port}")
                if settings.SHOW_MAIL:
                    code = letters.make_code(data_dir)
                    self.say(f"Mail is at http://127.0.0.1:{port}/mail/?code={code}")
                self.say(children.report())
                for child in programs.background():
                    supervisor.add(child)
                supervisor.wait()
        postgres.remove_outside_folder(data_dir)
        self.say("Commonhold has stopped")


class Programs:
    """The programs that `up` keeps running beside the database."""

    def __init__(self, data_dir: Path, *, port: int) -> None:
        self.data_dir = data_dir
        self.environment = os.environ | {
            "DATA_DIR": str(data_dir),
            "PORT": str(port),
            "TMPDIR": str(data_dir / "tmp"),
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def spawner(self, name: str, *command: str, **options: Any) -> Spawn:
        """Return a function that starts a command which writes to the log of this name."""
        log = self.data_dir / "log" / f"{name}.log"
        return program(command, log=log, environment=self.environment, **options)

    def web(self) -> Child:
        """Return the site."""
        command = (*PYTHON, "gunicorn", "-c", "python:marketplace.host.gunicorn_conf")
        return Child("web", self.spawner("web", *command, at_parents_death=signal.SIGTERM))

    def background(self) -> list[Child]:
        """Return the worker, the loader of the demo data if there is one, and the scheduler."""
        worker = self.spawner("worker", *WORKER, niceness=5)
        schedule = str(self.data_dir / "run" / "beat")
        beat = self.spawner("beat", *BEAT, "--schedule", schedule, niceness=5)
        children = [Child("worker", partial(start_worker, worker)), Child("beat", beat)]
        if "demo" in get_commands() and os.environ.get("COMMONHOLD_DEMO") != "0":
            demo = self.spawner("demo", sys.executable, "manage.py", "demo", "--load", niceness=5)
            children.insert(1, Child("demo", demo, once=True))
        return children


def start_worker(spawn: Spawn) -> subprocess.Popen[bytes]:
    """Start the worker, after handing back what a killed one held: there is only this one.

    Without a database the worker will end and be started again, so that is no reason to stop.
    """
    if settings.CELERY_BROKER_URL.startswith("pgmq") and settings.EMBEDDED:
        with contextlib.suppress(OperationalError):
            connection.ensure_connection()
            broker.release(connection.connection)
        connection.close()
    return spawn()


def require_mail() -> None:
    """Raise StartError where people come from elsewhere, and no mail would reach them."""
    if settings.EMBEDDED and not settings.LOOPBACK and not settings.EMAIL_HOST:
        message = (
            "SITE_URL, ALLOWED_HOSTS or TRUST_PROXY say that people come here from other machines, "
            "and no mail would reach them: without EMAIL_HOST, the links that confirm addresses "
            "and set passwords stay on this machine. Set EMAIL_HOST and what belongs to it, or "
            "let every name be 127.0.0.1 or localhost."
        )
        raise StartError(message)


def make_folders(data_dir: Path) -> None:
    """Make the folders that every part expects; only their owner may enter them."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("keys", "log", "run", "tmp"):
        (data_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def keep_secret_key(path: Path) -> None:
    """Make Django's SECRET_KEY for this installation once, readable by its owner alone."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))


def database(data_dir: Path) -> Child:
    """Return the embedded PostgreSQL as a child; it is waited for each time it is started."""

    def spawn() -> subprocess.Popen[bytes]:
        return postgres.start(data_dir).process

    return Child("postgres", spawn, stop_signal=signal.SIGINT, patience=15)


def answers(port: int) -> bool:
    """Tell whether the site answers, and not with an error of its own."""
    request = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        request.request("GET", "/healthz")
        return request.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        request.close()
