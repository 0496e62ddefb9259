"""Letters: the texts of mails in the reader's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db.models import Sum
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import override

from readerstudy.accounts.links import DAYS, find_link, link_expiry, make_link, require_active
from readerstudy.accounts.models import User
from readerstudy.invitations.models import Mail, MailKind, MailState
from readerstudy.studies.models import Enrollment

PLACEHOLDER: Final = "[[sign-in link]]"  # in the stored text
MAXIMUM_SUBJECT: Final = 250


@dataclass(frozen=True)
class Terms:
    """What holds for all letters of one request: where the pages are, the language, and the days of the links."""

    base_url: str
    language: str
    days: int = DAYS
    by_hand: bool = False


@dataclass(frozen=True)
class Letter:
    """A mail, and its complete text if it is to be sent by hand. A text with a link exists only in memory."""

    mail: Mail
    text: str = ""


def write_letter(
    *,
    person: User,
    enrollment: Enrollment | None,
    kind: MailKind,
    sender: User | None,
    actor: User | None,
    at: datetime,
    terms: Terms,
    expires_at: datetime | None = None,
) -> Letter:
    """Write a mail with a link for the person; nothing is sent yet.

    The link is made when the mail is sent, at once for a text to send by hand: what waits contains no link.
    `sender` is the coordinator named in the text, `actor` the person who acts now. Raises NotAllowed if the account
    is deactivated.
    """
    require_active(person)
    expires_at = expires_at or link_expiry(at=at, days=terms.days)
    with override(terms.language):
        context = _context(person, enrollment, sender, expires_at=expires_at)
        subject = one_line(_subject(kind, context["title"]))[:MAXIMUM_SUBJECT]
        body = render_to_string(f"invitations/{kind.value}.txt", context).strip() + "\n"
    is_sent = bool(settings.SENDS_MAIL and person.email and not terms.by_hand)
    text, link = "", None
    if not is_sent:
        token = make_link(user=person, actor=actor, at=at, days=terms.days)
        text, link = body.replace(PLACEHOLDER, link_address(terms.base_url, token)), find_link(token)
    mail = Mail.objects.create(
        person=person, enrollment=enrollment, link=link, address=person.email, kind=kind, subject=subject, body=body,
        link_expires_at=expires_at, base_url=terms.base_url, reply_to=sender.email if sender else "",
        **_waiting(is_sent, at), created_at=at, created_by=actor,
    )  # fmt: skip
    return Letter(mail, text)


def _waiting(is_sent: bool, at: datetime) -> dict[str, Any]:
    return {"state": MailState.QUEUED, "due_at": at} if is_sent else {"state": MailState.BY_HAND}


def link_address(base_url: str, token: str) -> str:
    """Return the address of a sign-in link."""
    return base_url.rstrip("/") + reverse("accounts:sign_in_by_link", args=[token])


def password_address(base_url: str, person: User) -> str:
    """Return the address at which the person can choose a new password, once and for `PASSWORD_RESET_TIMEOUT`."""
    key = urlsafe_base64_encode(str(person.pk).encode())
    return base_url.rstrip("/") + reverse("new_password", args=[key, default_token_generator.make_token(person)])


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
    mail = Mail.objects.create(
        person=person, enrollment=enrollment, address=person.email, kind=MailKind.MESSAGE, subject=subject, body=body,
        reply_to=sender.email, **_waiting(bool(settings.SENDS_MAIL and person.email), at), created_at=at,
        created_by=sender,
    )  # fmt: skip
    return Letter(mail, body)


def _subject(kind: MailKind, title: str) -> str:
    match kind:
        case MailKind.INVITATION:
            return _("Invitation to the reader study “%(title)s”") % {"title": title}
        case MailKind.REMINDER:
            return _("Reminder: your sessions in the reader study “%(title)s”") % {"title": title}
        case MailKind.NEW_LINK:
            return _("Your new sign-in link")
        case MailKind.ACCOUNT:
            return _("Your account for reader studies")
        case MailKind.PASSWORD:
            return _("Choose a new password")
        case MailKind.NOTICE:
            return _("A change of your sign-in")
        case MailKind.MESSAGE:
            return _("Message about the reader study “%(title)s”") % {"title": title}


def _context(
    person: User, enrollment: Enrollment | None, sender: User | None, *, expires_at: datetime
) -> dict[str, Any]:
    """Return the values of the text. Nothing here depends on what is in the images."""
    plans = enrollment.study.session_plans.all() if enrollment else None
    return {
        "name": one_line(person.get_full_name()),
        "username": person.username,
        "role": person.get_role_display(),
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
