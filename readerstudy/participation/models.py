"""What a study tells its readers and what they tell about themselves. Nothing here depends on an image."""

from hashlib import sha256
from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.record.triggers import ENROLLED, STUDY, logged
from readerstudy.studies.models import Enrollment, Study

LONGEST_TEXT: Final = 40_000  # characters of a consent text or of a closing text
LONGEST_MESSAGE: Final = 4000
LONGEST_COMMENT: Final = 4000
_EVERY_CHANGE: Final = pgtrigger.Update | pgtrigger.Delete


class Characteristic(models.TextChoices):
    """What a study can ask its readers about themselves, once."""

    YEARS = "years", _("Years of experience")
    SPECIALTY = "specialty", _("Specialty")
    POSITION = "position", _("Position")
    AGE_BAND = "age_band", _("Age")
    SEX = "sex", _("Sex")


class Position(models.TextChoices):
    RESIDENT = "resident", _("Resident")
    SPECIALIST = "specialist", _("Specialist")
    CONSULTANT = "consultant", _("Consultant")
    OTHER = "other", _("Other")


class AgeBand(models.TextChoices):
    UNDER_30 = "under_30", _("under 30")
    FROM_30 = "30_39", _("30 to 39")
    FROM_40 = "40_49", _("40 to 49")
    FROM_50 = "50_59", _("50 to 59")
    FROM_60 = "from_60", _("60 and over")


class Sex(models.TextChoices):
    FEMALE = "female", _("female")
    MALE = "male", _("male")
    DIVERSE = "diverse", _("diverse")


class ReaderRules(models.Model):
    """What a study asks of its readers beside the plan. A study without a row has the defaults.

    `reader_protocol` has the limits of the values.
    """

    study = models.OneToOneField(Study, models.CASCADE, related_name="reader_rules")
    # Whether a reader must agree to the newest consent text, if there is one, before a session opens.
    consent_required = models.BooleanField(_("a session needs consent"), default=True)
    asked = models.JSONField(_("what readers are asked about themselves"), default=list, blank=True)
    # Days without a reading after which a reader is reminded; 0: never.
    reminder_days = models.PositiveSmallIntegerField(_("days until a reminder"), default=7)
    # As many verdicts in a row, each faster than this, are named in the monitor.
    quick_ms = models.PositiveIntegerField(_("a verdict is very quick below (ms)"), default=1000)
    quick_run = models.PositiveSmallIntegerField(_("very quick verdicts in a row"), default=10)
    # By language; shown after the last session.
    closing_texts = models.JSONField(_("what happens next"), default=dict, blank=True)

    class Meta:
        verbose_name = _("rules for readers")
        triggers = logged(study=STUDY.format("me.study_id"))

    def __str__(self) -> str:
        return str(self.study)

    @classmethod
    def of(cls, study: Study) -> "ReaderRules":
        """Return the rules of the study, the defaults if none were stored."""
        return cls.objects.filter(study=study).first() or cls(study=study)


class ConsentText(models.Model):
    """One version of what readers agree to, by language. It is fixed once a reader has agreed to it."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="consent_texts")
    version = models.PositiveSmallIntegerField(_("version"))
    texts = models.JSONField(_("texts"))
    edited_at = models.DateTimeField(_("edited"))
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("by")
    )

    class Meta:
        ordering = ["study", "version"]
        verbose_name = _("consent text")
        constraints = [models.UniqueConstraint(fields=["study", "version"], name="consent_version_once")]
        triggers = [
            pgtrigger.Trigger(
                name="consent_text_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                IF EXISTS (SELECT 1 FROM participation_consent given WHERE given.text_id = OLD.id) THEN
                    RAISE EXCEPTION 'Cannot update version % of the consent text: a reader has agreed.', OLD.version;
                END IF;
                RETURN NEW;
                """,
            ),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.version}"

    def in_language(self, language: str) -> tuple[str, str]:
        """Return the language that is shown to somebody of this one, and its text."""
        if language in self.texts:
            return language, self.texts[language]
        first = next(iter(self.texts))
        return first, self.texts[first]


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, by which it is recorded what was agreed to."""
    return sha256(text.encode()).hexdigest()


class Consent(models.Model):
    """A reader's consent to one version, in the language in which they read it."""

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="consents")
    language = models.CharField(_("language"), max_length=8)
    sha256 = models.CharField(_("SHA-256 of the text"), max_length=64)
    at = models.DateTimeField(_("given"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("consent")
        constraints = [models.UniqueConstraint(fields=["enrollment", "text"], name="consent_once_to_a_version")]
        triggers = [
            pgtrigger.Protect(name="consent_append_only", operation=_EVERY_CHANGE),
            *logged(study=ENROLLED.format("me.enrollment_id")),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment} {self.text.version}"


class ReaderProfile(models.Model):
    """What a reader told about themselves for one study; every answer is optional."""

    enrollment = models.OneToOneField(Enrollment, models.PROTECT, related_name="profile")
    years = models.PositiveSmallIntegerField(Characteristic.YEARS.label, null=True, blank=True)
    specialty = models.CharField(Characteristic.SPECIALTY.label, max_length=80, blank=True)
    position = models.CharField(Characteristic.POSITION.label, max_length=16, choices=Position.choices, blank=True)
    age_band = models.CharField(Characteristic.AGE_BAND.label, max_length=16, choices=AgeBand.choices, blank=True)
    sex = models.CharField(Characteristic.SEX.label, max_length=16, choices=Sex.choices, blank=True)
    saved_at = models.DateTimeField(_("saved"))

    class Meta:
        verbose_name = _("reader's characteristics")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(years=None) | models.Q(years__lte=80), name="profile_years_plausible"
            )
        ]
        triggers = logged(study=ENROLLED.format("me.enrollment_id"))

    def __str__(self) -> str:
        return str(self.enrollment)


class Message(models.Model):
    """A message from the desk to one or several readers of a study."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="messages")
    text = models.TextField(_("text"), max_length=LONGEST_MESSAGE)
    sent_at = models.DateTimeField(_("sent"))
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("by")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("message")
        triggers = [
            pgtrigger.Protect(name="message_append_only", operation=_EVERY_CHANGE),
            *logged(study=STUDY.format("me.study_id")),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.sent_at:%Y-%m-%d %H:%M}"


class MessageDelivery(models.Model):
    """A message on one reader's start page, until the reader has read it."""

    message = models.ForeignKey(Message, models.PROTECT, related_name="deliveries")
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="deliveries")
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("delivery of a message")
        constraints = [models.UniqueConstraint(fields=["message", "enrollment"], name="message_delivered_once")]
        triggers = [
            pgtrigger.Protect(name="delivery_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="delivery_locked",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("message", "enrollment"),
            ),
            pgtrigger.Protect(
                name="delivery_read_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__read_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.enrollment.code}"


class Comment(models.Model):
    """What a reader wrote on the end page."""

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="comments")
    text = models.TextField(_("text"), max_length=LONGEST_COMMENT)
    at = models.DateTimeField(_("written"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("comment")
        triggers = [
            pgtrigger.Protect(name="comment_append_only", operation=_EVERY_CHANGE),
            *logged(study=ENROLLED.format("me.enrollment_id")),
        ]

    def __str__(self) -> str:
        return str(self.enrollment)
