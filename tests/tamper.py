"""What only a superuser of the database can do: write past all triggers."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def without_triggers() -> Iterator[None]:
    """Switch triggers and foreign keys off. Used inside a transaction."""
    connection.check_constraints()  # what was written before is still logged
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")
