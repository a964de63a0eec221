"""One at a time, by the name of what is settled."""

from django.db import connection


def hold(name: str) -> None:
    """Wait until nobody else holds the name, and hold it until the transaction ends.

    Names that share a hash wait for one another, which is slow and never wrong.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
