"""Write to the owners of API tokens that expire soon."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.invitations.notices import warn_of_expiring_tokens


class Command(StudyCommand):
    help = "Write a mail to the owner of each API token that expires within a week, once. Run it once a day, by cron."

    def handle(self, *args: Any, **options: Any) -> None:
        letters = warn_of_expiring_tokens(at=now())
        rows = [{"person": letter.mail.person.username, "state": letter.mail.state} for letter in letters]
        text = "\n".join(f"{row['person']}: {row['state']}" for row in rows) or "No token expires soon."
        self.show(rows, text, as_json=options["json"])
