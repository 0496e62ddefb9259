"""Checkpoints, attacks and evaluations: the artifacts of jobs, which refer to each other."""

from datetime import datetime
from typing import Any

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.errors import StudyError
from readerstudy.jobs.models import Job
from readerstudy.names import name_constraint
from readerstudy.results.evaluation import EvaluationResult, read_evaluation


class CheckpointKind(models.TextChoices):
    CLASSIFIER = "classifier", _("Classifier")
    GENERATOR = "generator", _("Generator")
    DETECTOR = "detector", _("Detector")


class Checkpoint(models.Model):
    """The weights of a finished run with their provenance. The files are in `folder` below the runs folder."""

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
    made_at = models.DateTimeField(_("created"))
    # Empty for runs of earlier versions.
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="checkpoints", verbose_name=_("job"))
    # The target classifier of a generator; the classifier whose weights a detector started from.
    made_from = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="descendants", verbose_name=_("made from")
    )
    config = models.JSONField(_("configuration"), default=dict)
    data_hash = models.CharField(_("hash of the data"), max_length=64, blank=True)
    weights = models.CharField(_("SHA-256 of the weights"), max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("checkpoint")
        constraints = [name_constraint("name", name="checkpoint_name_follows_rule")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, name: str, kind: CheckpointKind) -> "Checkpoint":
        """Return the checkpoint of that name and kind. Raises StudyError, which lists the existing ones."""
        checkpoint = cls.objects.filter(name=name, kind=kind).first()
        if checkpoint is None:
            known = ", ".join(cls.objects.filter(kind=kind).values_list("name", flat=True)) or "none yet"
            raise StudyError(f"There is no {kind.value} run named {name!r}; there are: {known}.")
        return checkpoint


class Attack(models.Model):
    """How adversarial images were made: method, settings, seed and networks. The row is never changed."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    method = models.SlugField(_("method"), max_length=32)
    direction = models.CharField(
        _("direction"),
        max_length=6,
        blank=True,
        help_text=_("insert or remove; empty for an attack in both directions"),
    )
    generator = models.ForeignKey(
        Checkpoint, models.PROTECT, null=True, related_name="attacks_made", verbose_name=_("generator run")
    )
    # The classifier whose gradient was used; for a transfer attack the surrogate.
    classifier = models.ForeignKey(
        Checkpoint, models.PROTECT, null=True, related_name="attacks_on", verbose_name=_("target classifier")
    )
    settings = models.JSONField(_("settings"), default=dict)
    seed = models.BigIntegerField(_("seed"), null=True)  # None for images that were made elsewhere
    code_version = models.CharField(_("code version"), max_length=64)
    cohort = models.CharField(_("cohort"), max_length=64)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="attacks", verbose_name=_("job"))
    made_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("attack")
        constraints = [name_constraint("name", name="attack_name_follows_rule")]
        triggers = [pgtrigger.Protect(name="attack_fixed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, name: str) -> "Attack":
        """Return the attack of that name. Raises StudyError, which lists the existing ones."""
        attack = cls.objects.filter(name=name).first()
        if attack is None:
            known = ", ".join(cls.objects.values_list("name", flat=True)) or "none yet"
            raise StudyError(f"There is no attack named {name!r}; there are: {known}.")
        return attack

    @classmethod
    def get_or_make(cls, name: str, *, job: Job | None, code_version: str, at: datetime, **identity: Any) -> "Attack":
        """Return the attack of that name, made now if there is none, so that an interrupted generation resumes.

        `identity` is method, direction, generator, classifier, settings, seed and cohort. Raises StudyError if the
        existing attack has another identity: all images of one attack are made in the same way.
        """
        attack, _is_new = cls.objects.get_or_create(
            name=name, defaults={**identity, "job": job, "code_version": code_version, "made_at": at}
        )
        different = [field for field, value in identity.items() if getattr(attack, field) != value]
        if different:
            raise StudyError(
                f"The attack {name} was made with other values of {', '.join(different)} on {attack.made_at:%Y-%m-%d}; "
                "choose another name (for the images of a GAN, a suffix)."
            )
        return attack


class Evaluation(models.Model):
    """The evaluation of one classifier on attacks at one resolution."""

    name = models.SlugField(_("name"), max_length=160)
    cohort = models.CharField(_("cohort"), max_length=64)
    resolution = models.CharField(_("resolution"), max_length=16)
    classifier = models.ForeignKey(Checkpoint, models.PROTECT, related_name="evaluations", verbose_name=_("classifier"))
    attacks = models.ManyToManyField(Attack, related_name="evaluations", verbose_name=_("attacks"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="evaluations", verbose_name=_("job"))
    result = models.JSONField(_("result"), default=dict, help_text=_("see readerstudy.results.evaluation"))
    made_at = models.DateTimeField(_("created"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("evaluation")

    def __str__(self) -> str:
        return self.name

    def read(self) -> EvaluationResult:
        """Return the stored figures. Raises BadInput if another version of the software stored them."""
        return read_evaluation(self.result)
