"""Send the mails that wait."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.invitations.models import MailState
from readerstudy.invitations.sending import send_waiting_mails


class Command(StudyCommand):
    help = (
        "Send the mails that are due: those that no worker took, that failed and are tried again, or whose sending was "
        "interrupted. `work --queue mail --beat` does so each minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        mails = send_waiting_mails(clock=now)
        rows = [{"mail": mail.pk, "address": mail.address, "state": mail.state, "error": mail.error} for mail in mails]
        text = "\n".join(f"{row['address']}: {row['state']} {row['error']}".strip() for row in rows)
        self.show(rows, text or "No mail is due.", as_json=options["json"])
        unsent = sum(mail.state != MailState.SENT for mail in mails)
        if unsent:
            raise BadInput(f"{unsent} of {len(mails)} mails were not sent.")
