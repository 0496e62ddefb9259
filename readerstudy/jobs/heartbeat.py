"""Whether a job's worker still lives: a sign of life on its row every few seconds, and the process itself."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from django.db import connection
from django.utils.timezone import now

from readerstudy.jobs.models import Job, JobStatus

BEAT = 10  # seconds; one step of a large network may take minutes, so reports are no sign of life
LOST_AFTER = timedelta(seconds=60)


def this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def is_lost(job: Job, *, at: datetime) -> bool:
    """Said to run, but by nobody: silent for a minute, or its process on this very machine is gone."""
    if job.status != JobStatus.RUNNING:
        return False
    if job.heartbeat_at is None or at - job.heartbeat_at > LOST_AFTER:
        return True
    host, _colon, process = job.worker.rpartition(":")
    return host == socket.gethostname() and process.isdigit() and not _is_alive(int(process))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's process: alive
    return True


@contextmanager
def beating(job: Job) -> Iterator[None]:
    """Give signs of life while the block runs, from a thread: one step may take minutes."""
    over = Event()
    heart = Thread(target=_beat, args=(job.pk, job.attempts, over), name=f"heart of job {job.pk}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def _beat(job_id: int, attempts: int, over: Event) -> None:
    """Until told, or until the row is another worker's. A short job never gets to its first beat."""
    try:
        while not over.wait(BEAT):
            mine = Job.objects.filter(pk=job_id, status=JobStatus.RUNNING, attempts=attempts)
            if not mine.update(heartbeat_at=now()):
                return
    finally:
        connection.close()
