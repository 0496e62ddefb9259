"""A job as people see it: its state with the lost ones told apart, how far, how long still."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from readerstudy.experiments.catalogue import kind_of
from readerstudy.jobs.heartbeat import is_lost
from readerstudy.jobs.models import OVER, Job, JobStatus
from readerstudy.jobs.progress_log import points_of, seconds_left


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
    def state_key(self) -> str:
        """The state as a word for style sheets and scripts."""
        return "lost" if self.is_lost else "stopping" if self.is_stopping else self.job.status

    @property
    def title(self) -> str:
        """What the job does, in words; of a task that the catalogue does not know its name."""
        kind = kind_of(self.job.task, self.job.parameters)
        return str(kind.title) if kind else self.job.task

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
    def left(self) -> str:
        """How long it will take, in words; empty while there is too little to say."""
        return "" if self.seconds_left is None else in_words(self.seconds_left)

    @property
    def taken(self) -> str:
        """How long the last attempt took, in words, where it is over."""
        if self.job.started_at is None or self.job.ended_at is None:
            return ""
        return in_words((self.job.ended_at - self.job.started_at).total_seconds())


def in_words(seconds: float) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h 20 min, 2 d 5 h."""
    whole = round(seconds)
    if whole < 100:
        return _("%(seconds)s s") % {"seconds": whole}
    minutes = round(seconds / 60)
    if minutes < 100:
        return _("%(minutes)s min") % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
    hours = round(seconds / 3600)
    return _("%(days)s d %(hours)s h") % {"days": hours // 24, "hours": hours % 24}


def view_of(job: Job, *, at: datetime) -> JobView:
    lost = is_lost(job, at=at)
    runs = job.status == JobStatus.RUNNING and not lost
    points = points_of(job.pk) if runs else []
    return JobView(job=job, is_lost=lost, seconds_left=seconds_left(points, now=at.timestamp()) if points else None)


def views_of(jobs: Iterable[Job], *, at: datetime) -> list[JobView]:
    return [view_of(job, at=at) for job in jobs]
