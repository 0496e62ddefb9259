"""`manage.py restore FOLDER`: restore a backup into this installation."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from readerstudy.backup.keys import read_keys
from readerstudy.backup.manifest import newest_backup
from readerstudy.backup.restoring import RestorePlan, VerifiedStudy, plan_restore, restore
from readerstudy.commands import StudyCommand
from readerstudy.errors import StudyError

SHOWN = 20


class Command(StudyCommand):
    help = (
        "Restore the backup FOLDER, or the newest one in FOLDER, into this installation, whose database and folders "
        "must be empty. Each file is compared with its hash, the database is migrated and its roles get their rights, "
        "and the record of every study is verified. Stop the web processes and the workers first."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="delete the database that is there; move files aside"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--keys", type=Path, metavar="FILE", help="keys of the backup, for an embedded installation"
        )
        parser.add_argument("--other-keys", action="store_true", help="go without the keys of the backup")
        parser.add_argument("--pg-bin", type=Path, metavar="DIR", help="folder of pg_restore and psql (default: found)")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = read_keys(options["keys"]) if options["keys"] else None
        plan = plan_restore(
            newest_backup(options["folder"]),
            replaces=options["replace"],
            keys=keys,
            other_keys=options["other_keys"],
            pg_bin=options["pg_bin"],
        )
        if not options["yes"]:
            self._ask(plan)
        with self.bar("Restore") as advance:
            studies = restore(plan, at=now(), keys=keys, advance=advance)
        passed = not any(study.findings for study in studies)
        rows = [{"study": study.code, "entries": study.entries, "findings": study.findings} for study in studies]
        data = {"backup": str(plan.folder), "passed": passed, "records": rows}
        self.show(data, _table(plan, studies), as_json=options["json"])
        if not passed:
            raise CommandError("Not every record agrees. The data are restored; see verify_study CODE.")

    def _ask(self, plan: RestorePlan) -> None:
        made = plan.manifest
        self.stderr.write(
            f"Backup of {made['at']}: {made['database']['bytes']:,} bytes of database, {made['files']['count']} files. "
            "What was acknowledged after it is not in it."
        )
        if plan.tables or plan.full_folders:
            moved = ", ".join(plan.full_folders) or "none"
            self.stderr.write(
                f"DELETED: the database, {plan.tables} tables. Moved aside: the folders of files ({moved})."
            )
        if not sys.stdin.isatty():
            raise StudyError("Nobody can be asked here; say --yes.")
        if input("Restore it? Type yes: ").strip().lower() != "yes":
            raise StudyError("Nothing was changed.")


def _table(plan: RestorePlan, studies: list[VerifiedStudy]) -> str:
    lines = [f"Restored {plan.folder}, made at {plan.manifest['at']}.", "", f"{'record':<34} {'entries':>8}"]
    for study in studies:
        state = "FAILED" if study.findings else "ok"
        lines.append(f"{study.code or '(no study)':<34} {study.entries:>8}  {state}")
        lines += [f"    {finding}" for finding in study.findings[:SHOWN]]
        lines += [f"    and {len(study.findings) - SHOWN} more"] if len(study.findings) > SHOWN else []
    return "\n".join(lines)
