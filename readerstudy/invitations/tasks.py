"""Celery tasks that send mails and remind readers. They get numbers of rows, never a text or a link."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils.timezone import now

from readerstudy.invitations.actions import send_due_reminders
from readerstudy.invitations.models import Mail
from readerstudy.invitations.notices import warn_of_expiring_tokens
from readerstudy.invitations.sending import (
    REMIND_READERS,
    SEND_MAIL,
    SEND_WAITING_MAILS,
    WARN_OF_TOKENS,
    send_mail,
    send_waiting_mails,
)

log = logging.getLogger(__name__)


@shared_task(name=SEND_MAIL)
def send_mail_task(mail_id: int) -> None:
    """Send one mail. An extra message has no effect."""
    send_mail(Mail.objects.get(pk=mail_id), at=now())


@shared_task(name=SEND_WAITING_MAILS)
def send_waiting_mails_task() -> None:
    """Send the mails that are due."""
    send_waiting_mails(clock=now)


@shared_task(name=REMIND_READERS)
def remind_readers_task() -> None:
    """Remind the readers of open studies, as each study says."""
    if not (settings.SENDS_MAIL and settings.PUBLIC_URL):
        log.warning("No reader is reminded: reminders need EMAIL_URL and PUBLIC_URL.")
        return
    send_due_reminders(at=now(), base_url=settings.PUBLIC_URL)


@shared_task(name=WARN_OF_TOKENS)
def warn_of_tokens_task() -> None:
    """Write to the owners of API tokens that expire soon. Running it again writes nothing twice."""
    warn_of_expiring_tokens(at=now())
