"""Presentation of a job: state, progress, estimated time left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readerstudy.experiments.catalogue import KINDS_BY_KEY
from readerstudy.jobs.heartbeat import is_lost_now
from readerstudy.jobs.models import OVER, Job, JobStatus
from readerstudy.jobs.progress_log import read_points, seconds_left
from readerstudy.jobs.progress_text import job_note

# Jobs that are not started in the lab.
OTHER_TITLES: Final[dict[str, Any]] = {
    "check-bundle": gettext_lazy("Check a bundle"),
    "check-images": gettext_lazy("Check images to import"),
    "export-bundle": gettext_lazy("Export a study"),
    "import-images": gettext_lazy("Import images"),
    "lay-out-report": gettext_lazy("Lay out the PDF of a report"),
    "lock-study": gettext_lazy("Lock a study"),
    "make-report": gettext_lazy("Make a report"),
    "rehearse-study": gettext_lazy("Rehearse a study"),
    "simulate-power": gettext_lazy("Simulate the power of a study"),
}


@dataclass(frozen=True)
class JobView:
    """One job for a page, a list or the API."""

    job: Job
    is_lost: bool
    seconds_left: float | None

    @property
    def percent(self) -> int:
        """Share of the steps done."""
        return 100 * self.job.done // self.job.total if self.job.total else 0

    @property
    def state(self) -> str:
        """The state in the active language; lost and stopping jobs have separate ones."""
        if self.is_lost:
            return _("Worker lost")
        if self.is_stopping:
            return _("Stopping")
        return str(self.job.get_status_display())

    @property
    def state_key(self) -> str:
        """The state as a keyword for style sheets and scripts."""
        return "lost" if self.is_lost else "stopping" if self.is_stopping else self.job.status

    @property
    def title(self) -> str:
        """The title of the kind; its key if nothing describes it."""
        kind = KINDS_BY_KEY.get(self.job.kind)
        return str(kind.title if kind else OTHER_TITLES.get(self.job.kind, self.job.kind))

    @property
    def note(self) -> str:
        """The message of a failed job, else its last report in the active language."""
        return job_note(self.job)

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
        """The estimated time left, with units; empty if there is no estimate."""
        return "" if self.seconds_left is None else format_duration(self.seconds_left)

    @property
    def taken(self) -> str:
        """The duration of the last attempt, with units; empty until the job is over."""
        if self.job.started_at is None or self.job.ended_at is None:
            return ""
        return format_duration((self.job.ended_at - self.job.started_at).total_seconds())


def format_duration(seconds: float) -> str:
    """Return a duration with units: 40 s, 12 min, 3 h 20 min, 2 d 5 h."""
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


def view_job(job: Job, *, at: datetime) -> JobView:
    """Return the presentation of a job at a time."""
    lost = is_lost_now(job)
    is_running = job.status == JobStatus.RUNNING and not lost
    points = read_points(job.pk) if is_running else []
    return JobView(job=job, is_lost=lost, seconds_left=seconds_left(points, now=at.timestamp()) if points else None)


def view_jobs(jobs: Iterable[Job], *, at: datetime) -> list[JobView]:
    """Return the presentation of each job."""
    return [view_job(job, at=at) for job in jobs]
