"""Jobs: long runs as rows; checkpoints, attacks and evaluations: what they left behind, pointing to each other."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.errors import StudyError


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


# A row in one of these is over; in the others it may still change.
OVER = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)
UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


class Queue(models.TextChoices):
    """Where a job waits: workers take from one or both, one job at a time."""

    CPU = "cpu", _("Processor")
    GPU = "gpu", _("Graphics card")


def fingerprint(task: str, parameters: dict[str, Any]) -> str:
    """One name for one piece of work: SHA-256 of the task and its parameters, whatever their order."""
    return hashlib.sha256(json.dumps([task, parameters], sort_keys=True).encode()).hexdigest()


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs."""

    def under_way_first(self) -> "JobQuerySet":
        """What runs, then what waits, then what is over; the newest first in each."""
        place = models.Case(
            models.When(status=JobStatus.RUNNING, then=0), models.When(status=JobStatus.QUEUED, then=1), default=2
        )
        return self.select_related("requested_by").order_by(place, "-pk")


class Job(models.Model):
    """A queued run of one task. `parameters` go in, `result` comes out; running it again is harmless."""

    task = models.CharField(_("task"), max_length=64)
    parameters = models.JSONField(_("parameters"), default=dict)
    status = models.CharField(_("status"), max_length=9, choices=JobStatus.choices, default=JobStatus.QUEUED)
    done = models.PositiveIntegerField(_("steps done"), default=0)
    total = models.PositiveIntegerField(_("steps in all"), default=0)
    note = models.CharField(_("note"), max_length=500, blank=True)
    result = models.JSONField(_("result"), null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(_("queued"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    queue = models.CharField(_("queue"), max_length=3, choices=Queue.choices, default=Queue.CPU)
    fingerprint = models.CharField(max_length=64, editable=False, default="")
    # Each time that a worker takes it up counts; a worker killed in the middle is followed by another.
    attempts = models.PositiveIntegerField(_("times taken up"), default=0)
    worker = models.CharField(_("worker (host:process)"), max_length=200, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancel asked for"), null=True)
    cancel_requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    retried_from = models.ForeignKey("self", models.PROTECT, null=True, related_name="retries")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("job")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["done", "failed", "cancelled"], ended_at__isnull=False)
                | models.Q(status__in=["queued", "running"], ended_at__isnull=True),
                name="job_ended_exactly_when_over",
            ),
            # Rows of earlier versions have no fingerprint.
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(status__in=["queued", "running"]) & ~models.Q(fingerprint=""),
                name="same_work_under_way_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"

    @classmethod
    def numbered(cls, number: int) -> "Job":
        found = cls.objects.filter(pk=number).first()
        if found is None:
            raise StudyError(f"There is no job {number}.")
        return found

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    def claim(self, *, worker: str, at: datetime) -> bool:
        """Take it up, or take it up again where its worker is lost; False where it is somebody else's, or over.

        A message that the broker delivers twice finds the row taken. Who compares `attempts` sees whether it still
        has the row: a worker that slept so long that another took over must not write into it.
        """
        if self.is_over:
            return False
        taken = Job.objects.filter(pk=self.pk, status=self.status, attempts=self.attempts).update(
            status=JobStatus.RUNNING,
            attempts=self.attempts + 1,
            worker=worker[:200],
            heartbeat_at=at,
            started_at=at,
            note="",
            result=None,
        )
        self.refresh_from_db()
        return bool(taken)

    def put_back(self) -> bool:
        """Back on the queue, from a worker that is lost; False where it has moved on meanwhile."""
        return self._mine(status=JobStatus.QUEUED, worker="", heartbeat_at=None)

    def advance(self, done: int, total: int, note: str, *, at: datetime) -> bool:
        """Write down how far it is; False where the row is another worker's by now, or over."""
        return self._mine(done=done, total=total, note=note[:500], heartbeat_at=at)

    def finish(self, result: Any, *, at: datetime) -> bool:
        return self._mine(status=JobStatus.DONE, ended_at=at, result=result)

    def fail(self, sentence: str, *, at: datetime) -> bool:
        return self._mine(status=JobStatus.FAILED, ended_at=at, note=sentence[:500])

    def end_cancelled(self, *, at: datetime) -> bool:
        return self._mine(status=JobStatus.CANCELLED, ended_at=at)

    def _mine(self, **values: Any) -> bool:
        """Write the values where it runs and nobody took it over since this object was loaded or claimed."""
        running = Job.objects.filter(pk=self.pk, status=JobStatus.RUNNING, attempts=self.attempts)
        if not running.update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True
