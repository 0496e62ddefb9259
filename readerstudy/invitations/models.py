"""Invitations, and every mail that was written to readers. What a sign-in link is for is stored with the mail."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import SignInLink
from readerstudy.studies.models import Enrollment


class Invitation(models.Model):
    """The invitation of one enrolled reader, and the language of their mails."""

    enrollment = models.OneToOneField(Enrollment, models.PROTECT, related_name="invitation")
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    invited_at = models.DateTimeField(_("invited"))
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("invitation")

    def __str__(self) -> str:
        return str(self.enrollment)


class MailKind(models.TextChoices):
    INVITATION = "invitation", _("Invitation")
    REMINDER = "reminder", _("Reminder")
    NEW_LINK = "new_link", _("New link")
    MESSAGE = "message", _("Message")


class MailState(models.TextChoices):
    QUEUED = "queued", _("Not sent yet")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    BY_HAND = "by_hand", _("To be sent by hand")


class Mail(models.Model):
    """One mail to one reader. Only its state changes, once; the text has a placeholder instead of the link."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("to"))
    # None for the mail to somebody who is in no study.
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, null=True, related_name="mails")
    link = models.ForeignKey(SignInLink, models.PROTECT, null=True, related_name="mails")
    address = models.EmailField(_("address"), blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=MailKind.choices)
    subject = models.CharField(_("subject"), max_length=250)
    body = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=8, choices=MailState.choices)
    error = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("mail")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | ~models.Q(state="sent") & models.Q(sent_at=None),
                name="mail_sent_at_agrees",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="mail_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="mail_text_kept",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "person", "enrollment", "link", "address", "kind", "subject", "body", "created_at", "created_by"
                ),
            ),
            pgtrigger.Protect(
                name="mail_state_changes_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["sent", "failed", "by_hand"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"

    def mark_sent(self, *, at: datetime) -> None:
        """Record that the mail server accepted the mail."""
        self._move(MailState.SENT, sent_at=at)

    def mark_failed(self, *, error: str) -> None:
        """Record why the mail was not sent."""
        self._move(MailState.FAILED, error=error[:300])

    def _move(self, target: MailState, **values: object) -> None:
        if Mail.objects.filter(pk=self.pk, state=MailState.QUEUED).update(state=target, **values):
            self.refresh_from_db()
