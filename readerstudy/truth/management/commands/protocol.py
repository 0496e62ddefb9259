"""Export, import and check the protocol of a study as a YAML file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput, StudyError
from readerstudy.participation.actions import import_design
from readerstudy.participation.study_file import StudyDesign, design_of, read_design_file, write_design
from readerstudy.protocol.document import Protocol
from readerstudy.studies.models import Study
from readerstudy.truth.checklist import checklist


class Command(StudyCommand):
    help = (
        "The protocol of the study CODE as a YAML file: export it to FILE, import FILE into a draft, or check whether "
        "FILE, or without it the protocol of the study, can be drawn from the study's cohort."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("export", "import", "check"))
        parser.add_argument("code")
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--by", metavar="USER", help="import: in whose name (default: nobody)")

    def handle(self, *args: Any, **options: Any) -> None:
        study, file = Study.named(options["code"]), options["file"]
        if file is None and options["action"] != "check":
            raise BadInput(f"Name the file to {options['action']}.")
        match options["action"]:
            case "export":
                self._export(study, file, options["json"])
            case "import":
                self._import(study, file, options["by"], options["json"])
            case _:
                self._check(study, _read(study, file).protocol if file else study.protocol, options["json"])

    def _export(self, study: Study, file: Path, as_json: bool) -> None:
        try:
            file.write_text(write_design(design_of(study)), encoding="utf-8")
        except OSError as error:
            raise StudyError(f"The file {file} cannot be written: {error.strerror}.") from error
        self.show({"study": study.code, "file": str(file)}, f"Wrote {file}.", as_json=as_json)

    def _import(self, study: Study, file: Path, by: str | None, as_json: bool) -> None:
        actor = None if by is None else User.objects.filter(username=by).first()
        if by is not None and actor is None:
            raise StudyError(f"There is no user named {by!r}.")
        import_design(study=study, design=_read(study, file), actor=actor, at=now())
        text = f"{study.code} has the protocol of {file}."
        self.show({"study": study.code, "protocol_sha256": study.protocol.hash}, text, as_json=as_json)

    def _check(self, study: Study, protocol: Protocol, as_json: bool) -> None:
        findings = checklist(study.cohort, protocol)
        text = "\n".join(finding.sentence for finding in findings) or "The protocol can be drawn."
        self.show([vars(finding) for finding in findings], text, as_json=as_json)
        if findings:
            raise CommandError("The protocol cannot be drawn.")


def _read(study: Study, file: Path) -> StudyDesign:
    return read_design_file(file, words=study.cohort.modality.words.reading)
