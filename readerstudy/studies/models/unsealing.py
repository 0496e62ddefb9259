"""The request to unseal a study, which another person confirms."""

from datetime import datetime, timedelta
from typing import Any, Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import STUDY, logged
from readerstudy.studies.models.study import Study, WrongStatus

LASTS: Final = timedelta(days=7)


class RequestOutcome(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


class UnsealingRequest(models.Model):
    """One person asks to unseal a study. It is confirmed by another, withdrawn, or expires: once."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="unsealing_requests", verbose_name=_("study"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("requested by"), db_index=False
    )
    at = models.DateTimeField(_("requested"))
    reason = models.TextField(_("reason"))
    expires_at = models.DateTimeField(_("expires"))
    outcome = models.CharField(_("outcome"), max_length=9, choices=RequestOutcome.choices, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        verbose_name=_("ended by"),
        db_index=False,
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("request to unseal a study")
        verbose_name_plural = _("requests to unseal studies")
        constraints = [
            models.UniqueConstraint(fields=["study"], condition=models.Q(outcome=""), name="unsealing_requested_once"),
            models.CheckConstraint(
                condition=models.Q(outcome="", ended_at=None, ended_by=None)
                | models.Q(outcome="expired", ended_at__isnull=False, ended_by=None)
                | models.Q(outcome="withdrawn", ended_at__isnull=False, ended_by__isnull=False)
                | models.Q(outcome="confirmed", ended_at__lte=models.F("expires_at"), ended_by__isnull=False),
                name="unsealing_request_outcome_agrees",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="confirmed") | ~models.Q(ended_by=models.F("by")),
                name="unsealing_confirmed_by_another",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="request_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="request_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("study", "by", "at", "reason", "expires_at"),
            ),
            pgtrigger.Protect(
                name="request_ended_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__outcome="")
            ),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.at:%Y-%m-%d %H:%M}"

    @classmethod
    def waiting(cls, study: Study, *, at: datetime) -> "UnsealingRequest | None":
        """Return the request that waits for another person, None without one."""
        return cls.objects.filter(study=study, outcome="", expires_at__gte=at).select_related("by").first()

    def end(self, outcome: RequestOutcome, *, by: Any, at: datetime) -> None:
        """End a request that waits. Raises WrongStatus if it has ended."""
        waiting = UnsealingRequest.objects.filter(pk=self.pk, outcome="")
        if not waiting.update(outcome=outcome, ended_by=by, ended_at=at):
            raise WrongStatus(gettext("This request to unseal the study has ended."))
        self.refresh_from_db()
