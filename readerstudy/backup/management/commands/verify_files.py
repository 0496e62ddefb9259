"""`manage.py verify_files`: compare rows, files and hashes."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from readerstudy.backup.inventory import Inventory, delete_orphans, take_inventory
from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError

SHOWN = 20


class Command(StudyCommand):
    help = (
        "Compare every picture and every network with its row: files that are missing, that were changed, and that "
        "belong to no row. The exit code is 0 only if no file is missing or was changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="compare names and sizes; read no file")
        parser.add_argument("--clean", action="store_true", help="delete files without a row that are older than a day")
        parser.add_argument("--yes", action="store_true", help="do not ask before deleting")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.bar("Files") as advance:
            found = take_inventory(reads=not options["quick"], advance=advance)
        deleted = self._clean(found, asks=not options["yes"]) if options["clean"] and found.orphaned else 0
        data = {**asdict(found), "deleted": deleted, "passed": found.agrees}
        self.show(data, _as_text(found, deleted), as_json=options["json"])
        if not found.agrees:
            raise CommandError("Files are missing or were changed. Take them from a backup.")

    def _clean(self, found: Inventory, *, asks: bool) -> int:
        if asks:
            self.stderr.write("\n".join(found.orphaned[:SHOWN]))
            if not sys.stdin.isatty():
                raise StudyError("Nobody can be asked here; say --yes.")
            if input(f"Delete {len(found.orphaned)} files without a row? Type yes: ").strip().lower() != "yes":
                raise StudyError("Nothing was changed.")
        return delete_orphans(found.orphaned)


def _as_text(found: Inventory, deleted: int) -> str:
    lines = [f"{found.files} files of rows, {found.bytes:,} bytes."]
    kinds = (("missing", found.missing, "FAILED"), ("changed", found.changed, "FAILED"))
    for title, names, state in (*kinds, ("without a row", found.orphaned, "--clean deletes them")):
        lines.append(f"{title:<34} {len(names):>8}  {state if names else 'ok'}")
        lines += [f"    {name}" for name in names[:SHOWN]]
        lines += [f"    and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    if found.recent:
        lines.append(f"{found.recent} files without a row are newer than a day; an import may be at work on them.")
    if deleted:
        lines.append(f"{deleted} files without a row were deleted.")
    return "\n".join(lines)
