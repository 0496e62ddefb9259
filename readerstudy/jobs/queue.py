"""Handing jobs to a worker through the broker, or running them in this process, always by the name of the task."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from math import isfinite
from time import monotonic
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.celery import app
from readerstudy.errors import StudyError, message_of
from readerstudy.jobs.heartbeat import beating, is_lost, this_worker
from readerstudy.jobs.models import UNDER_WAY, Job, JobStatus, Queue, fingerprint
from readerstudy.jobs.progress_log import Point, ProgressLog, job_folder
from readerstudy.jobs.progress_text import progress_text
from readerstudy.logs.context import logged_as
from readerstudy.results.progress import Activity, ProgressReport

# Called by the work after every step: steps done, steps in all, the activity, and figures by name.
ReportProgress = Callable[[int, int, Activity, dict[str, float]], None]
# Called with steps done, steps in all, and the report in words.
Watch = Callable[[int, int, str], None]
# Takes the job's parameters and returns its result as JSON.
Work = Callable[[Any, ReportProgress], Any]

# Twice a second is enough for people, and thousands of steps must not become thousands of rows written.
EVERY_SECONDS = 0.5
# The loggers of the lab write into the job's log too.
LAB_LOGS = ("models_ml", "attacks", "py.warnings")

# Shows progress on the terminal while a job runs in this process; set by `run_here`.
_watchers: dict[int, Watch] = {}


class JobCancelled(Exception):
    """Raised by the progress report if a cancel was requested. The last save stays."""


class JobTakenOver(Exception):
    """Raised by the progress report if this worker lost the job because its heartbeat had expired."""


def new_job(
    kind: str,
    parameters: dict[str, Any],
    *,
    requested_by: User | None,
    at: datetime,
    queue: str = Queue.CPU,
    retried_from: Job | None = None,
) -> Job:
    """Create a job that is not handed to a worker yet; if the same work is queued or running, return that job.

    The database decides between two starts at the same moment, by a constraint on the fingerprint.
    """
    work = fingerprint(kind, parameters)
    while True:
        try:
            with transaction.atomic():
                return Job.objects.create(
                    kind=kind,
                    parameters=parameters,
                    requested_by=requested_by,
                    queued_at=at,
                    queue=queue,
                    fingerprint=work,
                    retried_from=retried_from,
                )
        except IntegrityError:
            # The other job may have ended in between; then the next attempt succeeds.
            if existing := Job.objects.filter(fingerprint=work, status__in=UNDER_WAY).first():
                return existing


def enqueue(job: Job) -> None:
    """Hand the job to a worker once its row is committed. The Celery task is named after the kind."""
    transaction.on_commit(partial(app.send_task, job.kind, kwargs={"job_id": job.pk}, queue=job.queue))


def run_here(job: Job, watch: Watch | None = None) -> Any:
    """Run the job in this process (an installation with `[ml]`) and return its result.

    Raises StudyError if the job fails, if another worker runs it, or if its task is not installed here.
    """
    try:
        app.loader.import_default_modules()
    except ImportError as error:
        raise StudyError(
            f"This installation cannot run {job.kind} ({error}). Install the extra [ml], or use --queue."
        ) from error
    if watch:
        _watchers[job.pk] = watch
    try:
        app.tasks[job.kind](job_id=job.pk)
    finally:
        _watchers.pop(job.pk, None)
    job.refresh_from_db()
    if job.status == JobStatus.RUNNING:
        raise StudyError(f"Job {job.pk} is running already, at {job.worker}.")
    if job.status != JobStatus.DONE:
        raise StudyError(job.note or f"Job {job.pk} is {job.get_status_display().lower()}.")
    return job.result


def perform(job_id: int, work: Work) -> None:
    """Claim the job, do the work and record how it ended: the body of every task.

    A job that another worker has, or that is over, is left alone, because brokers deliver messages twice. The message
    of a StudyError becomes the job's note; any other exception is recorded too and raised for the worker's log.
    """
    job = Job.objects.get(pk=job_id)
    if job.status == JobStatus.RUNNING and not is_lost(job, at=now()):
        return
    if not job.claim(worker=this_worker(), at=now()):
        return
    log = ProgressLog(job.pk)
    log.write(f"Taken up by {job.worker}, attempt {job.attempts}.", at=now())
    with logged_as(job=job.pk), beating(job), _logged(job):
        _work(job, work, log)
    log.write(f"{job.get_status_display()}. {job.note if job.status == JobStatus.FAILED else ''}".strip(), at=now())


def _work(job: Job, work: Work, log: ProgressLog) -> None:
    try:
        result = work(job.parameters, _progress_reporter(job, log))
    except JobCancelled:
        job.end_cancelled(at=now())
    except JobTakenOver:
        log.write(f"{this_worker()} stops: another worker has the job.", at=now())
    except (StudyError, ValueError) as error:
        job.fail(message_of(error), at=now())
    except BaseException as error:
        job.fail(f"Stopped by {type(error).__name__}: {error}", at=now())
        log.write(traceback.format_exc(), at=now())
        raise
    else:
        job.finish(result, at=now())


def _progress_reporter(job: Job, log: ProgressLog) -> ReportProgress:
    """Return the function that the work calls after every step.

    It writes to the row at most twice a second, and raises JobCancelled or JobTakenOver then.
    """
    watcher = _watchers.get(job.pk)
    written = 0.0

    def report(done: int, total: int, activity: Activity, values: dict[str, float]) -> None:
        nonlocal written
        progress = ProgressReport(
            activity, {name: value if isfinite(value) else None for name, value in values.items()}
        )
        if monotonic() - written > EVERY_SECONDS or done == total:
            at = now()
            log.add(Point(done, total, activity, at.timestamp(), values), at=at)
            if not job.advance(done, total, progress, at=at):
                raise JobTakenOver
            if Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists():
                raise JobCancelled
            written = monotonic()
        if watcher:
            watcher(done, total, progress_text(progress))

    return report


@contextmanager
def _logged(job: Job) -> Iterator[None]:
    """Copy the messages of the lab's loggers to the job's log while the block runs."""
    handler = logging.FileHandler(job_folder(job.pk) / "log.txt", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    logging.captureWarnings(True)
    for name in LAB_LOGS:
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in LAB_LOGS:
            logging.getLogger(name).removeHandler(handler)
        logging.captureWarnings(False)
        handler.close()
