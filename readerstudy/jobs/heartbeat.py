"""Worker heartbeat and detection of lost workers. All times of it are the database's: workers' clocks differ."""

import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Event, Thread

from django.db import Error, connection
from django.db.models.functions import Now

from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.outages import disconnect, logger

BEAT = 10  # seconds; progress reports do not suffice, because one step of a large network may take minutes
LOST_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class DatabaseTime:
    """The time by the clock of the database, and when its server started."""

    now: datetime
    started: datetime


def database_time() -> DatabaseTime:
    """Return the time by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), pg_postmaster_start_time()")
        return DatabaseTime(*cursor.fetchone())


def new_worker_name() -> str:
    """Return a new name for this process: host:pid:machine:random. No two claims of jobs have the same name."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}:{_machine()}:{secrets.token_hex(4)}"


def is_lost(job: Job, *, at: datetime, since: datetime | None = None) -> bool:
    """Return whether a running job has no worker: no heartbeat for a minute, or its process on this machine is gone.

    `at` is a time by the database's clock. Before `since` no heartbeat could arrive, because the database was away.
    """
    if job.status != JobStatus.RUNNING:
        return False
    if _is_dead(job.worker):
        return True
    heard = max(filter(None, (job.heartbeat_at, since)), default=None)
    return heard is None or at - heard > LOST_AFTER


def is_lost_now(job: Job) -> bool:
    """Return whether a running job has no worker, by the database's clock."""
    return job.status == JobStatus.RUNNING and is_lost(job, at=database_time().now)


@cache
def _machine() -> str:
    """Return a code of this machine and its process numbers; a random one where the system names neither.

    Containers with the same host name, or on one machine, count their processes apart: a number says nothing about the
    process of that number in another container.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot}{os.readlink('/proc/self/ns/pid')}".encode()).hexdigest()[:8]
    except OSError:
        return secrets.token_hex(4)


def _is_dead(worker: str) -> bool:
    """Return whether the worker is a process of this machine that has ended; False if that cannot be known."""
    _host, process, machine, *_random = [*worker.split(":"), "", ""]
    return machine == _machine() and process.isdigit() and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # the process of another user is alive
    return True


@contextmanager
def beating(job: Job) -> Iterator[None]:
    """Update the job's heartbeat while the block runs, from a thread."""
    over = Event()
    heartbeat = Thread(target=_beat, args=(job.pk, job.attempts, over), name=f"heartbeat-{job.pk}", daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        over.set()
        heartbeat.join()


def _beat(job_id: int, attempts: int, over: Event) -> None:
    """Update the heartbeat until the block is over or another worker has the job. It survives a lost database."""
    try:
        while not over.wait(BEAT):
            claimed = Job.objects.filter(pk=job_id, status=JobStatus.RUNNING, attempts=attempts)
            try:
                if not claimed.update(heartbeat_at=Now()):
                    return
            except Error as error:
                logger.warning("No heartbeat of job %d: %s", job_id, str(error).strip())
                disconnect()
    finally:
        disconnect()
