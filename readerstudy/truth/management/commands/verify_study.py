"""Verify the record of a study."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.errors import BadInput
from readerstudy.record.heads import read_heads
from readerstudy.record.models import Verification
from readerstudy.record.verifier import read_file
from readerstudy.studies.models import Study
from readerstudy.truth.verification import verify_record

SHOWN = 20  # findings of one check


class Command(StudyCommand):
    help = (
        "Verify that no evidence of a study was changed, inserted, deleted or rewritten since it was recorded: every "
        "row against the log, the log against its signed heads, the answer key against its commitment. The exit code "
        "is 0 only if everything agrees. Without a code: what belongs to no study."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", nargs="?", default="", help="the study")
        parser.add_argument("--receipt", type=Path, action="append", default=[], help="the receipt of a reader; a file")
        parser.add_argument("--heads", type=Path, action="append", default=[], help="tree heads that somebody kept")
        parser.add_argument("--files", action="store_true", help="also read every image file that the study shows")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["code"]:
            Study.named(options["code"])
        verification = verify_record(
            options["code"],
            at=now(),
            heads=[head for path in options["heads"] for head in _heads(path)],
            receipts=[_receipt(path) for path in options["receipt"]],
            with_files=options["files"],
        )
        result = {"study": verification.log, "passed": verification.passed, "checks": verification.checks}
        self.show(result, _text(verification), as_json=options["json"])
        if not verification.passed:
            raise CommandError(f"The record of {verification.log or 'the installation'} does not agree.")


def _text(verification: Verification) -> str:
    lines = []
    for check in verification.checks:
        found = check["findings"]
        lines.append(f"{check['name']:<34} {check['compared']:>8}  {'FAILED' if found else 'ok'}")
        lines += [f"    {finding}" for finding in found[:SHOWN]]
        lines += [f"    and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join(lines)


def _receipt(path: Path) -> dict[str, Any]:
    try:
        kind, values = read_file(str(path))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
    if kind != "receipt":
        raise BadInput(f"{path} is not a receipt.")
    return values[0]


def _heads(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise BadInput(f"There is no file {path}.")
    try:
        return read_heads(path)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from error
