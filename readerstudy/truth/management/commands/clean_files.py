"""Find or remove files that killed processes left behind."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.truth.actions.unnamed_files import find_unnamed_files, remove_unnamed_files


class Command(StudyCommand):
    help = (
        "Count image files that no row of the database names, and drafts, which killed imports and trainings have "
        "left. With --remove they are deleted. Files of the last day are left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove", action="store_true", help="delete these files; this cannot be undone")

    def handle(self, *args: Any, **options: Any) -> None:
        found = find_unnamed_files(at=now())
        size = found.bytes
        if options["remove"]:
            found = remove_unnamed_files(at=now())
        counts = {"images": len(found.images), "drafts": len(found.drafts), "bytes": size}
        text = f"{counts['images']} images without a row and {counts['drafts']} drafts, {size / 1e6:.1f} MB"
        end = " deleted." if options["remove"] else ". Delete them with --remove."
        self.show({**counts, "removed": options["remove"]}, text + end, as_json=options["json"])
