"""`manage.py prepare`: bring the database to the state that this version expects."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.management.commands import createcachetable, migrate
from django.db import connection

from marketplace.host import broker


class Command(BaseCommand):
    """Make or change the tables, and the queues and the cache if they live in the database."""

    help = "Migrates the tables, and makes Celery's queues if they live in the database."
    requires_system_checks = ()

    def handle(self, **_options: Any) -> None:
        try:
            prepare_database()
        except broker.BrokerError as error:
            raise CommandError(error.message) from error


def prepare_database() -> None:
    """Bring the tables, and the queues if they live in the database, to this version's state.

    Safe to run again, and in two places at once. Raises BrokerError when the queues are of another
    version.
    """
    if settings.CELERY_BROKER_URL.startswith("pgmq"):
        connection.ensure_connection()
        connection.connection.autocommit = False
        broker.install(connection.connection)
        connection.close()
    migrate.Command().run_from_argv(["manage.py", "migrate", "--verbosity", "0", "--skip-checks"])
    createcachetable.Command().run_from_argv(["manage.py", "createcachetable"])
    connection.close()
