"""`manage.py import_bundle FILE`: check the bundle of a study and compute its tables again."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils.timezone import now

from readerstudy.bundle.checking.importing import STEPS, ImportedBundle, import_bundle
from readerstudy.commands import StudyCommand


class Command(StudyCommand):
    help = (
        "Check the bundle of a study: every file against the signed manifest, the record, the receipts that are given. "
        "Compute every table of the report again from the rows of the bundle, and show both side by side. No database "
        "is used. Nothing is stored if something does not agree; the exit code is 0 only if all tables are the same."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the zip file")
        parser.add_argument("--out", type=Path, help="folder to store it in (default: bundles under VAR_DIR)")
        parser.add_argument("--receipt", type=Path, action="append", default=[], help="a reader's receipt; repeatable")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["out"] or Path(settings.VAR_DIR) / "bundles"
        with self.bar(f"Bundle {options['file'].name}") as advance:
            imported = import_bundle(
                path=options["file"],
                folder=folder,
                at=now(),
                receipts=options["receipt"],
                progress=lambda done: advance(done, STEPS, ""),
            )
        self.show(_as_data(imported), _as_text(imported), as_json=options["json"])
        if not imported.comparison.is_same:
            parts = ", ".join([*imported.comparison.differing, *imported.comparison.other_parts])
            raise CommandError(f"Computed otherwise than in the bundle: {parts}. See {_page(imported)}.")


def _page(imported: ImportedBundle) -> Path:
    return imported.folder / "comparison.html"


def _as_data(imported: ImportedBundle) -> dict[str, Any]:
    comparison = imported.comparison
    return {
        "study": imported.study,
        "folder": str(imported.folder),
        "files": imported.files,
        "readings": imported.readings,
        "missing": imported.missing,
        "checks": imported.checks,
        "public_key": imported.key,
        "software": imported.software,
        "tables": len(comparison.tables),
        "cells": comparison.cells,
        "differing": list(comparison.differing),
        "other_parts": list(comparison.other_parts),
    }


def _as_text(imported: ImportedBundle) -> str:
    comparison = imported.comparison
    same = len(comparison.tables) - len(comparison.differing)
    checks = [f"  {name:<34} {count:>8}  ok" for name, count in imported.checks.items()]
    return "\n".join(
        [
            f"Study {imported.study}: {imported.files} files as in the manifest, signed by {imported.key}.",
            *checks,
            f"{imported.readings} readings, {imported.missing} missing; CSV and Parquet agree.",
            f"{same} of {len(comparison.tables)} tables are the same ({comparison.cells} cells).",
            f"Made by version {imported.software}. Stored in {imported.folder}; see {_page(imported).name}.",
        ]
    )
