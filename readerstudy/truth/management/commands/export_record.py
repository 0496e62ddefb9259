"""Write the record of a study to a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.studies.models import Study
from readerstudy.truth.verification import exported_record


class Command(StudyCommand):
    help = (
        "Write the record of a study to a file that readerstudy/record/verifier.py checks without this software. It "
        "has the verdicts once the study is closed, and the answer key once it is unsealed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the study")
        parser.add_argument("file", type=Path, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        study, path = Study.named(options["code"]), options["file"]
        with path.open("w") as file:
            file.writelines(exported_record(study, at=now()))
        self.show(
            {"study": study.code, "file": str(path)}, f"{path} has the record of {study.code}.", as_json=options["json"]
        )
