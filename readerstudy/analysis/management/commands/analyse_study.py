"""`manage.py analyse_study CODE`: write the report of an unsealed study as a folder of files."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.analysis.report.cache import CachedReport, cached_report
from readerstudy.analysis.report.pdf import PdfUnavailable
from readerstudy.analysis.report.versions import store_version
from readerstudy.commands import StudyCommand
from readerstudy.jobs.progress_text import activity_text
from readerstudy.results.progress import Activity, ActivityKind
from readerstudy.studies.models import Study

STAGES = 6  # readings, MRMC analysis, sub-group tests, tables and figures, files, PDF
PAPER = ("report.pdf",)


class Command(StudyCommand):
    help = "Analyse an unsealed study by its own plan: tables and figures, as HTML, PDF, CSV, SVG and JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the study's code")
        parser.add_argument("--out", type=Path, help="folder to write to (default: reports/CODE under VAR_DIR)")
        parser.add_argument(
            "--report-version",
            dest="number",
            type=int,
            metavar="N",
            help="of a study: this version (default: the newest)",
        )
        parser.add_argument(
            "--new-version", metavar="REASON", default="", help="compute the report again and store it as a new version"
        )
        parser.add_argument("--by", metavar="USER", help="who stores it (default: nobody, the server's terminal)")
        parser.add_argument("--no-pdf", action="store_true", help="do not write the PDF")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        folder = options["out"] or Path(settings.REPORTS_DIR) / study.code
        warning = ""
        with self.bar(f"Report of {study.code}") as advance:
            done = 0

            def stage(kind: ActivityKind) -> None:
                nonlocal done
                done += 1
                advance(done, STAGES, activity_text(Activity(kind)))

            if options["new_version"]:
                actor = _person(options["by"])
                store_version(study=study, actor=actor, at=now(), reason=options["new_version"], stage=stage)
            report = cached_report(study, at=now(), number=options["number"], stage=stage)
            if not options["no_pdf"] and report.file("report.pdf") is None:
                stage(ActivityKind.LAYING_OUT_PDF)
                try:
                    report.lay_out(at=now())
                except PdfUnavailable as error:
                    warning = str(error)
            advance(STAGES, STAGES, "")
        if options["out"] is None:
            shutil.rmtree(folder, ignore_errors=True)  # the default folder holds only earlier reports
        files = _copy_files(report, folder)
        path = report.file("report.txt")
        text = path.read_text(encoding="utf-8") if path else ""
        output = "\n".join([text, "Written:", *(f"  {file}" for file in files)])
        self.show({**report.as_dict(), "files": files}, output, as_json=options["json"])
        if warning:
            self.stderr.write(warning)


def _copy_files(report: CachedReport, folder: Path) -> list[str]:
    """Copy the report's files to the folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [(name, report.file(name)) for name in (*report.names, *PAPER)]
    return sorted({str(shutil.copy(path, folder / name)) for name, path in found if path is not None})


def _person(name: str | None) -> User | None:
    return None if name is None else User.named(name)
