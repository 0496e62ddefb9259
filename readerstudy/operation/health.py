"""Whether this process can serve: the database, its migrations, the broker, the disk and the static files."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from readerstudy.errors import Sentence as _
from readerstudy.errors import message_of
from readerstudy.jobs.workers_seen import WORKER_GONE, newest_worker_age
from readerstudy.operation.broker import waiting_messages

CACHED: Final = 1.0  # seconds
DEADLINE: Final = 5.0  # seconds in which all checks must have answered
_MEGABYTE: Final = 1_000_000


class Unfit(Exception):
    """Raised by a check; the message names no address, name or password."""


@dataclass(frozen=True)
class Health:
    """The result of all checks: by name a message, "" if it passed. Warnings do not stop the service."""

    checks: dict[str, str]
    warnings: dict[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return not any(self.checks.values())

    def as_data(self) -> dict[str, Any]:
        """Return the answer of `/health/ready`."""
        checks = {name: {"ok": not message, "message": message} for name, message in self.checks.items()}
        return {"status": "ready" if self.is_ready else "not ready", "checks": checks, "warnings": self.warnings}


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_migrated: list[bool] = []  # a process keeps its code, and a database never goes back


def check_migrations() -> None:
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise Unfit(_("%(count)s migrations are not applied; run manage.py migrate.", count=len(waiting)))
    _migrated.append(True)


def check_broker() -> None:
    waiting_messages()


def check_disk() -> None:
    free = shutil.disk_usage(settings.VAR_DIR).free // _MEGABYTE
    if free < settings.DISK_LOW_MEGABYTES:
        raise Unfit(
            _("%(free)s MB are free; at least %(least)s are needed.", free=free, least=settings.DISK_LOW_MEGABYTES)
        )


def check_static_files() -> None:
    hashed = settings.STORAGES["staticfiles"]["BACKEND"].endswith("HashedStaticFiles")
    if hashed and not (Path(settings.VAR_DIR) / "static_files.json").exists():
        raise Unfit(_("The list of static files is missing; run manage.py collectstatic."))


def check_worker() -> None:
    age = newest_worker_age()
    if age is None or age > WORKER_GONE.total_seconds():
        never = _("No worker has reported.")
        raise Unfit(never if age is None else _("No worker has reported for %(seconds)s seconds.", seconds=round(age)))


CHECKS: Final[dict[str, Callable[[], None]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "disk": check_disk,
    "static files": check_static_files,
}
WARNINGS: Final[dict[str, Callable[[], None]]] = {"worker": check_worker}


class Examiner:
    """Runs the checks in a thread of its own at most once a second; a check that hangs holds no request for long."""

    def __init__(self, run: Callable[[], Health]) -> None:
        self._run, self._lock = run, Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._work: Future[Health] | None = None
        self._last: Health | None = None
        self._at = 0.0

    def health(self) -> Health:
        """Return the result of the last second, or a new one."""
        with self._lock:
            if self._last is not None and time.monotonic() - self._at < CACHED:
                return self._last
            if self._work is None:
                self._work = self._pool.submit(self._run)
            try:
                found = self._work.result(DEADLINE)
            except TooLate:  # the next request waits for the same work
                found = Health({"answer": f"The checks have not answered within {DEADLINE:.0f} seconds."})
            else:
                self._work = None
            self._last, self._at = found, time.monotonic()
            return found


def examine() -> Health:
    """Run every check; the connection of this thread is closed afterwards."""
    try:
        return Health(
            {name: _message(check) for name, check in CHECKS.items()},
            {name: message for name, check in WARNINGS.items() if (message := _message(check))},
        )
    finally:
        connection.close()


def _message(check: Callable[[], None]) -> str:
    try:
        check()
    except Unfit as reason:
        return message_of(reason)
    except Exception as error:  # drivers raise many types, whose messages can quote addresses and users
        return _("does not answer (%(error)s)", error=type(error).__name__)
    return ""


examiner = Examiner(examine)
