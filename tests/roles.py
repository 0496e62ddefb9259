"""The database's roles in tests.

All queries of a test go over one connection, so `PlainRole` refuses to requests what the web role cannot read.
Processes that a test starts connect as they do in service: `database_addresses`.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from readerstudy.sealed_work import is_sealed_work
from readerstudy.truth.apps import sealed_models


class PlainRole:
    """Middleware: outside sealed work a query that names a sealed table fails."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.tables = tuple(f"{model._meta.db_table}" for model in sealed_models())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with connection.execute_wrapper(self.refuse):
            return self.get_response(request)

    def refuse(self, execute: Any, sql: Any, parameters: Any, many: Any, context: Any) -> Any:
        if not is_sealed_work():
            words = set(str(sql).replace('"', " ").replace(".", " ").split())
            named = [table for table in self.tables if table in words]
            assert not named, f"{named} was queried outside sealed work: {sql}"
        return execute(sql, parameters, many, context)


def around_tests() -> transaction.Atomic:
    """A transaction around requests of tests, which counts for as little as the one that pytest-django opens."""
    atomic = transaction.atomic()
    atomic._from_testcase = True
    return atomic


def database_addresses(database: str = "") -> dict[str, str]:
    """The environment of a process in which each role connects as itself, to the test's database or another one."""
    names = {"web": "DATABASE_URL", "sealed": "SEALED_DATABASE_URL", "owner": "OWNER_DATABASE_URL"}
    database = database or connection.settings_dict["NAME"]
    return {name: _address(settings.DATABASE_ADDRESSES[role], database) for role, name in names.items()}


def _address(server: dict[str, Any], database: str) -> str:
    parts = {"host": server.get("HOST"), "port": server.get("PORT") or None}
    query = urlencode({name: value for name, value in parts.items() if value})
    person = ":".join(quote(server[name], safe="") for name in ("USER", "PASSWORD") if server.get(name))
    return f"postgres://{person}@/{database}?{query}"
