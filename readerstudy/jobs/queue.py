"""Handing jobs to a worker through the broker, or running them in this process, always by the name of the task."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib import import_module
from math import isfinite
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now
from kombu.exceptions import ChannelError, OperationalError

from readerstudy.accounts.models import User
from readerstudy.celery import app
from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, WorkTakenOver, message_of
from readerstudy.jobs.heartbeat import beating, database_time, is_lost, new_worker_name
from readerstudy.jobs.models import UNDER_WAY, Job, JobStatus, Queue, fingerprint
from readerstudy.jobs.outages import OUTAGES, disconnect, outlive
from readerstudy.jobs.progress_log import Point, ProgressLog, job_folder
from readerstudy.jobs.progress_text import progress_text
from readerstudy.logs.context import logged_as
from readerstudy.outage import is_outage
from readerstudy.results.progress import Activity, ProgressReport

# Called by the work after every step: steps done, steps in all, the activity, and figures by name.
ReportProgress = Callable[[int, int, Activity, dict[str, float]], None]
# Called with steps done, steps in all, and the report in words.
Watch = Callable[[int, int, str], None]
# Takes the job's parameters and returns its result as JSON.
Work = Callable[[Any, ReportProgress], Any]

# Twice a second is enough for people, and thousands of steps must not become thousands of rows written.
EVERY_SECONDS = 0.5
# While the database is away: a connection that is refused may take seconds, in which nothing is trained.
EVERY_SECONDS_AWAY = 10.0
# A step that makes the database end the connection each time must not do so forever.
MAXIMUM_OUTAGES = 20
# The loggers of the lab write into the job's log too.
LAB_LOGS = ("models_ml", "attacks", "py.warnings")

logger = logging.getLogger(__name__)

# Shows progress on the terminal while a job runs in this process; set by `run_here`.
_watchers: dict[int, Watch] = {}


class JobCancelled(Exception):
    """Raised by the progress report if a cancel was requested. The last save stays."""


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

    It is looked for first, so that a second start takes no number. The database decides between two starts at the
    same moment, by a constraint on the fingerprint.
    """
    work = fingerprint(kind, parameters)
    while True:
        if existing := Job.objects.filter(fingerprint=work, status__in=UNDER_WAY).first():
            return existing
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
            continue  # the other job is found now, or it has ended meanwhile and this attempt succeeds


def enqueue(job: Job) -> None:
    """Hand the job to a worker once its row is committed. The Celery task is named after the kind.

    Without a broker the job says that it waits for it, and `actions.resend_forgotten_jobs` sends it later.
    """
    transaction.on_commit(partial(send, job))


def send(job: Job) -> bool:
    """Send the message of a queued job. Return whether the broker took it; the job says so if it did not."""
    try:
        app.send_task(job.kind, kwargs={"job_id": job.pk}, queue=job.queue)
    except (OperationalError, OSError) as error:
        logger.warning("The broker took no message for job %d: %s", job.pk, error)
        job.wait_for_broker(_("It waits for the broker, which does not answer. It is sent when the broker does."))
        return False
    if job.note:
        job.wait_for_broker(None)
    return True


def count_messages(queue: str) -> int:
    """Return how many messages wait in a queue of the broker. Raises kombu's OperationalError without a broker."""
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1)
        try:
            return int(broker.default_channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError:  # the queue does not exist while it is empty
            return 0


def run_here(job: Job, watch: Watch | None = None) -> Any:
    """Run the job in this process (an installation with `[ml]`) and return its result.

    Raises StudyError if the job fails, if another worker runs it, or if its task is not installed here.
    """
    try:
        _import_task(job.kind)
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


def _import_task(kind: str) -> None:
    """Import the modules of tasks until one has the task of this kind: those with torch last, which is large."""
    for name in sorted(settings.CELERY_IMPORTS, key=lambda name: not name.startswith("readerstudy.")):
        if kind in app.tasks:
            return
        import_module(name)


def perform(job_id: int, work: Work) -> None:
    """Claim the job, do the work and record how it ended: the body of every task.

    A job that another worker has, or that is over, is left alone, because brokers deliver messages twice. The message
    of a StudyError becomes the job's note; any other exception is recorded too and raised for the worker's log.
    """
    name = new_worker_name()
    job = outlive(partial(_claimed, job_id, name))
    if job is None:
        return
    log = ProgressLog(job.pk)
    log.write(f"Taken up by {job.worker}, attempt {job.attempts}.", at=now())
    with logged_as(job=job.pk), beating(job), _logged(job):
        if outlive(partial(_work(job, work, log), at=now())) or _is_ours(job, name):
            state, note = job.get_status_display(), job.note if job.status == JobStatus.FAILED else ""
            log.write(f"{state}. {note}".strip(), at=now())
        else:
            log.write(f"{name} stops: another worker has the job.", at=now())


def _claimed(job_id: int, name: str) -> Job | None:
    """Return the job if this worker could claim it."""
    job, time = Job.objects.get(pk=job_id), database_time()
    if job.worker == name:  # the answer to an earlier try was lost
        return job
    if job.status == JobStatus.RUNNING and not is_lost(job, at=time.now, since=time.started):
        return None
    return job if job.claim(worker=name, at=time.now) else None


def _is_ours(job: Job, name: str) -> bool:
    """Return whether the job ended by this worker, whose answer from the database was lost."""
    outlive(job.refresh_from_db)
    return job.worker == name and job.is_over


def _work(job: Job, work: Work, log: ProgressLog) -> Callable[..., bool]:
    """Do the work and return what records in the row how it ended."""
    try:
        result = work(job.parameters, _progress_reporter(job, log))
    except JobCancelled:
        return job.end_cancelled
    except WorkTakenOver:
        return lambda at: False
    except (StudyError, ValueError) as error:
        return partial(job.fail, message_of(error))
    except BaseException as error:
        log.write(traceback.format_exc(), at=now())
        if is_outage(error):
            disconnect()
            log.write("The database is away. The job goes on from its last save when it is back.", at=now())
            return partial(_put_back_after_outage, job)
        outlive(partial(job.fail, f"Stopped by {type(error).__name__}: {error}", at=now()))
        raise
    return partial(job.finish, result)


def _put_back_after_outage(job: Job, *, at: datetime) -> bool:
    """Return the job to the queue; no worker died. Fail it if the same step has ended the connection too often."""
    if job.outages >= MAXIMUM_OUTAGES and job.done <= job.furthest:
        return job.fail(f"The database ended the connection {job.outages + 1} times at this step; see its log.", at=at)
    if not job.put_back(outages=1):
        return False
    enqueue(job)
    return True


def _progress_reporter(job: Job, log: ProgressLog) -> ReportProgress:
    """Return the function that the work calls after every step.

    It writes to the row at most twice a second, and raises JobCancelled or WorkTakenOver then. The work does not end
    because the database is away: the next report tries again.
    """
    watcher = _watchers.get(job.pk)
    due = 0.0

    def report(done: int, total: int, activity: Activity, values: dict[str, float]) -> None:
        nonlocal due
        progress = ProgressReport(
            activity, {name: value if isfinite(value) else None for name, value in values.items()}
        )
        if monotonic() > due or done == total:
            at = now()
            log.add(Point(done, total, activity, at.timestamp(), values), at=at)
            is_told = _tell(job, done, total, progress)
            due = monotonic() + (EVERY_SECONDS if is_told else EVERY_SECONDS_AWAY)
        if watcher:
            watcher(done, total, progress_text(progress))

    return report


def _tell(job: Job, done: int, total: int, progress: ProgressReport) -> bool:
    """Write a report to the row. Return False if the database is away."""
    try:
        if not job.advance(done, total, progress):
            raise WorkTakenOver
        if Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists():
            raise JobCancelled
    except OUTAGES as error:
        if not is_outage(error) or connection.in_atomic_block:  # what the work had begun is lost
            raise
        logger.warning("The database is away; job %d goes on (%d of %d).", job.pk, done, total)
        disconnect()
        return False
    return True


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
