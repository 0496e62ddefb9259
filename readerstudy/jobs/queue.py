"""Handing work over: to a worker through the broker, or to this process, always by the task's name."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.celery import app
from readerstudy.errors import StudyError
from readerstudy.jobs.heartbeat import beating, is_lost, this_worker
from readerstudy.jobs.models import UNDER_WAY, Job, JobStatus, Queue, fingerprint
from readerstudy.jobs.progress_log import Point, Trace, folder_of

Report = Callable[[int, int, str, dict[str, float]], None]
Work = Callable[[dict[str, Any], Report], Any]

# Twice a second is enough for people, and thousands of steps must not become thousands of rows written.
EVERY_SECONDS = 0.5
# What the lab says of its own accord goes into the job's log.
LAB_LOGS = ("models_ml", "attacks", "py.warnings")

# What stands on the terminal while a job runs in this process; set by `run_here`.
_watchers: dict[int, Report] = {}


class Cancelled(Exception):
    """Raised out of `report` where somebody asked for the job to be cancelled: the last save stands."""


class TakenOver(Exception):
    """Raised out of `report` where another worker has the job by now, or nobody: this one was thought dead."""


def new_job(
    task: str,
    parameters: dict[str, Any],
    *,
    requested_by: User | None,
    at: datetime,
    queue: str = Queue.CPU,
    retried_from: Job | None = None,
) -> Job:
    """A job, not yet handed to anybody; where the same work waits or runs already, that job.

    The database decides between two starts at the same moment: a constraint on the fingerprint.
    """
    mark = fingerprint(task, parameters)
    while True:
        try:
            with transaction.atomic():
                return Job.objects.create(
                    task=task,
                    parameters=parameters,
                    requested_by=requested_by,
                    queued_at=at,
                    queue=queue,
                    fingerprint=mark,
                    retried_from=retried_from,
                )
        except IntegrityError:
            # The other may have ended just now; then there is room for ours.
            if there := Job.objects.filter(fingerprint=mark, status__in=UNDER_WAY).first():
                return there


def enqueue(job: Job) -> None:
    """Hand the job to a worker once its row is committed; the task is known by name only."""
    transaction.on_commit(partial(app.send_task, job.task, kwargs={"job_id": job.pk}, queue=job.queue))


def run_here(job: Job, watch: Report | None = None) -> Any:
    """Run the job in this process (an installation with `[ml]`) and return its result.

    Raises StudyError with the job's sentence where it failed, where it is another's, or where the task is not
    installed here.
    """
    try:
        app.loader.import_default_modules()
    except ImportError as error:
        raise StudyError(
            f"This installation cannot run {job.task} ({error}). Install the extra [ml], or use --queue."
        ) from error
    if watch:
        _watchers[job.pk] = watch
    try:
        app.tasks[job.task](job_id=job.pk)
    finally:
        _watchers.pop(job.pk, None)
    job.refresh_from_db()
    if job.status == JobStatus.RUNNING:
        raise StudyError(f"Job {job.pk} does this already: it runs at {job.worker}.")
    if job.status != JobStatus.DONE:
        raise StudyError(job.note or f"Job {job.pk} is {job.get_status_display().lower()}.")
    return job.result


def perform(job_id: int, work: Work) -> None:
    """What every task does: take the job up, work, write down how it ended.

    A job that is another's or over is left alone: brokers deliver twice. A protocol error becomes the job's sentence;
    a bug is written down too and raised for the worker's log.
    """
    job = Job.objects.get(pk=job_id)
    if job.status == JobStatus.RUNNING and not is_lost(job, at=now()):
        return
    if not job.claim(worker=this_worker(), at=now()):
        return
    trace = Trace(job.pk)
    trace.say(f"Taken up by {job.worker}, attempt {job.attempts}.", at=now())
    with beating(job), _logged(job):
        _work(job, work, trace)
    trace.say(f"{job.get_status_display()}. {job.note if job.status == JobStatus.FAILED else ''}".strip(), at=now())


def _work(job: Job, work: Work, trace: Trace) -> None:
    try:
        result = work(job.parameters, _report(job, trace))
    except Cancelled:
        job.end_cancelled(at=now())
    except TakenOver:
        trace.say(f"{this_worker()} stops: the job is no longer its own.", at=now())
    except (StudyError, ValueError) as error:
        job.fail(str(error), at=now())
    except BaseException as error:
        job.fail(f"Stopped by {type(error).__name__}: {error}", at=now())
        trace.say(traceback.format_exc(), at=now())
        raise
    else:
        job.finish(result, at=now())


def _report(job: Job, trace: Trace) -> Report:
    """What the work calls after every step; at most twice a second it reaches the row, and hears of a cancel."""
    watcher = _watchers.get(job.pk)
    written = 0.0

    def report(done: int, total: int, text: str, values: dict[str, float]) -> None:
        nonlocal written
        note = _with_figures(text, values)
        if monotonic() - written > EVERY_SECONDS or done == total:
            at = now()
            trace.note(Point(done, total, text, at.timestamp(), values), at=at)
            if not job.advance(done, total, note, at=at):
                raise TakenOver
            if Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists():
                raise Cancelled
            written = monotonic()
        if watcher:
            watcher(done, total, note, values)

    return report


@contextmanager
def _logged(job: Job) -> Iterator[None]:
    """What the lab's own loggers say while the block runs goes into the job's log too."""
    handler = logging.FileHandler(folder_of(job.pk) / "log.txt", encoding="utf-8", delay=True)
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


def _with_figures(text: str, values: dict[str, float]) -> str:
    """The sentence and the numbers behind it, such as loss and tuning AUC, for people who watch."""
    return ", ".join([text, *(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values.items())]).strip(", ")
