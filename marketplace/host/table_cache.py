"""The cache in a table, which counts as Redis does: one call after the other, to the key's end."""

import base64
import pickle

from django.core.cache.backends import db
from django.db import connection, transaction
from psycopg import sql

LOCK = sql.SQL("SELECT 1 FROM {table} WHERE cache_key = {key} FOR UPDATE")
WRITE = sql.SQL("UPDATE {table} SET value = {value} WHERE cache_key = {key}")


class DatabaseCache(db.DatabaseCache):
    """Django's, whose `incr` loses calls at the same moment and keeps a key for minutes only."""

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Return a count after raising it by `delta`. Raises ValueError where there is none."""
        row = {
            "table": sql.Identifier(self.cache_model_class._meta.db_table),
            "key": sql.Literal(self.make_and_validate_key(key, version=version)),
        }
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK.format(**row))
            found = self.get(key, version=version)
            if found is None:
                message = f"There is no key {key!r}."
                raise ValueError(message)
            counted: int = found + delta
            value = base64.b64encode(pickle.dumps(counted, self.pickle_protocol)).decode()
            cursor.execute(WRITE.format(**row, value=sql.Literal(value)))
        return counted
