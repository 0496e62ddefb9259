"""Import mammograms: a folder of DICOM files, or a table that names image files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.cohort.importing import ImportResult
from readerstudy.cohort.sources import files
from readerstudy.cohort.sources.dicom import folder
from readerstudy.cohort.sources.source import ImportBatch
from readerstudy.commands import StudyCommand, seed
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.actions.cohort_import import PAPER_SPLIT
from readerstudy.vocabulary import Resolution

LONGEST_LIST = 50


class Command(StudyCommand):
    help = (
        "Import a cohort. NAME --dicom FOLDER [--table CSV], or NAME --table CSV with the columns image, patient, "
        "laterality, view, pathology (malignant, benign, normal). Importing twice adds nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--dicom", type=Path, metavar="FOLDER")
        parser.add_argument("--table", type=Path, metavar="CSV")
        parser.add_argument("--folder", type=Path, help="where the table's image paths start (default: its folder)")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="OURS=THEIRS",
            help="the table's name for one of our columns, for example laterality=side",
        )
        parser.add_argument(
            "--pathology-per",
            choices=["patient", "image"],
            default="patient",
            help="image: each image has its own pathology; one breast can differ from the other",
        )
        parser.add_argument(
            "--resolution", action="append", choices=[*map(str, Resolution)], help="which to store (default: both)"
        )
        add_split_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        batch = _batch(options)
        with self.bar(f"Importing {len(batch.images)} images") as advance:
            result = import_cohort(
                options["name"],
                batch,
                seed=options["seed"],
                fractions=fractions_of(options["split"]),
                resolutions=_resolutions(options["resolution"]),
                pathology_per=options["pathology_per"],
                at=now(),
                progress=lambda done, total: advance(done, total, ""),
            )
        report_import(self, result, as_json=options["json"])


def add_split_arguments(parser: ArgumentParser) -> None:
    """Add the options for the seed and the shares of the split by patient."""
    parser.add_argument("--seed", type=seed, default=1, help="seed of the split by patient")
    parser.add_argument(
        "--split",
        default="/".join(f"{100 * share:g}" for share in PAPER_SPLIT),
        metavar="TRAIN/TUNING/TEST",
        help="percent of the patients, default %(default)s",
    )


def fractions_of(text: str) -> tuple[float, ...]:
    """Return the fractions of a text such as 80/10/10. Raises CommandError for anything else."""
    try:
        percents = [float(part) for part in text.split("/")]
    except ValueError:
        percents = []
    if len(percents) != 3 or abs(sum(percents) - 100) > 1e-9 or not all(percent > 0 for percent in percents):
        raise CommandError(
            f"--split is {text!r}; give three positive percentages that add up to 100, such as 80/10/10."
        )
    return tuple(percent / 100 for percent in percents)


def report_import(command: StudyCommand, result: ImportResult, *, as_json: bool) -> None:
    """Print what was imported. Raises CommandError with the problems if there are any."""
    problems = result.problems
    text = (
        f"{result.cohort}: {result.images_new} images imported, {result.images_known} were there already, "
        f"{result.patients} patients in all."
    )
    command.show({**vars(result), "problems": [vars(problem) for problem in problems]}, text, as_json=as_json)
    if not problems:
        return
    lines = [f"  {problem.name}: {problem.sentence}" for problem in problems[:LONGEST_LIST]]
    if len(problems) > LONGEST_LIST:
        lines.append(f"  ... and {len(problems) - LONGEST_LIST} more (--json lists all)")
    raise CommandError("\n".join([f"{len(problems)} could not be imported:", *lines]))


def _batch(options: dict[str, Any]) -> ImportBatch:
    columns = _columns(options["column"])
    if options["dicom"]:
        return folder.read_folder(options["dicom"], options["table"], columns=columns)
    if options["table"]:
        return files.read_table(options["table"], columns=columns, folder=options["folder"])
    raise CommandError("Say where the images are: --dicom FOLDER, --table CSV, or both.")


def _resolutions(chosen: list[str] | None) -> list[str]:
    """Return the chosen resolutions, each once and the highest first; all if none is chosen."""
    return [resolution.value for resolution in Resolution if not chosen or resolution in chosen]


def _columns(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--column is {pair!r}; write OURS=THEIRS, such as laterality=side.")
    return dict(pair.split("=", 1) for pair in pairs)
