"""The audit trail: what happened, by whom, from where and when. The database refuses changes, also those of raw SQL."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import logged


class Event(models.Model):
    """One thing that happened. Written by `record` only."""

    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"), db_index=False
    )
    verb = models.CharField(_("what"), max_length=64, db_index=True)
    # The part of the verb before its dot, for filters.
    kind = models.GeneratedField(
        expression=RawSQL("split_part(verb, '.', 1)", []),
        output_field=models.CharField(max_length=64),
        db_persist=True,
        verbose_name=_("kind"),
    )
    subject = models.CharField(_("about"), max_length=128, blank=True)
    # The code of the study that the subject belongs to; empty: none.
    study = models.CharField(_("study"), max_length=64, blank=True)
    data = models.JSONField(_("details"), default=dict)
    # Empty for commands and jobs.
    address = models.GenericIPAddressField(_("from the address"), null=True)
    version = models.CharField(_("software version"), max_length=16)
    # The sign-in under which it was done.
    sign_in = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("event")
        verbose_name_plural = _("events")
        triggers = [
            pgtrigger.Protect(name="event_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study="me.study", sealed=("address",), erasable=("address",)),
        ]
        # Each filter of the trail's pages finds its newest rows by one of these.
        indexes = [
            models.Index(fields=["at", "id"], name="event_by_time"),
            models.Index(fields=["study", "at", "id"], name="event_by_study"),
            models.Index(fields=["study", "kind", "at", "id"], name="event_by_study_kind"),
            models.Index(fields=["study", "actor", "at", "id"], name="event_by_study_actor"),
            models.Index(fields=["kind", "at", "id"], name="event_by_kind"),
            models.Index(fields=["actor", "at", "id"], name="event_by_actor"),
            models.Index(fields=["subject", "at", "id"], name="event_by_subject"),
            models.Index(fields=["actor", "address"], name="event_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.subject}"
