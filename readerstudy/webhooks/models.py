"""Webhooks, what is delivered to them, and every attempt. The row of a delivery is the queue, as that of a mail is."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import Role
from readerstudy.studies.models import Study, StudyMember

LEASE: Final = timedelta(minutes=10)  # of an attempt; afterwards its process is taken for dead
LONGEST_URL: Final = 500
SECRET_PREFIX: Final = "whsec_"  # of Standard Webhooks


def new_salt() -> str:
    """Return 32 random bytes as text."""
    return secrets.token_hex(32)


class Fact(models.TextChoices):
    """What a webhook tells, by the `type` of the message."""

    SESSION_FINISHED = "session.finished", _("A reader finished a session")
    STUDY_CLOSED = "study.closed", _("The study was closed")
    JOB_ENDED = "job.ended", _("A job is done, failed or cancelled")
    TEST = "test", _("Test")


OF_STUDY: Final = (Fact.SESSION_FINISHED, Fact.STUDY_CLOSED)
OF_ACCOUNT: Final = (Fact.JOB_ENDED,)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Sets of webhooks."""

    def live(self) -> "WebhookQuerySet":
        """Those that get messages: not ended, and their owner may still see what they tell."""
        member = StudyMember.objects.filter(
            study=models.OuterRef("study"), person=models.OuterRef("owner"), removed_at=None
        )
        may_see = models.Q(study=None) | models.Q(owner__is_superuser=True) | models.Exists(member)
        return self.filter(may_see, ended_at=None, owner__is_active=True).exclude(owner__role=Role.READER)


class Webhook(models.Model):
    """An address that receives facts of one study, or of the jobs of its owner if it has no study.

    Its secret is stored nowhere: it is derived from SECRET_KEY and the salt. An ended webhook gets nothing more.
    """

    study = models.ForeignKey(Study, models.CASCADE, null=True, related_name="webhooks", verbose_name=_("study"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by"))
    url = models.CharField(_("address"), max_length=LONGEST_URL)
    facts = ArrayField(models.CharField(max_length=32, choices=Fact.choices), verbose_name=_("tells"))
    salt = models.CharField(max_length=64, default=new_salt, editable=False)
    made_at = models.DateTimeField(_("made"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("webhook")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(study=None, facts__contained_by=[*OF_ACCOUNT])
                | models.Q(study__isnull=False, facts__contained_by=[*OF_STUDY]),
                name="webhook_facts_agree",
            ),
        ]

    def __str__(self) -> str:
        return f"webhook {self.pk}"

    @property
    def secret(self) -> str:
        """The secret that signs the messages, as Standard Webhooks writes it. It is shown once, when it is made."""
        key = salted_hmac("readerstudy.webhooks", self.salt, algorithm="sha256").digest()
        return SECRET_PREFIX + base64.b64encode(key).decode()

    def end(self, *, at: datetime) -> bool:
        """Stop all deliveries; return whether the webhook had not ended before."""
        ended = Webhook.objects.filter(pk=self.pk, ended_at=None).update(ended_at=at)
        self.refresh_from_db()
        return bool(ended)


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    DELIVERED = "delivered", _("Delivered")
    GIVEN_UP = "given_up", _("Given up")


class Delivery(models.Model):
    """One message to one webhook. Its id and its text never change, however often it is sent."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    fact = models.CharField(_("tells"), max_length=32, choices=Fact.choices)
    source = models.CharField(max_length=64)  # the row that the fact is; one message for each
    body = models.TextField(_("text"))
    state = models.CharField(_("state"), max_length=16, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    made_at = models.DateTimeField(_("made"))
    due_at = models.DateTimeField(_("next attempt"), null=True)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)  # since it was last put into the queue

    class Meta:
        ordering = ["-made_at"]
        verbose_name = _("delivery")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "source"], name="fact_told_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending"], due_at__isnull=False)
                | ~models.Q(state__in=["waiting", "sending"]) & models.Q(due_at=None),
                name="delivery_due_at_agrees",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=["waiting", "sending"]), name="delivery_waiting"
            ),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def message_id(self) -> str:
        """The id that receivers see. It is the same for every attempt."""
        return f"msg_{self.pk.hex}"

    def claim(self, *, at: datetime) -> bool:
        """Take the message for one attempt; return whether this process has it now.

        Possible for one that is due, and for one whose last attempt ended without a result. Not for an ended webhook.
        """
        due = models.Q(state=DeliveryState.WAITING, due_at__lte=at)
        abandoned = models.Q(state=DeliveryState.SENDING, claimed_at__lte=at - LEASE)
        claimed = Delivery.objects.filter(due | abandoned, pk=self.pk, webhook__ended_at=None).update(
            state=DeliveryState.SENDING, claimed_at=at, tries=models.F("tries") + 1
        )
        self.refresh_from_db()
        return bool(claimed)

    def mark_delivered(self) -> None:
        """Record that the receiver took it."""
        self._update(state=DeliveryState.DELIVERED, due_at=None)

    def put_back(self, *, due_at: datetime) -> None:
        """Return it to the queue until `due_at`."""
        self._update(state=DeliveryState.WAITING, due_at=due_at)

    def give_up(self) -> None:
        """Record that it will not be tried again by itself."""
        self._update(state=DeliveryState.GIVEN_UP, due_at=None)

    def send_again(self, *, at: datetime) -> bool:
        """Put a message that is over back into the queue; return False if it is not over, or its webhook has ended."""
        over = Delivery.objects.filter(pk=self.pk, state__in=["delivered", "given_up"], webhook__ended_at=None)
        again = over.update(state=DeliveryState.WAITING, due_at=at, tries=0)
        self.refresh_from_db()
        return bool(again)

    def _update(self, **values: Any) -> None:
        """Change it if this attempt still has it: another may have taken it after its lease."""
        held = Delivery.objects.filter(pk=self.pk, state=DeliveryState.SENDING, claimed_at=self.claimed_at)
        held.update(**values)
        self.refresh_from_db()


class Attempt(models.Model):
    """One request to a receiver, and how it ended. Nothing of the receiver's answer is kept but its status."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("time"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)  # None: no answer
    error = models.CharField(_("reason"), max_length=200, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("attempt")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.at:%Y-%m-%d %H:%M}"
