"""The same tasks run on every broker: PostgreSQL itself always, the others where they are named.

TEST_REDIS_URL=redis://127.0.0.1:6379/9 and TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:5672// add
those to the run. Each test uses queues of its own and removes them.
"""

import os
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from psycopg import sql

from marketplace.host import broker

ROOT = Path(__file__).parents[2]
NAMED = {"redis": os.environ.get("TEST_REDIS_URL"), "amqp": os.environ.get("TEST_AMQP_URL")}
URLS = {"pgmq": "pgmq://"} | {name: url for name, url in NAMED.items() if url}
# Redis hands a lost message out again only after the visibility timeout; the sweepers are faster.
REDELIVERING = [name for name in URLS if name != "redis"]


@pytest.fixture
def database():
    """An empty database beside the tests' own; the value is its libpq connection string."""
    name = f"queues_{uuid.uuid4().hex[:12]}"
    server = broker.connection_string(settings.DATABASES["default"] | {"NAME": "postgres"})
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield broker.connection_string(settings.DATABASES["default"] | {"NAME": name})
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Queues:
    """A broker with tables or queues ready, a sender, and workers."""

    def __init__(self, url: str, database: str) -> None:
        self.url = url
        self.database = database
        self.queue = "cpu" if url.startswith("pgmq") else f"test-{uuid.uuid4().hex[:12]}"
        self.sender = Celery("sender", broker=url, set_as_current=False)
        options = broker.transport_options(url, {"OPTIONS": {}})
        if url.startswith("pgmq"):
            options["conn_string"] = database
            with psycopg.connect(database) as connection:
                broker.install(connection)
        self.sender.conf.broker_transport_options = options

    def send(self, trace: Path, *, seconds: float = 0) -> None:
        arguments = (str(trace), seconds)
        self.sender.send_task("tests.probe.leave_trace", arguments, queue=self.queue)

    @contextmanager
    def worker(self):
        """A worker as the application starts it."""
        named = psycopg.conninfo.conninfo_to_dict(self.database)
        address = f"postgresql://{named['user']}@/{named['dbname']}?host={named.get('host', '')}"
        command = [sys.executable, "-m", "celery", "-A", "tests.production.probe", "worker"]
        command += ["--pool", "threads", "-c", "2", "--without-mingle", "--without-gossip"]
        environment = os.environ | {"CELERY_BROKER_URL": self.url, "DATABASE_URL": address}
        with subprocess.Popen(
            [*command, "--queues", self.queue], cwd=ROOT, env=environment
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def close(self) -> None:
        if not self.url.startswith("pgmq"):
            with self.sender.connection_for_write() as connection:
                connection.default_channel.queue_delete(self.queue)
        self.sender.close()


@pytest.fixture
def queues(request, database, monkeypatch):
    # Celery prefers this variable, which is set for the other tests, to its own argument.
    monkeypatch.delenv("CELERY_BROKER_URL")
    made = Queues(URLS[request.param], database)
    yield made
    made.close()


def wait_for(trace: Path, expected: list[str], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not trace.exists() or trace.read_text().split() != expected:
        found = trace.read_text().split() if trace.exists() else []
        assert time.monotonic() < deadline, f"expected {expected}, found {found}"
        time.sleep(0.1)


@pytest.mark.parametrize("queues", URLS, indirect=True)
def test_a_task_that_is_sent_runs_once(queues, tmp_path):
    traces = [tmp_path / f"trace{number}" for number in range(5)]
    for trace in traces:
        queues.send(trace)
    with queues.worker():
        for trace in traces:
            wait_for(trace, ["began", "ended"])


@pytest.mark.parametrize("queues", REDELIVERING, indirect=True)
def test_a_task_whose_worker_was_killed_runs_again(queues, tmp_path):
    trace = tmp_path / "trace"
    queues.send(trace, seconds=1.5)
    with queues.worker() as process:
        wait_for(trace, ["began"])
        process.kill()
        process.wait()
    if queues.url.startswith("pgmq"):
        with psycopg.connect(queues.database) as connection:
            broker.release(connection)
    with queues.worker():
        wait_for(trace, ["began", "began", "ended"])


def test_installing_the_queues_twice_changes_nothing(database):
    with psycopg.connect(database) as connection:
        assert broker.install(connection) == broker.install(connection)


def test_queues_of_another_version_are_refused_with_what_to_do(database):
    with psycopg.connect(database) as connection:
        broker.install(connection)
        connection.execute("COMMENT ON SCHEMA pgmq IS 'pgmq 0.0.1'")
        with pytest.raises(broker.BrokerError, match=r"pgmq 0\.0\.1.*DROP SCHEMA pgmq CASCADE"):
            broker.install(connection)


def test_every_other_broker_gets_the_options_it_knows():
    database = settings.DATABASES["default"]
    assert broker.transport_options("amqp://guest@127.0.0.1//", database) == {}
    assert "visibility_timeout" in broker.transport_options("redis://127.0.0.1", database)
