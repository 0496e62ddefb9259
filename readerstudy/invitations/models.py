"""Invitations, and every mail that was written to readers. What a sign-in link is for is stored with the mail."""

from datetime import datetime, timedelta
from typing import Final

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import SignInLink
from readerstudy.studies.models import Enrollment

LEASE: Final = timedelta(minutes=10)  # of an attempt to send; afterwards its process is taken for dead


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
    ACCOUNT = "account", _("Account")
    PASSWORD = "password", _("Password")
    NOTICE = "notice", _("Notice about the sign-in")


class MailState(models.TextChoices):
    QUEUED = "queued", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    BY_HAND = "by_hand", _("To be sent by hand")


class Mail(models.Model):
    """One mail to one person. Its text has a placeholder instead of the link, and never changes.

    The row is the queue: `state`, `due_at`, `claimed_at` and `attempts` say who may send it when. A mail that is sent,
    failed or to be sent by hand does not change any more.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("to"))
    # None for the mail to somebody who is in no study.
    enrollment = models.ForeignKey(Enrollment, models.PROTECT, null=True, related_name="mails")
    # Made when the mail is sent; None until then, and for a mail without a link.
    link = models.ForeignKey(SignInLink, models.PROTECT, null=True, related_name="mails")
    link_expires_at = models.DateTimeField(null=True)
    base_url = models.CharField(max_length=200, blank=True)  # start of the link's address
    reply_to = models.EmailField(blank=True)
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
    due_at = models.DateTimeField(_("next attempt"), null=True)
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    was_interrupted = models.BooleanField(default=False)  # the server may have had it before: it can arrive twice
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("mail")
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["queued", "sending"]), name="mail_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | ~models.Q(state="sent") & models.Q(sent_at=None),
                name="mail_sent_at_agrees",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "sending"], due_at__isnull=False)
                | ~models.Q(state__in=["queued", "sending"]) & models.Q(due_at=None),
                name="mail_due_at_agrees",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="mail_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="mail_text_kept",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "person",
                    "enrollment",
                    "address",
                    "kind",
                    "subject",
                    "body",
                    "created_at",
                    "created_by",
                    "base_url",
                    "reply_to",
                    "link_expires_at",
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

    def claim(self, *, at: datetime) -> bool:
        """Take the mail for one attempt; return whether this process has it now.

        Possible for a mail that is due, and for one whose last attempt ended without a result.
        """
        due = models.Q(state=MailState.QUEUED, due_at__lte=at)
        abandoned = models.Q(state=MailState.SENDING, claimed_at__lte=at - LEASE)
        claimed = Mail.objects.filter(due | abandoned, pk=self.pk).update(
            was_interrupted=models.Case(
                models.When(state=MailState.SENDING, then=True), default=models.F("was_interrupted")
            ),
            state=MailState.SENDING,
            claimed_at=at,
            attempts=models.F("attempts") + 1,
        )
        self.refresh_from_db()
        return bool(claimed)

    def give_link(self, link: SignInLink) -> None:
        """Record the link that this attempt sends."""
        self._update(link=link)

    def put_back(self, *, error: str, due_at: datetime, was_interrupted: bool) -> None:
        """Return the mail to the queue until `due_at`, with the reason."""
        self._update(
            state=MailState.QUEUED,
            error=error[:300],
            due_at=due_at,
            was_interrupted=self.was_interrupted or was_interrupted,
        )

    def mark_sent(self, *, at: datetime) -> None:
        """Record that the mail server accepted the mail."""
        self._update(state=MailState.SENT, sent_at=at, due_at=None, error="")

    def mark_failed(self, *, error: str) -> None:
        """Record why the mail was not sent and will not be."""
        self._update(state=MailState.FAILED, error=error[:300], due_at=None)

    def _update(self, **values: object) -> None:
        """Change the mail if this attempt still has it: another may have taken it after its lease."""
        held = Mail.objects.filter(pk=self.pk, state=MailState.SENDING, attempts=self.attempts)
        held.update(**values)
        self.refresh_from_db()
