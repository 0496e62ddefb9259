"""Deliver the messages to webhooks that wait."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.webhooks.models import DeliveryState
from readerstudy.webhooks.sending import send_waiting


class Command(StudyCommand):
    help = (
        "Deliver the messages to webhooks that are due: those that no worker took, that failed and are tried again, or "
        "whose attempt was interrupted. `work --queue mail --beat` does so each minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        tried = send_waiting(clock=now)
        rows = [{"message": each.message_id, "webhook": each.webhook_id, "state": each.state} for each in tried]
        text = "\n".join(f"{row['message']}: {row['state']}" for row in rows)
        self.show(rows, text or "No message is due.", as_json=options["json"])
        undelivered = sum(each.state != DeliveryState.DELIVERED for each in tried)
        if undelivered:
            raise BadInput(f"{undelivered} of {len(tried)} messages were not delivered.")
