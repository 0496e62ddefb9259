"""Send messages from the desk to readers: on their start page, and by mail."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.after_commit import after_commit
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.invitations.letters import Letter, Terms, write_message
from readerstudy.invitations.sending import deliver
from readerstudy.participation.models import LONGEST_MESSAGE, Message, MessageDelivery
from readerstudy.studies.models import Enrollment, Study


@transaction.atomic
def send_message(
    *, study: Study, enrollments: Sequence[Enrollment], text: str, actor: User, at: datetime, terms: Terms
) -> Message:
    """Put a message on the start page of these readers and write it to them; the mails are sent after the commit.

    The mails have no sign-in link, so that links that readers have stay valid. Raises BadInput without a text, without
    readers, or for a reader who was withdrawn or is in another study.
    """
    text = text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= LONGEST_MESSAGE or "\0" in text:
        raise BadInput(_("Write a message of at most %(most)d characters.") % {"most": LONGEST_MESSAGE})
    keys = {each.pk for each in enrollments}
    rows = Enrollment.objects.filter(pk__in=keys, study=study, withdrawn_at=None).select_related("study", "reader")
    readers = list(rows.select_related("invitation").order_by("pk"))
    if not keys or len(readers) < len(keys):
        raise BadInput(_("Choose at least one reader who takes part in the study."))
    message = Message.objects.create(study=study, text=text, sent_at=at, sent_by=actor)
    MessageDelivery.objects.bulk_create(MessageDelivery(message=message, enrollment=each) for each in readers)
    letters: list[Letter] = []
    for each in readers:
        language = each.invitation.language if hasattr(each, "invitation") else terms.language
        own = Terms(base_url=terms.base_url, language=language)
        letters.append(write_message(enrollment=each, text=text, sender=actor, at=at, terms=own))
    codes = [each.code for each in readers]
    record("message.sent", actor=actor, subject=study, at=at, message=message.pk, readers=codes)
    after_commit(deliver, letters, at=at)
    return message
