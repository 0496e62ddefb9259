"""Jobs: long runs as rows; checkpoints: what training left behind."""

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


class Job(models.Model):
    """A queued run of one task. `parameters` go in, `result` comes out; running it again is harmless."""

    task = models.CharField(_("task"), max_length=64)
    parameters = models.JSONField(_("parameters"), default=dict)
    status = models.CharField(_("status"), max_length=8, choices=JobStatus.choices, default=JobStatus.QUEUED)
    done = models.PositiveIntegerField(_("steps done"), default=0)
    total = models.PositiveIntegerField(_("steps in all"), default=0)
    note = models.CharField(_("note"), max_length=500, blank=True)
    result = models.JSONField(_("result"), null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    queued_at = models.DateTimeField(_("queued"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("job")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["done", "failed"], ended_at__isnull=False)
                | models.Q(status__in=["queued", "running"], ended_at__isnull=True),
                name="job_ended_exactly_when_over",
            )
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"

    def start(self, *, at: datetime) -> None:
        """Begin, or begin again after a kill."""
        self._set(status=JobStatus.RUNNING, started_at=at, ended_at=None, note="", result=None)

    def advance(self, done: int, total: int, note: str) -> None:
        self._set(done=done, total=total, note=note[:500])

    def finish(self, result: Any, *, at: datetime) -> None:
        self._set(status=JobStatus.DONE, ended_at=at, result=result)

    def fail(self, sentence: str, *, at: datetime) -> None:
        self._set(status=JobStatus.FAILED, ended_at=at, note=sentence[:500])

    def _set(self, **values: Any) -> None:
        Job.objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)


class CheckpointKind(models.TextChoices):
    CLASSIFIER = "classifier", _("Classifier")
    GENERATOR = "generator", _("Generator")


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
