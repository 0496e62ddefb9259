"""Jobs: long runs as rows; checkpoints, attacks and evaluations: what they left behind, pointing to each other."""

import hashlib
import json
from datetime import datetime
from typing import Any

import pgtrigger
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


class CheckpointKind(models.TextChoices):
    CLASSIFIER = "classifier", _("Classifier")
    GENERATOR = "generator", _("Generator")
    DETECTOR = "detector", _("Detector")


class Checkpoint(models.Model):
    """Weights with config, seed and code version: the register of `var/runs`; the folder holds the files."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=CheckpointKind.choices)
    cohort = models.CharField(_("cohort"), max_length=64)
    preset = models.CharField(_("preset"), max_length=32)
    direction = models.CharField(_("direction"), max_length=8, blank=True)
    seed = models.BigIntegerField(_("seed"))
    split_hash = models.CharField(_("hash of the split"), max_length=64)
    code_version = models.CharField(_("code version"), max_length=64)
    metrics = models.JSONField(_("metrics"), default=dict)
    folder = models.CharField(_("folder"), max_length=200, help_text=_("below the runs folder"))
    made_at = models.DateTimeField(_("made"))
    # What earlier versions did not write down is empty.
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="checkpoints", verbose_name=_("job"))
    # A GAN's classifier; the classifier that a detector or a hardened classifier started from.
    made_from = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="descendants", verbose_name=_("made from")
    )
    config = models.JSONField(_("configuration"), default=dict)
    data_hash = models.CharField(_("hash of the data"), max_length=64, blank=True)
    weights = models.CharField(_("SHA-256 of the weights"), max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("checkpoint")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, name: str, kind: CheckpointKind) -> "Checkpoint":
        """The checkpoint of that name and kind, or a sentence that lists what there is."""
        found = cls.objects.filter(name=name, kind=kind).first()
        if found is None:
            known = ", ".join(cls.objects.filter(kind=kind).values_list("name", flat=True)) or "none yet"
            raise StudyError(f"There is no {kind.value} run named {name!r}; there are: {known}.")
        return found


class Attack(models.Model):
    """How adversarial twins were made: method, settings, seed and the networks used. Never changed once made."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    method = models.SlugField(_("method"), max_length=32)
    direction = models.CharField(
        _("direction"), max_length=6, blank=True, help_text=_("insert, remove; empty where it makes both")
    )
    generator = models.ForeignKey(
        Checkpoint, models.PROTECT, null=True, related_name="attacks_made", verbose_name=_("generator run")
    )
    # The one whose gradient was followed: the surrogate where the attack is carried over to another.
    classifier = models.ForeignKey(
        Checkpoint, models.PROTECT, null=True, related_name="attacks_on", verbose_name=_("classifier attacked")
    )
    settings = models.JSONField(_("settings"), default=dict)
    seed = models.BigIntegerField(_("seed"))
    code_version = models.CharField(_("code version"), max_length=64)
    cohort = models.CharField(_("cohort"), max_length=64)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="attacks", verbose_name=_("job"))
    made_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("attack")
        triggers = [pgtrigger.Protect(name="attack_fixed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, name: str) -> "Attack":
        """The attack of that name, or a sentence that lists what there is."""
        found = cls.objects.filter(name=name).first()
        if found is None:
            known = ", ".join(cls.objects.values_list("name", flat=True)) or "none yet"
            raise StudyError(f"There is no attack named {name!r}; there are: {known}.")
        return found

    @classmethod
    def kept(cls, name: str, *, job: Job | None, code_version: str, at: datetime, **what: Any) -> "Attack":
        """The attack of that name, made now where there is none; an interrupted generation finds its own again.

        `what` is method, direction, generator, classifier, settings, seed and cohort. Raises StudyError where the
        name stands for something else already: twins of one name must all be made in one way.
        """
        found, _made = cls.objects.get_or_create(
            name=name, defaults={**what, "job": job, "code_version": code_version, "made_at": at}
        )
        other = [field for field, value in what.items() if getattr(found, field) != value]
        if other:
            raise StudyError(
                f"The attack {name} was made with other values of {', '.join(other)} on {found.made_at:%Y-%m-%d}; "
                "choose another name (a suffix, for the twins of a GAN)."
            )
        return found


class Evaluation(models.Model):
    """What classifiers made of attacks: the tables at one resolution; the figures lie below the runs folder."""

    name = models.SlugField(_("name"), max_length=160)
    cohort = models.CharField(_("cohort"), max_length=64)
    resolution = models.CharField(_("resolution"), max_length=4)
    classifier = models.ForeignKey(Checkpoint, models.PROTECT, related_name="evaluations", verbose_name=_("classifier"))
    attacks = models.ManyToManyField(Attack, related_name="evaluations", verbose_name=_("attacks"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="evaluations", verbose_name=_("job"))
    tables = models.JSONField(_("tables"), default=dict)
    made_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("evaluation")

    def __str__(self) -> str:
        return self.name
