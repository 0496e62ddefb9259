"""A database that is away: every connection to it is cut, and no new one can be made until it is back."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection

from readerstudy.jobs.outages import disconnect


def go_away() -> str:
    """Cut all connections to the test's database and let no new one be made. Return what `come_back` needs."""
    host = connection.settings_dict["HOST"]
    with suppress(Error), connection.cursor() as cursor:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        cursor.execute(f"{others} AND pid <> pg_backend_pid()")
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.settings_dict["HOST"] = "/nowhere"
    return host


def come_back(host: str) -> None:
    connection.settings_dict["HOST"] = host


@contextmanager
def database_away() -> Iterator[None]:
    host = go_away()
    try:
        yield
    finally:
        come_back(host)
        disconnect()
