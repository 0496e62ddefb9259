"""What the analysis stores: audits of the blinding."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import STUDY, logged
from readerstudy.studies.models import Study


class BlindingAudit(models.Model):
    """One audit of what a reader's browser receives, kept with its study."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+", verbose_name=_("study"))
    at = models.DateTimeField(_("at"))
    passed = models.BooleanField(_("passed"))
    result = models.JSONField(_("result"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("blinding audit")
        triggers = [
            pgtrigger.Protect(name="blinding_audit_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=STUDY.format("me.study_id"), sealed=("result",)),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.at:%Y-%m-%d %H:%M}"
