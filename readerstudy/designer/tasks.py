"""Locking, rehearsing and sizing a study as Celery tasks. Running one again does no harm."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.designer.actions import LOCK_STUDY, REHEARSE_STUDY, lock_draft
from readerstudy.designer.sizing.actions import SIMULATE_POWER, simulate
from readerstudy.jobs.queue import ReportProgress, perform
from readerstudy.rehearsal.simulated_readers import rehearse_study
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.studies.models import Study

Parameters = dict[str, Any]  # study: its code; design: the hash of the draft; by: key of the person


# Celery has no annotations.
@shared_task(name=LOCK_STUDY)  # type: ignore[untyped-decorator]
def lock_study_task(job_id: int) -> None:
    """Lock a draft, unless it was changed since the job was started."""
    perform(job_id, _lock)


# Celery has no annotations.
@shared_task(name=REHEARSE_STUDY)  # type: ignore[untyped-decorator]
def rehearse_study_task(job_id: int) -> None:
    """Let simulated readers complete a copy of the draft. An interrupted rehearsal continues where it stopped."""
    perform(job_id, _rehearse)


# Celery has no annotations.
@shared_task(name=SIMULATE_POWER)  # type: ignore[untyped-decorator]
def simulate_power_task(job_id: int) -> None:
    """Simulate studies of a plan. The same parameters give the same result."""
    perform(job_id, _simulate)


def _simulate(parameters: Parameters, report: ReportProgress) -> dict[str, float]:
    activity = Activity(ActivityKind.SIMULATING_STUDIES)
    return simulate(parameters, lambda done, total: report(done, total, activity, {}))


def _lock(parameters: Parameters, report: ReportProgress) -> dict[str, str]:
    study = Study.named(parameters["study"])
    if study.is_editable:  # otherwise this job locked it and was interrupted afterwards
        actor = User.objects.get(pk=parameters["by"])
        with _visible(report, ActivityKind.REWRITING_FILES) as progress:
            lock_draft(study=study, base=parameters["design"], actor=actor, at=now(), progress=progress)
    return {"study": study.code}


def _rehearse(parameters: Parameters, report: ReportProgress) -> dict[str, str]:
    study = Study.named(parameters["study"])
    with _visible(report, ActivityKind.REHEARSING) as progress:
        copy = rehearse_study(study, at=now(), clock=now, progress=progress)
    return {"study": copy.code}


@contextmanager
def _visible(report: ReportProgress, kind: ActivityKind) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that reports progress on a connection of its own.

    Locking is one transaction: what it writes itself is visible to others at its end only.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            yield lambda done, total: pool.submit(report, done, total, Activity(kind), {}).result()
        finally:
            pool.submit(_close_connection).result()


def _close_connection() -> None:
    """Close the connection of the thread that calls this."""
    connection.close()
