"""The audit trail: what happened, by whom and when. The database refuses changes, also those of raw SQL."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One thing that happened. Written by `record` only."""

    at = models.DateTimeField(_("at"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    verb = models.CharField(_("what"), max_length=64, db_index=True)
    subject = models.CharField(_("about"), max_length=128, blank=True, db_index=True)
    # The code of the study that the subject belongs to; empty: none.
    study = models.CharField(_("study"), max_length=64, blank=True, db_index=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name = _("event")
        triggers = [pgtrigger.Protect(name="event_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.subject}"
