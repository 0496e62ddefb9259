"""Sign the heads of all records."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.invitations.tree_heads import sign_all_heads
from readerstudy.record.heads import head_data


class Command(StudyCommand):
    help = (
        "Sign the heads of the records that have grown, write them to record/heads.jsonl under VAR_DIR, and mail them "
        "to the coordinators of each study. Run it once a day, for example by cron."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        signed = sign_all_heads(at=now())
        rows = [{**head_data(head), "mails": mails} for head, mails in signed]
        lines = [f"{row['log'] or '(no study)'}: {row['size']} entries, {row['mails']} mails" for row in rows]
        self.show(rows, "\n".join(lines) or "No record has grown.", as_json=options["json"])
