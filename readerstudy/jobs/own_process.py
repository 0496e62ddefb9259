"""Running a job in a process of its own, for installations without a broker server, where no worker may be running.

The process is `manage.py run_job`. It connects to the database as every command does, and outlives the one that starts
it.
"""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Final

from django.conf import settings

from readerstudy.jobs.heartbeat import is_lost_now
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.jobs.queue import enqueue

STARTS_WITHIN: Final = timedelta(minutes=1)  # a process that has not claimed its job by then did not start


def hand_over(job: Job) -> None:
    """Hand a job whose row is committed to a worker if there is a broker server, otherwise to a process of its own."""
    if settings.JOBS_BY_WORKER:
        enqueue(job)
    else:
        start_process(job.pk)


def is_abandoned(job: Job, *, at: datetime) -> bool:
    """Return whether the process of a job has ended, or never started. Jobs of workers have a sweeper for that."""
    if settings.JOBS_BY_WORKER:
        return False
    return is_lost_now(job) or (job.status == JobStatus.QUEUED and at - job.queued_at > STARTS_WITHIN)


def start_process(number: int) -> None:
    """Start the process that runs the job. Messages of errors go to the log of the process that starts it."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "run_job", str(number)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    Thread(target=process.wait, name=f"job {number}", daemon=True).start()  # so that it leaves no zombie
