"""What a reader did: sittings, showings and readings. Rows are inserted once and never changed."""

from uuid import uuid4

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.studies.models import Presentation, ReadingList
from readerstudy.studies.protocol import Verdict


class ReadingSession(models.Model):
    """One reader's sitting in one session: opened once, finished once."""

    reading_list = models.OneToOneField(ReadingList, models.PROTECT, related_name="session")
    opened_at = models.DateTimeField(_("opened"))
    # Where the reader is: counted up in the transaction that inserts the reading, under this row's lock.
    answered = models.PositiveIntegerField(_("answered"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("reading session")
        triggers = [
            pgtrigger.Protect(name="session_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="session_finished_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.reading_list)


class Showing(models.Model):
    """The moment at which the server first handed a presentation out as the current one."""

    presentation = models.OneToOneField(Presentation, models.PROTECT, related_name="showing")
    at = models.DateTimeField(_("shown"))

    class Meta:
        verbose_name = _("showing")
        triggers = [pgtrigger.Protect(name="showing_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return str(self.presentation)


class Reading(models.Model):
    """The reader's verdict on one presentation with its times. One per presentation, for ever."""

    presentation = models.OneToOneField(Presentation, models.PROTECT, related_name="reading")
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    elapsed_ms = models.PositiveIntegerField(_("milliseconds from drawn to answered"))
    shown_at = models.DateTimeField(_("shown"))
    answered_at = models.DateTimeField(_("answered"))
    # The browser's key: the same verdict sent twice is one reading.
    key = models.UUIDField(_("key"), unique=True)
    receipt = models.UUIDField(_("receipt"), unique=True, default=uuid4, editable=False)
    paradata = models.JSONField(_("paradata"), default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name = _("reading")
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=Verdict.values), name="reading_verdict_known"),
            models.CheckConstraint(
                condition=models.Q(answered_at__gte=models.F("shown_at")), name="reading_answered_after_shown"
            ),
        ]
        triggers = [pgtrigger.Protect(name="reading_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return str(self.presentation)
