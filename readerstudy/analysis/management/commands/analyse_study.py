"""`manage.py analyse_study CODE`: the report of an unsealed study as a folder of files."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.timezone import now

from readerstudy.analysis.report.cache import published
from readerstudy.analysis.report.pdf import NoPdfHere, write_pdf
from readerstudy.commands import StudyCommand
from readerstudy.studies.models import Study

STAGES = 6  # adding up, across readers, each reader, tables and figures, files, PDF


class Command(StudyCommand):
    help = "Analyse an unsealed study by its own plan: tables and figures, as HTML, PDF, CSV, SVG and JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the study's code")
        parser.add_argument("--out", type=Path, help="folder to write to (default: reports/CODE under VAR_DIR)")
        parser.add_argument("--no-pdf", action="store_true", help="leave the PDF out")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        folder = options["out"] or Path(settings.REPORTS_DIR) / study.code
        complaint = ""
        with self.bar(f"Report of {study.code}") as advance:
            done = 0

            def stage(words: str) -> None:
                nonlocal done
                done += 1
                advance(done, STAGES, words)

            report = published(study, at=now(), waits=False, stage=stage)
            if not options["no_pdf"] and report.file("report.pdf") is None:
                stage("laying out the PDF")
                try:
                    write_pdf(report.folder / "report.html", report.folder / "report.pdf")
                except NoPdfHere as error:
                    complaint = str(error)
            advance(STAGES, STAGES, "")
        if options["out"] is None:
            shutil.rmtree(folder, ignore_errors=True)  # ours alone: what an earlier report left there goes
        names = sorted(path.name for path in report.folder.iterdir() if path.name not in ("body.html", "report.txt"))
        folder.mkdir(parents=True, exist_ok=True)
        files = [str(shutil.copy(report.folder / name, folder / name)) for name in names]
        text = (report.folder / "report.txt").read_text(encoding="utf-8")
        written = "\n".join([text, "Written:", *(f"  {file}" for file in files)])
        self.show({**report.as_dict(), "files": files}, written, as_json=options["json"])
        if complaint:
            self.stderr.write(complaint)
