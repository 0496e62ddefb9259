"""Jobs: long runs as rows."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from readerstudy.errors import Sentence, StudyError
from readerstudy.results.progress import ProgressReport
from readerstudy.serialise import to_dict

job_ended = Signal()  # sent with `job` in the transaction in which it ends


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


# A job with one of these is over and no longer changes.
OVER = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)
UNDER_WAY = (JobStatus.QUEUED, JobStatus.RUNNING)


class Queue(models.TextChoices):
    """A queue of jobs. A worker takes from one or both, one job at a time."""

    CPU = "cpu", _("Processor")
    GPU = "gpu", _("Graphics card")


def fingerprint(kind: str, parameters: dict[str, Any]) -> str:
    """Return the SHA-256 of the kind and the parameters, independent of their order. It identifies the work."""
    return hashlib.sha256(json.dumps([kind, parameters], sort_keys=True).encode()).hexdigest()


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs."""

    def under_way_first(self) -> "JobQuerySet":
        """Running jobs, then queued ones, then those that are over; the newest first in each group."""
        group = models.Case(
            models.When(status=JobStatus.RUNNING, then=0), models.When(status=JobStatus.QUEUED, then=1), default=2
        )
        return self.select_related("requested_by").order_by(group, "-pk")


class Job(models.Model):
    """A queued run of one kind of work. `parameters` go in, `result` comes out; running it again is harmless."""

    # The key of the kind in the catalogue (`experiments.catalogue`), and the name of its Celery task.
    kind = models.CharField(_("kind"), max_length=64)
    parameters = models.JSONField(_("parameters"), default=dict)
    status = models.CharField(_("status"), max_length=9, choices=JobStatus.choices, default=JobStatus.QUEUED)
    done = models.PositiveIntegerField(_("steps done"), default=0)
    total = models.PositiveIntegerField(_("steps in all"), default=0)
    # The message of a failed job, in English; as `errors.Sentence.data` too, if it can be said in another language.
    sentence = models.JSONField(null=True, editable=False)
    note = models.CharField(_("note"), max_length=500, blank=True)
    # The last report, a `readerstudy.results.progress.ProgressReport`.
    progress = models.JSONField(_("last report"), null=True)
    result = models.JSONField(_("result"), null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(_("queued"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    queue = models.CharField(_("queue"), max_length=3, choices=Queue.choices, default=Queue.CPU)
    fingerprint = models.CharField(max_length=64, editable=False, default="")
    # Grows whenever a worker claims the job, and identifies the claim: see `_update_own`.
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    worker = models.CharField(_("worker (host:process)"), max_length=200, blank=True)
    # How often its worker died, or its work was stopped by a database that was away, without any step done in between.
    deaths = models.PositiveIntegerField(default=0, editable=False)
    outages = models.PositiveIntegerField(default=0, editable=False)
    furthest = models.PositiveIntegerField(default=0, editable=False)  # steps done at the last of them
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True)
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
        return f"{self.kind} {self.pk}"

    @classmethod
    def numbered(cls, number: int) -> "Job":
        """Return the job of that number. Raises StudyError if there is none."""
        job = cls.objects.filter(pk=number).first()
        if job is None:
            raise StudyError(f"There is no job {number}.")
        return job

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    def claim(self, *, worker: str, at: datetime) -> bool:
        """Claim the job for a worker, or claim it again if its worker is lost. Return whether that succeeded.

        It fails if the job is over or if another worker changed the row since it was loaded, so that a message that
        the broker delivers twice has no effect.
        """
        if self.is_over:
            return False
        updated = Job.objects.filter(pk=self.pk, status=self.status, attempts=self.attempts).update(
            status=JobStatus.RUNNING,
            attempts=self.attempts + 1,
            worker=worker[:200],
            heartbeat_at=at,
            started_at=at,
            note="",
            sentence=None,
            progress=None,
            result=None,
        )
        self.refresh_from_db()
        return bool(updated)

    def put_back(self, *, deaths: int = 0, outages: int = 0) -> bool:
        """Return the job to the queue after more deaths or outages. Return False as `advance` does.

        The counts begin anew when steps were done since the last one: then the job itself is not the cause.
        """
        if self.done > self.furthest:
            self.deaths = self.outages = 0
        return self._update_own(
            status=JobStatus.QUEUED,
            worker="",
            heartbeat_at=None,
            deaths=self.deaths + deaths,
            outages=self.outages + outages,
            furthest=max(self.done, self.furthest),
        )

    def wait_for_broker(self, note: Sentence | None) -> None:
        """Say in the queued job that it waits for the broker; without a note, that it no longer does."""
        queued = Job.objects.filter(pk=self.pk, status=JobStatus.QUEUED)
        queued.update(note=note or "", sentence=note.data if note else None)

    def advance(self, done: int, total: int, progress: ProgressReport) -> bool:
        """Record progress. Return False if another worker has the job by now, or it is over."""
        return self._update_own(done=done, total=total, progress=to_dict(progress), heartbeat_at=Now())

    def finish(self, result: Any, *, at: datetime) -> bool:
        """Record the result. Return False as `advance` does."""
        return self._end(status=JobStatus.DONE, ended_at=at, result=result)

    def fail(self, message: str, *, at: datetime) -> bool:
        """Record a failure. Return False as `advance` does."""
        sentence = message.data if isinstance(message, Sentence) else None
        return self._end(status=JobStatus.FAILED, ended_at=at, note=message[:500], sentence=sentence)

    def end_cancelled(self, *, at: datetime) -> bool:
        """Record that a requested cancel took effect. Return False as `advance` does."""
        return self._end(status=JobStatus.CANCELLED, ended_at=at)

    @transaction.atomic
    def _end(self, **values: Any) -> bool:
        has_ended = self._update_own(**values)
        if has_ended:
            job_ended.send(Job, job=self)
        return has_ended

    def _update_own(self, **values: Any) -> bool:
        """Update the row if the job is running and no other worker claimed it since this object was loaded or claimed.

        A worker that was suspended until another took over must not write into the row.
        """
        running = Job.objects.filter(pk=self.pk, status=JobStatus.RUNNING, attempts=self.attempts)
        if not running.update(**values):
            return False
        for name, value in values.items():
            if not isinstance(value, Now):
                setattr(self, name, value)
        return True
