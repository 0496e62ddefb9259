"""Records of what readers did: sessions, showings and readings. Readings are inserted once and never changed."""

from typing import Final
from uuid import uuid4

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.timing_grade import Grade
from readerstudy.record.triggers import LISTED, OPENED, PRESENTED, logged
from readerstudy.studies.models import Presentation, ReadingList, new_code

_ANSWERED: Final = (
    "(SELECT count(*) FROM reading_reading own JOIN studies_presentation shown ON shown.id = own.presentation_id "
    "WHERE shown.reading_list_id = me.reading_list_id)"
)


class HoldCause(models.TextChoices):
    """Why a session is on hold."""

    REST = "rest", _("nothing was read for longer than the plan allows")
    FILE = "file", _("the file of an image is not the one that was drawn")


class ReadingSession(models.Model):
    """One session of one reader: opened once, finished once."""

    reading_list = models.OneToOneField(ReadingList, models.PROTECT, related_name="session")
    opened_at = models.DateTimeField(_("opened"))
    # The reader's position: increased in the transaction that inserts the reading, under this row's lock.
    answered = models.PositiveIntegerField(_("answered"), default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)
    # The practice image has its own code and no presentation, so that a verdict on it cannot become a reading.
    practice_code = models.CharField(_("code of the practice"), max_length=32, default=new_code, editable=False)
    practised_at = models.DateTimeField(_("practised"), null=True)
    # On hold until a coordinator resumes it. Without a cause it is the rest, as in earlier versions.
    held_at = models.DateTimeField(_("on hold since"), null=True)
    held_for = models.CharField(_("cause of the hold"), max_length=4, choices=HoldCause.choices, blank=True)
    allowed_at = models.DateTimeField(_("resumed"), null=True)

    class Meta:
        verbose_name = _("reading session")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(held_for="") | models.Q(held_at__isnull=False, held_for__in=HoldCause.values),
                name="session_hold_agrees",
            )
        ]
        triggers = [
            pgtrigger.Protect(name="session_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="session_finished_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
            # Not an entry for each verdict: the readings have their own.
            *logged(study=LISTED.format("me.reading_list_id"), derived={"answered": _ANSWERED}),
        ]

    def __str__(self) -> str:
        return str(self.reading_list)


class Claim(models.Model):
    """A browser page took over the session. The page of the newest claim holds it."""

    session = models.ForeignKey(ReadingSession, models.PROTECT, related_name="claims")
    page = models.UUIDField(_("page"))
    at = models.DateTimeField(_("taken"))
    rested_s = models.PositiveIntegerField(_("seconds since the last verdict"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("claim")
        triggers = [
            pgtrigger.Protect(name="claim_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=OPENED.format("me.session_id")),
        ]

    def __str__(self) -> str:
        return f"{self.session} {self.at:%Y-%m-%d %H:%M}"


class CheckedDisplay(models.Model):
    """One display check before a session: what the reader saw, and whether the display passed."""

    reading_list = models.ForeignKey(ReadingList, models.PROTECT, related_name="checked_displays")
    at = models.DateTimeField(_("checked"))
    passed = models.BooleanField(_("passed"))
    failures = models.JSONField(_("reasons for failing"), default=list)
    results = models.JSONField(_("results"), default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name = _("display check")
        triggers = [
            pgtrigger.Protect(name="display_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=LISTED.format("me.reading_list_id")),
        ]

    def __str__(self) -> str:
        return f"{self.reading_list} {self.at:%Y-%m-%d %H:%M}"


class Showing(models.Model):
    """The time at which the server first handed out a presentation as the current one."""

    presentation = models.OneToOneField(Presentation, models.PROTECT, related_name="showing")
    at = models.DateTimeField(_("shown"))

    class Meta:
        verbose_name = _("showing")
        triggers = [
            pgtrigger.Protect(name="showing_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=PRESENTED.format("me.presentation_id")),
        ]

    def __str__(self) -> str:
        return str(self.presentation)


class Reading(models.Model):
    """The reader's verdict on one presentation with its times. One per presentation, never changed."""

    presentation = models.OneToOneField(Presentation, models.PROTECT, related_name="reading")
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict.choices)
    elapsed_ms = models.PositiveIntegerField(_("reading time, ms"))
    shown_at = models.DateTimeField(_("shown"))
    answered_at = models.DateTimeField(_("answered"))
    # The browser's key: the same verdict sent twice is one reading.
    key = models.UUIDField(_("key"), unique=True)
    receipt = models.UUIDField(_("receipt"), unique=True, default=uuid4, editable=False)
    answers = models.JSONField(_("answers to the plan's questions"), default=dict)
    paradata = models.JSONField(_("paradata"), default=dict)
    # The agreement of the browser's and the server's clock; empty for readings that were stored before grading.
    quality = models.CharField(_("timing grade"), max_length=1, choices=Grade.choices, blank=True)
    quality_reasons = models.JSONField(_("reasons for the grade"), default=list)

    class Meta:
        ordering = ["id"]
        verbose_name = _("reading")
        constraints = [
            models.CheckConstraint(condition=models.Q(verdict__in=Verdict.values), name="reading_verdict_known"),
            models.CheckConstraint(
                condition=models.Q(answered_at__gte=models.F("shown_at")), name="reading_answered_after_shown"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="reading_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=PRESENTED.format("me.presentation_id")),
        ]

    def __str__(self) -> str:
        return str(self.presentation)


class ClosingAnswers(models.Model):
    """The answers to the questions at the end of a session. One per session, never changed."""

    session = models.OneToOneField(ReadingSession, models.PROTECT, related_name="closing_answers")
    answers = models.JSONField(_("answers to the plan's questions"), default=dict)
    elapsed_ms = models.PositiveIntegerField(_("time to answer, ms"))
    answered_at = models.DateTimeField(_("answered"))
    # The browser's key: the same answers sent twice are stored once.
    key = models.UUIDField(_("key"), unique=True)
    receipt = models.UUIDField(_("receipt"), unique=True, default=uuid4, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("closing answers")
        verbose_name_plural = _("closing answers")
        triggers = [
            pgtrigger.Protect(name="closing_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=OPENED.format("me.session_id")),
        ]

    def __str__(self) -> str:
        return str(self.session)


class ImageProblem(models.Model):
    """A problem that a reader reported with the image on screen. It is not a verdict."""

    presentation = models.ForeignKey(Presentation, models.PROTECT, related_name="problems")
    text = models.CharField(_("what the reader wrote"), max_length=500, blank=True)
    at = models.DateTimeField(_("reported"))
    # The browser's key: the same report sent twice is one.
    key = models.UUIDField(_("key"), unique=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("reported image")
        verbose_name_plural = _("reported images")
        triggers = [
            pgtrigger.Protect(name="problem_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            *logged(study=PRESENTED.format("me.presentation_id")),
        ]

    def __str__(self) -> str:
        return str(self.presentation)
