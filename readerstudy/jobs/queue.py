"""Handing work over: to a worker through the broker, or to this process, always by the task's name."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.celery import app
from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job

Report = Callable[[int, int, str, dict[str, float]], None]
Work = Callable[[dict[str, Any], Report], Any]

# What stands on the terminal while a job runs in this process; set by `run_here`.
_watchers: dict[int, Report] = {}


def new_job(task: str, parameters: dict[str, Any], *, requested_by: User | None, at: datetime) -> Job:
    """A job, not yet handed to anybody."""
    return Job.objects.create(task=task, parameters=parameters, requested_by=requested_by, queued_at=at)


def enqueue(job: Job) -> None:
    """Hand the job to a worker once its row is committed; the task is known by name only."""
    transaction.on_commit(partial(app.send_task, job.task, kwargs={"job_id": job.pk}))


def run_here(job: Job, watch: Report | None = None) -> Any:
    """Run the job in this process (an installation with `[ml]`) and return its result.

    Raises StudyError with the job's sentence where it failed, or where the task is not installed here.
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
    if job.status != "done":
        raise StudyError(job.note)
    return job.result


def perform(job_id: int, work: Work) -> None:
    """What every task does: load the job, start it, work, write down how it ended.

    A protocol error becomes the job's sentence; a bug is written down too and raised for the worker's log.
    """
    job = Job.objects.get(pk=job_id)
    job.start(at=now())
    watcher = _watchers.get(job_id)

    written = 0.0

    def report(done: int, total: int, text: str, values: dict[str, float]) -> None:
        nonlocal written
        # Twice a second is enough for people, and thousands of steps must not become thousands of rows written.
        note = _with_figures(text, values)
        if monotonic() - written > 0.5 or done == total:
            job.advance(done, total, note)
            written = monotonic()
        if watcher:
            watcher(done, total, note, values)

    try:
        result = work(job.parameters, report)
    except (StudyError, ValueError) as error:
        job.fail(str(error), at=now())
        return
    except BaseException as error:
        job.fail(f"Stopped by {type(error).__name__}: {error}", at=now())
        raise
    job.finish(result, at=now())


def _with_figures(text: str, values: dict[str, float]) -> str:
    """The sentence and the numbers behind it, such as loss and tuning AUC, for people who watch."""
    return ", ".join([text, *(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values.items())]).strip(", ")
