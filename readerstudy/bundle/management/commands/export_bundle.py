"""`manage.py export_bundle CODE FILE`: write the bundle of an unsealed study."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils.timezone import now

from readerstudy.bundle.actions import STEPS
from readerstudy.bundle.writing.exporting import export_bundle
from readerstudy.commands import StudyCommand
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = (
        "Write everything about an unsealed study, de-identified, to one zip file with RO-Crate metadata: protocol, "
        "plans, allocation, readings, codebook, audit trail, record, and the tables of the report."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the study's code")
        parser.add_argument("file", type=Path, help="the zip file to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        with self.bar(f"Bundle of {study.code}") as advance:
            exported = export_bundle(
                study=study,
                target=options["file"],
                actor=None,
                at=now(),
                progress=lambda done: advance(done, STEPS, ""),
            )
        differing = ", ".join(exported.differing) or "none"
        text = (
            f"{exported.path}: {exported.bytes:,} bytes, {exported.files} files, {exported.tables} tables.\n"
            f"Tables with other cells than the report here (dates, names, reasons, free texts): {differing}.\n"
            f"SHA-256 {exported.sha256}"
        )
        self.show(asdict(exported), text, as_json=options["json"])
