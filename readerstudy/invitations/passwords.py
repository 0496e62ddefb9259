"""Forgotten passwords: a mail with a link to choose a new one."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.invitations.letters import Terms, write_letter
from readerstudy.invitations.models import Mail, MailKind
from readerstudy.invitations.sending import deliver

BETWEEN_REQUESTS: Final = timedelta(minutes=5)


@transaction.atomic
def ask_for_password(*, email: str, at: datetime, terms: Terms) -> None:
    """Write to every active account with this mail address, at most once in five minutes.

    Nothing is returned: the caller must not show whether there is one. Without a mail server nothing happens, because
    nobody else may see such a link.
    """
    if not settings.SENDS_MAIL:
        return
    expires_at = at + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    people = User.objects.select_for_update().filter(email__iexact=email.replace("\0", ""), is_active=True)
    letters = []
    for person in people.order_by("pk"):
        if Mail.objects.filter(person=person, kind=MailKind.PASSWORD, created_at__gt=at - BETWEEN_REQUESTS).exists():
            continue
        letters.append(
            write_letter(
                person=person,
                enrollment=None,
                kind=MailKind.PASSWORD,
                sender=None,
                actor=None,
                at=at,
                terms=terms,
                expires_at=expires_at,
            )
        )
        record("password.asked", actor=None, subject=person, at=at)
    after_commit(deliver, letters, at=at)
