"""Unplanned unblindings: who learnt what of the truth while the study was blinded, and what that means for it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import STUDY, kept, logged
from readerstudy.studies.models.study import Study


class Consequence(models.TextChoices):
    NONE = "none", _("None: the readings stay")
    READINGS_EXCLUDED = "excluded", _("Readings are excluded")
    READER_WITHDRAWN = "withdrawn", _("A reader is withdrawn")


class Unblinding(models.Model):
    """What happened, as somebody recorded it. A correction is another row of the same number; the newest one counts."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="unblindings", verbose_name=_("study"))
    number = models.PositiveSmallIntegerField(_("number"))
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    happened_at = models.DateTimeField(_("happened"))
    persons = models.TextField(_("who learnt it"))
    learnt = models.TextField(_("what they learnt"))
    how = models.TextField(_("how it happened"))
    # Codes of readers and numbers of sessions that it concerns; empty: all of them.
    readers = models.JSONField(_("readers"), default=list)
    sessions = models.JSONField(_("sessions"), default=list)
    at = models.DateTimeField(_("recorded"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("recorded by"),
        db_index=False,
    )

    class Meta:
        ordering = ["study", "number", "revision"]
        verbose_name = _("unplanned unblinding")
        verbose_name_plural = _("unplanned unblindings")
        constraints = [
            models.UniqueConstraint(fields=["study", "number", "revision"], name="unblinding_revision_once"),
        ]
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"))[:1]]

    def __str__(self) -> str:
        return f"{self.study} {self.number}"


class UnblindingAssessment(models.Model):
    """What an unblinding means for the study. The newest assessment of a number counts; the others stay on record."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="unblinding_assessments", verbose_name=_("study"))
    number = models.PositiveSmallIntegerField(_("number"))
    consequence = models.CharField(_("consequence"), max_length=9, choices=Consequence.choices)
    text = models.TextField(_("assessment"))
    # Readings that could be influenced, as far as it is known.
    readings = models.PositiveIntegerField(_("affected readings"), null=True)
    at = models.DateTimeField(_("assessed"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("assessed by"),
        db_index=False,
    )

    class Meta:
        ordering = ["study", "number", "id"]
        verbose_name = _("assessment of an unblinding")
        verbose_name_plural = _("assessments of unblindings")
        triggers = [*kept(), *logged(study=STUDY.format("me.study_id"))[:1]]

    def __str__(self) -> str:
        return f"{self.study} {self.number} {self.consequence}"
