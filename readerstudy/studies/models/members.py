"""Who takes part in a study as its coordinator or its researcher."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import Role
from readerstudy.record.triggers import STUDY, logged
from readerstudy.studies.models.study import Study


class StudyMember(models.Model):
    """The right of one person in one study, as its coordinator or its researcher. Rights that ended stay on record."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="members", verbose_name=_("study"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    role = models.CharField(_("role in the study"), max_length=16, choices=Role.choices)
    added_at = models.DateTimeField(_("added"))
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)
    removed_at = models.DateTimeField(_("removed"), null=True)
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("member of a study")
        verbose_name_plural = _("members of studies")
        constraints = [
            models.UniqueConstraint(
                fields=["study", "person"], condition=models.Q(removed_at=None), name="study_member_once"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[Role.COORDINATOR.value, Role.RESEARCHER.value]),
                name="study_member_role_known",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="member_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("study", "person", "role", "added_at", "added_by"),
            ),
            pgtrigger.Protect(
                name="member_removed_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__removed_at__isnull=False),
            ),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.person}"
