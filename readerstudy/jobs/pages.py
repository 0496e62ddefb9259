"""A job as people see it: its state with the lost ones told apart, how far, how long still."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from readerstudy.jobs.life import is_lost
from readerstudy.jobs.models import OVER, Job, JobStatus
from readerstudy.jobs.traces import points_of, seconds_left


@dataclass(frozen=True)
class JobView:
    """One job for a page, a list or a program."""

    job: Job
    is_lost: bool
    seconds_left: float | None

    @property
    def percent(self) -> int:
        return 100 * self.job.done // self.job.total if self.job.total else 0

    @property
    def state(self) -> str:
        if self.is_lost:
            return _("Worker lost")
        if self.is_stopping:
            return _("Stopping")
        return str(self.job.get_status_display())

    @property
    def is_stopping(self) -> bool:
        return self.job.status == JobStatus.RUNNING and self.job.cancel_requested_at is not None

    @property
    def can_cancel(self) -> bool:
        return self.job.status not in OVER and (self.job.cancel_requested_at is None or self.is_lost)

    @property
    def can_retry(self) -> bool:
        return self.job.status in (JobStatus.FAILED, JobStatus.CANCELLED)

    @property
    def taken(self) -> timedelta | None:
        """How long the last attempt took, where it is over."""
        if self.job.started_at is None or self.job.ended_at is None:
            return None
        return self.job.ended_at - self.job.started_at


def view_of(job: Job, *, at: datetime) -> JobView:
    lost = is_lost(job, at=at)
    runs = job.status == JobStatus.RUNNING and not lost
    points = points_of(job.pk) if runs else []
    return JobView(job=job, is_lost=lost, seconds_left=seconds_left(points, now=at.timestamp()) if points else None)


def views_of(jobs: Iterable[Job], *, at: datetime) -> list[JobView]:
    return [view_of(job, at=at) for job in jobs]
