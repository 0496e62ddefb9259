"""Letters: the texts of mails in the reader's language, and their sending."""

import logging
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Sum
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.links import DAYS, find_link, make_link
from readerstudy.accounts.models import User
from readerstudy.invitations.models import Mail, MailKind, MailState
from readerstudy.studies.models import Enrollment

PLACEHOLDER: Final = "[[sign-in link]]"  # in the stored text
MAXIMUM_SUBJECT: Final = 250
NOT_SENT: Final = (OSError, smtplib.SMTPException, ValueError)  # ValueError: a header with a line break
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Terms:
    """What holds for all letters of one request: where the pages are, the language, and the days of the links."""

    base_url: str
    language: str
    days: int = DAYS
    by_hand: bool = False


@dataclass(frozen=True)
class Letter:
    """A mail with its complete text, which exists only in memory."""

    mail: Mail
    text: str
    reply_to: str  # the address of the coordinator who is named in the text, may be empty


def write_letter(
    *,
    person: User,
    enrollment: Enrollment | None,
    kind: MailKind,
    sender: User | None,
    actor: User | None,
    at: datetime,
    terms: Terms,
) -> Letter:
    """Make a link for the person and the mail that contains it; nothing is sent yet.

    `sender` is the coordinator named in the text, `actor` the person who acts now. Raises NotAllowed if the account
    is deactivated.
    """
    token = make_link(user=person, actor=actor, at=at, days=terms.days)
    link = find_link(token)
    assert link is not None  # made above
    with override(terms.language):
        context = _context(person, enrollment, sender, expires_at=link.expires_at)
        subject = one_line(_subject(kind, context["title"]))[:MAXIMUM_SUBJECT]
        body = render_to_string(f"invitations/{kind.value}.txt", context).strip() + "\n"
    is_sent = settings.SENDS_MAIL and person.email and not terms.by_hand
    mail = Mail.objects.create(
        person=person, enrollment=enrollment, link=link, address=person.email, kind=kind, subject=subject, body=body,
        state=MailState.QUEUED if is_sent else MailState.BY_HAND, created_at=at, created_by=actor,
    )  # fmt: skip
    address = terms.base_url.rstrip("/") + reverse("accounts:sign_in_by_link", args=[token])
    return Letter(mail, body.replace(PLACEHOLDER, address), sender.email if sender else "")


def write_message(*, enrollment: Enrollment, text: str, sender: User, at: datetime, terms: Terms) -> Letter:
    """Make the mail with a message from the desk; it has no link, and nothing is sent yet."""
    person = enrollment.reader
    with override(terms.language):
        title = one_line(enrollment.study.title)
        context = {
            "name": one_line(person.get_full_name()),
            "title": title,
            "text": text,
            "sender": one_line(sender.get_full_name() or sender.username),
            "contact": sender.email,
            "home": terms.base_url,
        }
        subject = one_line(_subject(MailKind.MESSAGE, title))[:MAXIMUM_SUBJECT]
        body = render_to_string("invitations/message.txt", context).strip() + "\n"
    state = MailState.QUEUED if settings.SENDS_MAIL and person.email else MailState.BY_HAND
    mail = Mail.objects.create(
        person=person, enrollment=enrollment, link=None, address=person.email, kind=MailKind.MESSAGE,
        subject=subject, body=body, state=state, created_at=at, created_by=sender,
    )  # fmt: skip
    return Letter(mail, body, sender.email)


def _subject(kind: MailKind, title: str) -> str:
    match kind:
        case MailKind.INVITATION:
            return _("Invitation to the reader study “%(title)s”") % {"title": title}
        case MailKind.REMINDER:
            return _("Reminder: your sessions in the reader study “%(title)s”") % {"title": title}
        case MailKind.NEW_LINK:
            return _("Your new sign-in link")
        case MailKind.MESSAGE:
            return _("Message about the reader study “%(title)s”") % {"title": title}


def _context(
    person: User, enrollment: Enrollment | None, sender: User | None, *, expires_at: datetime
) -> dict[str, Any]:
    """Return the values of the text. Nothing here depends on what is in the images."""
    plans = enrollment.study.session_plans.all() if enrollment else None
    return {
        "name": one_line(person.get_full_name()),
        "title": one_line(enrollment.study.title) if enrollment else "",
        "sessions": plans.count() if plans is not None else 0,
        "images": plans.aggregate(images=Sum("total"))["images"] or 0 if plans is not None else 0,
        "sender": one_line(sender.get_full_name() or sender.username) if sender else "",
        "contact": sender.email if sender else "",
        "link": PLACEHOLDER,
        "expires_at": expires_at,
    }


def one_line(text: str) -> str:
    """Return the text without line breaks and repeated blanks."""
    return " ".join(text.split())


def deliver(letters: Sequence[Letter], *, at: datetime) -> None:
    """Send the letters that wait for it and record for each what happened. Raises nothing: a failure is a state.

    Called after the transaction that stored the mails, so that no mail contains a link that was rolled back.
    """
    waiting = [letter for letter in letters if letter.mail.state == MailState.QUEUED]
    if not waiting:
        return
    connection = get_connection()
    try:
        connection.open()
    except NOT_SENT as error:
        for letter in waiting:
            _fail(letter, error)
        return
    try:
        for letter in waiting:
            _send(letter, connection, at=at)
    finally:
        connection.close()


def _send(letter: Letter, connection: Any, *, at: datetime) -> None:
    mail = letter.mail
    message = EmailMessage(
        mail.subject,
        letter.text,
        to=[mail.address],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        connection=connection,
    )
    try:
        message.send()
    except NOT_SENT as error:
        _fail(letter, error)
    else:
        mail.mark_sent(at=at)


def _fail(letter: Letter, error: Exception) -> None:
    # A server may repeat the text that it refuses.
    reason = one_line(str(error) or type(error).__name__).replace(_link_in(letter), PLACEHOLDER)
    log.warning("Mail %s was not sent: %s", letter.mail.pk, type(error).__name__)
    letter.mail.mark_failed(error=reason)


def _link_in(letter: Letter) -> str:
    """Return the address that stands in the place of the placeholder."""
    before, _placeholder, after = letter.mail.body.partition(PLACEHOLDER)
    return letter.text[len(before) : len(letter.text) - len(after)]
