"""`manage.py analyse_study CODE`: the report of an unsealed study as a folder of files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.timezone import now

from readerstudy.analysis.report import Report, build_report, write_report
from readerstudy.analysis.table import to_text
from readerstudy.commands import StudyCommand
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = "Analyse an unsealed study: tables, sub-group tests and figure, as HTML, CSV, SVG and JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the study's code")
        parser.add_argument("--out", type=Path, help="folder to write to (default: reports/CODE under VAR_DIR)")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        report = build_report(study, at=now())
        folder = options["out"] or Path(settings.REPORTS_DIR) / study.code
        files = [str(path) for path in write_report(report, folder)]
        self.show({**report.as_dict(), "files": files}, _text(report, files), as_json=options["json"])


def _text(report: Report, files: list[str]) -> str:
    """Every table of the page, what the report cannot say, and where the files are."""
    tables = [to_text(table) for section in report.sections for table in section.tables]
    return "\n".join([*tables, *report.limits, "", "Written:", *(f"  {file}" for file in files)])
