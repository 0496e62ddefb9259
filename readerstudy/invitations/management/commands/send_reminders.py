"""Remind readers."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.invitations.actions import send_due_reminders


class Command(StudyCommand):
    help = (
        "Remind the invited readers of open studies who could read and have not for some days. Run it once a day, "
        "for example by cron."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=int, help="days without a reading and without a mail; default: as each study says"
        )
        parser.add_argument("--url", default="", help="start of the addresses in the mails; default: PUBLIC_URL")

    def handle(self, *args: Any, **options: Any) -> None:
        base_url = options["url"] or settings.PUBLIC_URL
        if not base_url:
            raise BadInput("The mails need the address of the pages: give --url, or set PUBLIC_URL.")
        letters = send_due_reminders(at=now(), days=options["days"], base_url=base_url)
        rows = [
            {"reader": str(letter.mail.enrollment), "address": letter.mail.address, "state": letter.mail.state}
            for letter in letters
        ]
        text = "\n".join(f"{row['reader']} {row['address']}: {row['state']}" for row in rows) or "No reminder is due."
        self.show(rows, text, as_json=options["json"])
