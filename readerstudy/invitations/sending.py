"""Sending mails: by a worker that gets the number of a mail and nothing else, or in this process where there is none.

No message to a worker, no log and no row contains a link: it is made in the process that sends the mail, for one
attempt. `docs/decisions/0038-mails-are-sent-by-a-worker.md` says what a killed worker does.
"""

import logging
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from readerstudy.accounts.links import find_link, make_link
from readerstudy.celery import MAIL_QUEUE, app
from readerstudy.errors import StudyError
from readerstudy.invitations.letters import PLACEHOLDER, Letter, link_address, one_line, password_address
from readerstudy.invitations.models import LEASE, Mail, MailKind, MailState

# Names of tasks, see `tasks`.
SEND_MAIL: Final = "send-mail"
SEND_WAITING_MAILS: Final = "send-waiting-mails"
REMIND_READERS: Final = "remind-readers"
WARN_OF_TOKENS: Final = "warn-of-expiring-tokens"

# Before the second attempt, the third, …; a mail that fails after the last one has failed.
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
NOT_SENT: Final = (OSError, smtplib.SMTPException, ValueError)  # ValueError: a header with a line break
PERMANENT: Final = 500  # answers of a mail server from here on are final (RFC 5321, 4.2.1)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Text:
    """The text of one attempt, with its link if it has one."""

    body: str
    address: str = ""

    def without_link(self, message: str) -> str:
        """Return a server's message without the link: a server may repeat the text that it refuses."""
        for secret in (self.address, self.address.rstrip("/").rpartition("/")[2]):
            message = message.replace(secret, PLACEHOLDER) if secret else message
        return one_line(message)


def deliver(letters: Sequence[Letter], *, at: datetime) -> None:
    """Hand the waiting mails to a worker, or send them here if there is none. Raises nothing: a failure is a state.

    Called after the transaction that stored the mails. Without a worker nobody would try again: a failure is final.
    """
    waiting = [letter.mail for letter in letters if letter.mail.state == MailState.QUEUED]
    if settings.MAILS_BY_WORKER:
        _hand_over(waiting)
    elif waiting:
        _send_here(waiting, at=at)


def _send_here(mails: Sequence[Mail], *, at: datetime) -> None:
    connection = get_connection()
    try:
        for number, mail in enumerate(mails, start=1):
            if not send_mail(mail, at=at, connection=connection, is_tried_again=False):
                # Not one time-out after the other while somebody waits for the page.
                for other in mails[number:]:
                    if other.claim(at=at):
                        other.mark_failed(error=mail.error)
                return
    finally:
        connection.close()


def _hand_over(mails: Sequence[Mail]) -> None:
    try:
        for mail in mails:
            app.send_task(SEND_MAIL, kwargs={"mail_id": mail.pk}, queue=MAIL_QUEUE)
    except OperationalError as error:
        # The rows wait; `send_waiting_mails` finds them.
        log.warning("The broker took no message for %d mails: %s", len(mails), type(error).__name__)


def send_waiting_mails(*, clock: Callable[[], datetime]) -> list[Mail]:
    """Try to send every mail that is due, or whose attempt was interrupted; return those that were tried.

    Does again what a lost message, an earlier failure or a killed worker left undone. Stops if there is no server.
    """
    at = clock()
    due = Q(state=MailState.QUEUED, due_at__lte=at) | Q(state=MailState.SENDING, claimed_at__lte=at - LEASE)
    tried: list[Mail] = []
    connection = get_connection()
    try:
        for mail in Mail.objects.filter(due).order_by("pk"):
            tried.append(mail)
            if not send_mail(mail, at=clock(), connection=connection):
                break
    finally:
        connection.close()
    return tried


def send_mail(mail: Mail, *, at: datetime, connection: Any = None, is_tried_again: bool = True) -> bool:
    """Send one mail, unless another process has it or it is over; return False if the server cannot be reached.

    Running it again is harmless: each attempt needs the row, and what happened is recorded there. Raises nothing of
    SMTP. `is_tried_again`: a failure that may pass returns the mail to the queue.
    """
    if not mail.claim(at=at):
        return True
    server = connection or get_connection()
    try:
        server.open()
    except NOT_SENT as error:
        _record_failure(mail, error, _Text(mail.body), at=at, is_tried_again=is_tried_again, is_handed_over=False)
        return False
    try:
        _attempt(mail, server, at=at, is_tried_again=is_tried_again)
    finally:
        if connection is None:
            server.close()
    return True


def _attempt(mail: Mail, server: Any, *, at: datetime, is_tried_again: bool) -> None:
    try:
        text = _complete(mail, at=at)
    except StudyError as error:
        mail.mark_failed(error=str(error))
        return
    try:
        _message(mail, text, server).send()
    except NOT_SENT as error:
        server.close()  # its state is unknown
        _record_failure(mail, error, text, at=at, is_tried_again=is_tried_again, is_handed_over=True)
    else:
        mail.mark_sent(at=at)


@transaction.atomic
def _complete(mail: Mail, *, at: datetime) -> _Text:
    """Return the text with a new link. Raises StudyError if the person must not get the mail any more."""
    _require_wanted(mail, at=at)
    if mail.kind in (MailKind.MESSAGE, MailKind.NOTICE):
        return _Text(mail.body)
    if mail.kind == MailKind.PASSWORD:
        address = password_address(mail.base_url, mail.person)
        return _Text(mail.body.replace(PLACEHOLDER, address), address)
    token = make_link(user=mail.person, actor=mail.created_by, at=at, expires_at=mail.link_expires_at)
    link = find_link(token)
    assert link is not None  # made above
    mail.give_link(link)
    address = link_address(mail.base_url, token)
    return _Text(mail.body.replace(PLACEHOLDER, address), address)


def _require_wanted(mail: Mail, *, at: datetime) -> None:
    if mail.attempts > len(PAUSES) + 1:
        raise StudyError(_("The process that sent it stopped %(count)d times.") % {"count": mail.attempts - 1})
    if mail.link_expires_at and mail.link_expires_at <= at:
        raise StudyError(_("Its link would have expired."))
    if mail.enrollment and mail.enrollment.withdrawn_at:
        raise StudyError(_("%(reader)s has been withdrawn and gets no mails.") % {"reader": mail.enrollment.code})


def _message(mail: Mail, text: _Text, connection: Any) -> EmailMessage:
    reply_to = [mail.reply_to] if mail.reply_to else None
    return EmailMessage(mail.subject, text.body, to=[mail.address], reply_to=reply_to, connection=connection)


def _record_failure(
    mail: Mail, error: Exception, text: _Text, *, at: datetime, is_tried_again: bool, is_handed_over: bool
) -> None:
    log.warning("Mail %s was not sent: %s", mail.pk, type(error).__name__)
    reason = text.without_link(_words(error) or type(error).__name__)
    pause = PAUSES[mail.attempts - 1] if mail.attempts <= len(PAUSES) else None
    if not is_tried_again or pause is None or (is_handed_over and _is_final(error)):
        mail.mark_failed(error=reason)
        return
    # A connection that broke during the transfer: the server may have the mail.
    is_uncertain = is_handed_over and not isinstance(
        error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused
    )
    mail.put_back(error=reason, due_at=at + pause, was_interrupted=is_uncertain)


def _words(error: Exception) -> str:
    """Return what the server said: its code and its text."""
    answers: list[tuple[int, bytes | str]]
    match error:
        case smtplib.SMTPRecipientsRefused():
            answers = list(error.recipients.values())
        case smtplib.SMTPResponseException():
            answers = [(error.smtp_code, error.smtp_error)]
        case _:
            return str(error)
    return "; ".join(
        f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}" for code, said in answers
    )


def _is_final(error: Exception) -> bool:
    """Return whether trying again is useless: the server refused for good, or the mail cannot be written."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= PERMANENT for code, _text in error.recipients.values())
        case smtplib.SMTPResponseException():
            return int(error.smtp_code) >= PERMANENT
        case _:
            return isinstance(error, ValueError) and not isinstance(error, OSError)
