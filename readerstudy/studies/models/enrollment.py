"""One reader in one study, from enrolment to withdrawal."""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import User
from readerstudy.errors import StudyError
from readerstudy.record.triggers import STUDY, logged
from readerstudy.studies.models.study import Study


class WrongReaderState(StudyError):
    """The reader is not in the state that this transition starts from."""


class WithdrawalCause(models.TextChoices):
    """Who ended the participation of a reader."""

    STUDY_TEAM = "study_team", _("by the study team")
    CONSENT = "consent", _("consent withdrawn")


_OF_PARTICIPATION: Final = (
    "paused_at",
    "resumed_at",
    "withdrawn_at",
    "withdrawal_cause",
    "withdrawal_reason",
    "withdrawn_by",
)


def _changes(*names: str) -> Any:
    return reduce(or_, (pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")}) for name in names))


class Enrollment(models.Model):
    """One reader in one study, under a code for this study. A withdrawal is final; what was read stays on record."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="enrollments")
    # None until the study is locked: its arms are made by the draw.
    arm = models.ForeignKey("studies.Arm", models.PROTECT, related_name="enrollments", null=True, blank=True)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="enrollments")
    code = models.CharField(_("reader code"), max_length=16)
    enrolled_at = models.DateTimeField(_("enrolled"))
    replaces = models.OneToOneField(
        "self", models.PROTECT, related_name="replaced_by", null=True, blank=True, verbose_name=_("replaces")
    )
    # Why the reader is enrolled although other studies show them images of this one. Given once.
    override_reason = models.CharField(_("reason for repeated images"), max_length=2000, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    resumed_at = models.DateTimeField(_("last resumed"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    withdrawal_cause = models.CharField(
        _("cause of the withdrawal"), max_length=10, choices=WithdrawalCause.choices, blank=True
    )
    withdrawal_reason = models.CharField(_("reason of the withdrawal"), max_length=2000, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("withdrawn by"),
    )

    class Meta:
        verbose_name = _("enrollment")
        constraints = [
            models.UniqueConstraint(fields=["study", "reader"], name="reader_enrolled_once"),
            models.UniqueConstraint(fields=["study", "code"], name="reader_code_once"),
            models.CheckConstraint(
                condition=models.Q(
                    withdrawn_at=None, withdrawal_cause="", withdrawal_reason="", withdrawn_by__isnull=True
                )
                | models.Q(withdrawn_at__isnull=False, withdrawal_cause__in=WithdrawalCause.values),
                name="enrollment_withdrawal_agrees",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at=None) | models.Q(paused_at=None), name="enrollment_paused_or_withdrawn"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="enrollment_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("study", "reader", "code", "enrolled_at", "replaces"),
            ),
            pgtrigger.Protect(
                name="enrollment_reason_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__override_reason="") & _changes("override_reason"),
            ),
            pgtrigger.Protect(
                name="enrollment_withdrawn_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False) & _changes(*_OF_PARTICIPATION),
            ),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.code}"

    @property
    def study_code(self) -> str:
        """The study that events about the enrolment belong to."""
        return self.study.code

    @property
    def takes_part(self) -> bool:
        """Whether the reader has not been withdrawn."""
        return self.withdrawn_at is None

    def pause(self, *, at: datetime) -> None:
        """Accept no readings of this reader for a time."""
        self._move({"withdrawn_at": None, "paused_at": None}, paused_at=at)

    def resume(self, *, at: datetime) -> None:
        """Accept readings of this reader again."""
        self._move({"paused_at__isnull": False}, paused_at=None, resumed_at=at)

    def withdraw(self, *, cause: WithdrawalCause, reason: str, by: User | None, at: datetime) -> None:
        """End the participation of this reader, for good."""
        changes = {"withdrawal_cause": cause, "withdrawal_reason": reason, "withdrawn_by": by}
        self._move({"withdrawn_at": None}, withdrawn_at=at, paused_at=None, **changes)

    def allow_repeated_images(self, *, reason: str) -> None:
        """Store why the reader may see images again that other studies show them."""
        if self.override_reason:
            sentence = gettext("There is a reason already to let %(reader)s see images again.")
            raise WrongReaderState(sentence % {"reader": self.code})
        self._move({"withdrawn_at": None, "override_reason": ""}, override_reason=reason)

    def _move(self, source: dict[str, Any], **values: Any) -> None:
        if not Enrollment.objects.filter(pk=self.pk, **source).update(**values):
            self.refresh_from_db()
            raise WrongReaderState(self._state_sentence())
        self.refresh_from_db()

    def _state_sentence(self) -> str:
        if self.withdrawn_at:
            sentence = gettext("%(reader)s has been withdrawn from the study.")
        elif self.paused_at:
            sentence = gettext("%(reader)s is paused already.")
        else:
            sentence = gettext("%(reader)s is not paused.")
        return sentence % {"reader": self.code}
