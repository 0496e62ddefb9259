"""Delete images that were sent for an import a day ago or earlier."""

from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.image_import.actions import remove_old_uploads


class Command(StudyCommand):
    help = "Delete files that were sent for an import more than a day ago. Run it once a day, for example by cron."

    def handle(self, *args: Any, **options: Any) -> None:
        removed = remove_old_uploads(at=now())
        self.show({"removed": removed}, f"{removed} uploads deleted.", as_json=options["json"])
