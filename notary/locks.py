"""One at a time, on every machine: advisory locks of the database, held until the transaction ends.

Only who sorts the log, makes a trusted root or adds a kind of status list waits for another; what
is signed for a caller never does.
"""

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """What is done by one at a time. Any numbers that nothing else in this database uses."""

    LOG = 0x6E6F_7461_7201
    ROOT = 0x6E6F_7461_7202
    SEQUENCES = 0x6E6F_7461_7203


def hold(lock: Lock) -> None:
    """Wait for a lock and keep it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock.value])
