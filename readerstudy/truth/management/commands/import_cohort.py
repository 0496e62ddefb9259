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
        parser.add_argument("--folder", type=Path, help="where the table's image paths start (default: beside it)")
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
            help="image: each picture carries its own pathology, one breast may differ from the other",
        )
        parser.add_argument(
            "--resolution", action="append", choices=["high", "low"], help="which to store (default: both)"
        )
        add_split_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        batch = _batch(options)
        with self.bar(f"Importing {len(batch.images)} images") as advance:
            imported = import_cohort(
                options["name"],
                batch,
                seed=options["seed"],
                fractions=fractions_of(options["split"]),
                resolutions=options["resolution"] or ["high", "low"],
                pathology_per=options["pathology_per"],
                at=now(),
                progress=lambda done, total: advance(done, total, ""),
            )
        report_import(self, imported, as_json=options["json"])


def add_split_arguments(parser: ArgumentParser) -> None:
    """Seed and shares of the split by patient."""
    parser.add_argument("--seed", type=seed, default=1, help="seed of the split by patient")
    parser.add_argument(
        "--split",
        default="/".join(f"{100 * share:g}" for share in PAPER_SPLIT),
        metavar="TRAIN/TUNING/TEST",
        help="percent of the patients, default %(default)s",
    )


def fractions_of(text: str) -> tuple[float, ...]:
    """'80/10/10' as fractions; a CommandError says what is wrong with anything else."""
    try:
        percents = [float(part) for part in text.split("/")]
    except ValueError:
        percents = []
    if len(percents) != 3 or abs(sum(percents) - 100) > 1e-9 or min(percents) <= 0:
        raise CommandError(
            f"--split is {text!r}; give three positive percentages that add up to 100, such as 80/10/10."
        )
    return tuple(percent / 100 for percent in percents)


def report_import(command: StudyCommand, imported: ImportResult, *, as_json: bool) -> None:
    """Say what came in; name everything that did not, and fail then."""
    problems = imported.problems
    text = (
        f"{imported.cohort}: {imported.images_new} images imported, {imported.images_known} were there already, "
        f"{imported.patients} patients in all."
    )
    command.show({**vars(imported), "problems": [vars(p) for p in problems]}, text, as_json=as_json)
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


def _columns(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--column is {pair!r}; write OURS=THEIRS, such as laterality=side.")
    return dict(pair.split("=", 1) for pair in pairs)
