"""What each message broker needs to be told, and the tables of the one inside PostgreSQL.

Embedded, Celery's queues are tables of the same database (`pgmq://`), so that a fresh machine needs
no further server. Its SQL comes from the `pgmq` package's own installer, which knows no upgrades:
the installed version is recorded, and another version of the package refuses to start on it.
"""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from commonhold.errors import CommonholdError
from kombu.entity import Queue
from pgmq.install import get_embedded_sql_version, install_pgmq_from_sql
from psycopg import sql
from psycopg.conninfo import make_conninfo

# Longer than the longest task, so that no message is handed out a second time while its task runs.
VISIBILITY_SECONDS = 4 * 3600
QUEUES = ("bytes", "cpu", "gpu", "notary")
"""Checks of what is kept, which no backlog of files holds up; work on files; what wants an
accelerator; and all else: what signs, and what needs no file."""


class BrokerError(CommonholdError):
    """The queues cannot be used as they are found; the message says what to do."""

    code = "broker"
    status = 503


def transport_options(url: str, database: Mapping[str, Any]) -> dict[str, Any]:
    """Return kombu's options for this broker; `database` is Django's, in which pgmq keeps queues.

    See kombu.transport.pgmq and kombu.transport.redis. RabbitMQ needs none.
    """
    scheme = url.split("://", 1)[0]
    if scheme == "pgmq":
        return {
            "conn_string": connection_string(database),
            "init_extension": False,
            "use_notify": True,
            "wait_time_seconds": 0,
            "polling_interval": 0.5,
            "pool_size": 4,
            "visibility_timeout": VISIBILITY_SECONDS,
        }
    if scheme in {"redis", "rediss"}:
        return {"visibility_timeout": VISIBILITY_SECONDS}
    return {}


def connection_string(database: Mapping[str, Any]) -> str:
    """Return the libpq connection string of a database in Django's terms."""
    named = {
        "host": database.get("HOST"),
        "port": database.get("PORT"),
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "dbname": database.get("NAME"),
    }
    options = database.get("OPTIONS") or {}
    return make_conninfo(**{name: value for name, value in (named | options).items() if value})


def queues() -> list[Queue]:
    """Return the queues.

    RabbitMQ closes the channel of a consumer that holds a message longer than its timeout (30
    minutes unless told): ours is told to be as patient as the others.
    """
    patience = {"x-consumer-timeout": VISIBILITY_SECONDS * 1000}
    return [Queue(name, queue_arguments=patience) for name in QUEUES]


def install(connection: psycopg.Connection) -> str:
    """Make the queue tables if they are missing and return their version.

    Where the server itself provides the pgmq extension and it was created, that one is used.
    Raises BrokerError when the tables are of another version than the installed package brings.
    """
    version = get_embedded_sql_version()
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('commonhold: pgmq'))")
        extension = one(connection, "SELECT extversion FROM pg_extension WHERE extname = 'pgmq'")
        if extension:
            return extension
        found = one(
            connection,
            "SELECT coalesce(obj_description(oid, 'pg_namespace'), 'of unknown origin')"
            " FROM pg_namespace WHERE nspname = 'pgmq'",
        )
        if found is None:
            install_pgmq_from_sql(conn=connection)
            label = sql.Literal(f"pgmq {version}")
            connection.execute(sql.SQL("COMMENT ON SCHEMA pgmq IS {}").format(label))
        elif found != f"pgmq {version}":
            message = (
                f"The message queues in the database are {found}, but the installed package brings "
                f"pgmq {version}, and its tables cannot be upgraded in place. Stop every worker, "
                "run DROP SCHEMA pgmq CASCADE, and start again: no work is lost, because every "
                "pending row is queued anew."
            )
            raise BrokerError(message)
    return version


def one(connection: psycopg.Connection, query: LiteralString) -> str | None:
    """Return the single text that a query answers, or None."""
    row = connection.execute(query).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def release(connection: psycopg.Connection) -> None:
    """Make every message that a worker holds available again. Only when no worker runs."""
    for queue in QUEUES:
        if one(connection, f"SELECT to_regclass('pgmq.q_{queue}')::text"):
            connection.execute(
                sql.SQL("SELECT pgmq.set_vt({}, msg_id, 0) FROM {} WHERE vt > now()").format(
                    sql.Literal(queue), sql.Identifier("pgmq", f"q_{queue}")
                )
            )
