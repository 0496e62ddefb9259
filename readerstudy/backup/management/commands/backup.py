"""`manage.py backup FOLDER`: make a backup, or check one."""

from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from readerstudy.backup.checking import check_backup
from readerstudy.backup.keys import write_keys
from readerstudy.backup.making import MadeBackup, make_backup
from readerstudy.backup.manifest import newest_backup
from readerstudy.commands import StudyCommand

SHOWN = 20


class Command(StudyCommand):
    help = (
        "Back up the database and the files into a new folder below FOLDER, while everybody goes on working. Files "
        "that the backup before has are linked. The keys are not part of a backup. With --verify: read the newest "
        "backup in FOLDER, or the backup FOLDER, and compare every file with its signed manifest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where the backups are")
        parser.add_argument("--verify", action="store_true", help="check a backup instead of making one")
        parser.add_argument("--keep", type=_at_least_one, metavar="N", help="delete all but the N newest afterwards")
        parser.add_argument("--full", action="store_true", help="copy every file again; link none")
        parser.add_argument(
            "--keys", type=Path, metavar="FILE", help="also write the keys to a new file, outside FOLDER"
        )
        parser.add_argument("--pg-bin", type=Path, metavar="DIR", help="folder of pg_dump (default: found)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verify"]:
            return self._verify(options)
        if options["keys"]:
            write_keys(options["keys"], apart_from=options["folder"])
        with self.bar("Backup") as advance:
            made = make_backup(
                options["folder"],
                at=now(),
                keep=options["keep"],
                full=options["full"],
                pg_bin=options["pg_bin"],
                advance=advance,
            )
        self.show(_as_data(made), _as_text(made, keys=options["keys"]), as_json=options["json"])

    def _verify(self, options: dict[str, Any]) -> None:
        folder = newest_backup(options["folder"])
        with self.bar(f"Backup {folder.name}") as advance:
            checked = check_backup(folder, pg_bin=options["pg_bin"], advance=advance)
        data = {**asdict(checked), "folder": str(folder), "passed": not checked.findings}
        lines = [f"{folder}, made at {checked.at}: {checked.files} files, {checked.bytes:,} bytes."]
        lines += [f"  {finding}" for finding in checked.findings[:SHOWN]]
        lines += [f"  and {len(checked.findings) - SHOWN} more"] if len(checked.findings) > SHOWN else []
        self.show(data, "\n".join(lines), as_json=options["json"])
        if checked.findings:
            raise CommandError(f"The backup {folder} is damaged; it cannot be restored as a whole.")


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1.")
    return int(text)


def _as_data(made: MadeBackup) -> dict[str, Any]:
    return {
        "folder": str(made.folder),
        "database_bytes": made.database_bytes,
        "heads": made.heads,
        **asdict(made.copied),
        "deleted": list(made.deleted),
    }


def _as_text(made: MadeBackup, *, keys: Path | None) -> str:
    copied = made.copied
    lines = [
        f"{made.folder}: database {made.database_bytes:,} bytes, {copied.files} files of {copied.bytes:,} bytes "
        f"({copied.new_files} of them new: {copied.new_bytes:,} bytes), {made.heads} signed heads.",
        *(f"Deleted: {name}" for name in made.deleted),
    ]
    if keys:
        lines.append(f"{keys} has the keys. Keep it apart from the backups, where few people can read it.")
    else:
        lines.append("The keys are not in it: keep them apart (--keys writes them to a file).")
    lines.append("What is acknowledged from now on is not in this backup.")
    return "\n".join(lines)
