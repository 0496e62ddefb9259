"""Worker heartbeat and detection of lost workers."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from django.db import connection
from django.utils.timezone import now

from readerstudy.jobs.models import Job, JobStatus

BEAT = 10  # seconds; progress reports do not suffice, because one step of a large network may take minutes
LOST_AFTER = timedelta(seconds=60)


def this_worker() -> str:
    """Return the name of this process: host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_lost(job: Job, *, at: datetime) -> bool:
    """Whether a running job has no worker: no heartbeat for a minute, or its process on this machine is gone."""
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
    """Update the heartbeat until the block is over or another worker has the job."""
    try:
        while not over.wait(BEAT):
            claimed = Job.objects.filter(pk=job_id, status=JobStatus.RUNNING, attempts=attempts)
            if not claimed.update(heartbeat_at=now()):
                return
    finally:
        connection.close()
