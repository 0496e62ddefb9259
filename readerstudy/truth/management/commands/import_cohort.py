"""Import images of a modality: a folder of DICOM files, or a table that names image files."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.cohort.importing import FoundCopy, ImportResult
from readerstudy.commands import StudyCommand, seed
from readerstudy.modalities import DEFAULT, MODALITIES, get_modality
from readerstudy.modalities.modality import Modality, Source
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import check_cohort_import, import_cohort
from readerstudy.truth.actions.cohort_import import PAPER_SPLIT, fractions_of
from readerstudy.truth.archive_import import ArchiveRequest, archive_at, forget_files, read_archive, wanted_of

LONGEST_LIST = 50


class Command(StudyCommand):
    help = (
        "Import a cohort. NAME --dicom FOLDER [--table CSV], NAME --dicomweb URL [--table CSV], or NAME --table CSV "
        "with the columns image, patient and pathology, and if known the modality's attributes. Importing twice adds "
        "nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        add_modality_argument(parser)
        for name, source in _all_sources().items():
            parser.add_argument(f"--{name}", type=Path, metavar=source.metavar, help=source.help)
        parser.add_argument("--folder", type=Path, help="where the table's image paths start (default: its folder)")
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="OURS=THEIRS",
            help="the table's name for one of our columns, for example pathology=diagnosis",
        )
        parser.add_argument(
            "--pathology-per",
            choices=["patient", "image"],
            default="patient",
            help="image: each image has its own pathology; one side can differ from the other",
        )
        parser.add_argument(
            "--affected-side-only",
            action="store_true",
            help="of patients with the finding, import the side with the finding alone, as in the article",
        )
        parser.add_argument(
            "--resolution",
            action="append",
            metavar="NAME",
            help="which of the modality's sizes to store (default: all)",
        )
        parser.add_argument("--drawn", action="store_true", help="a computer drew the images; the reading page says so")
        parser.add_argument("--check", action="store_true", help="say what would be imported, and import nothing")
        _add_archive_arguments(parser)
        add_split_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        modality = get_modality(options["modality"])
        if options["dicomweb"]:
            self._import_from_archive(modality, options)
        else:
            self._import(modality, _batch(modality, options), options)

    def _import(
        self,
        modality: Modality,
        batch: ImportBatch,
        options: dict[str, Any],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """Import or check the images, then forget where they came from, and report."""
        batch = replace(batch, is_drawn=options["drawn"])
        values: dict[str, Any] = {
            "seed": options["seed"],
            "fractions": chosen_fractions(options["split"]),
            "resolutions": _resolutions(modality, options["resolution"]),
            "pathology_per": options["pathology_per"],
            "affected_side_only": options["affected_side_only"],
        }
        if options["check"]:
            self._check(batch, values, options)
            return
        with self.bar(f"Importing {len(batch.images)} images") as advance:
            result = import_cohort(
                options["name"], batch, **values, at=now(), progress=lambda done, total: advance(done, total, "")
            )
        forget()
        report_import(self, result, as_json=options["json"])

    def _check(self, batch: ImportBatch, values: dict[str, Any], options: dict[str, Any]) -> None:
        """Read every image and say what an import would do; nothing is stored."""
        splits: Counter[str] = Counter()
        with self.bar(f"Checking {len(batch.images)} images") as advance, TemporaryDirectory() as scratch:
            result = check_cohort_import(
                options["name"],
                batch,
                **values,
                preview=lambda image: splits.update([image.split]),
                scratch=Path(scratch),
                progress=lambda done, total: advance(done, total, ""),
            )
        report_import(self, result, as_json=options["json"], splits=splits)

    def _import_from_archive(self, modality: Modality, options: dict[str, Any]) -> None:
        if options["dicom"] or options["folder"]:
            raise CommandError("--dicomweb stands for --dicom and --folder; give one of them.")
        request = ArchiveRequest(
            cohort=options["name"],
            url=options["dicomweb"],
            wanted=wanted_of(options["studies"], options["find"], options["series_modality"]),
            table=options["table"],
            columns=_columns(options["column"]),
        )
        with self.bar(f"Asking {archive_at(request.url).host}") as advance:
            batch, is_all = read_archive(
                modality, request, watch=lambda what, done, total: advance(done, total, what.lower())
            )
        # What could not be fetched is fetched alone when the command is run again.
        forget = partial(forget_files, request) if is_all else lambda: None
        self._import(modality, batch, options, forget)


def _add_archive_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dicomweb", metavar="URL", help="an archive; its sign-in is in the settings DICOMWEB_...")
    parser.add_argument("--studies", type=Path, metavar="FILE", help="study UIDs or accession numbers, one a line")
    parser.add_argument(
        "--find", action="append", default=[], metavar="KEYWORD=VALUE", help="attribute of studies, such as StudyDate"
    )
    parser.add_argument(
        "--series-modality",
        action="append",
        default=[],
        metavar="CODE",
        help="only series of this modality, by the code of the standard",
    )


def add_split_arguments(parser: ArgumentParser) -> None:
    """Add the options for the seed and the shares of the split by patient."""
    parser.add_argument("--seed", type=seed, default=1, help="seed of the split by patient")
    parser.add_argument(
        "--split",
        default="/".join(f"{100 * share:g}" for share in PAPER_SPLIT),
        metavar="TRAIN/TUNING/TEST",
        help="percent of the patients, default %(default)s",
    )


def chosen_fractions(text: str) -> tuple[float, ...]:
    """Return the fractions of a text such as 80/10/10. Raises CommandError for anything else."""
    try:
        return fractions_of(text)
    except ValueError as error:
        raise CommandError(
            f"--split is {text!r}; give three positive percentages that add up to 100, such as 80/10/10."
        ) from error


def report_import(
    command: StudyCommand, result: ImportResult, *, as_json: bool, splits: Mapping[str, int] | None = None
) -> None:
    """Print what was imported, or would be if `splits` are given. Raises CommandError with the problems if any."""
    problems = result.problems
    done, known = ("imported", "were") if splits is None else ("would be imported", "are")
    text = (
        f"{result.cohort}: {result.images_new} images {done}, {result.images_known} {known} there already, "
        f"{result.patients} patients in all."
    )
    if splits is not None:
        text += f" Splits: {', '.join(f'{split} {count}' for split, count in sorted(splits.items()))}."
    text = "\n".join([text, *result.notes, *_copy_lines(result.near_copies)])
    rows = {"problems": [vars(row) for row in problems], "near_copies": [vars(row) for row in result.near_copies]}
    command.show({**vars(result), **rows}, text, as_json=as_json)
    if not problems:
        return
    lines = [f"  {problem.text}" for problem in problems[:LONGEST_LIST]]
    if len(problems) > LONGEST_LIST:
        lines.append(f"  ... and {len(problems) - LONGEST_LIST} more (--json lists all)")
    raise CommandError("\n".join([f"{len(problems)} could not be imported:", *lines]))


def _copy_lines(copies: Sequence[FoundCopy]) -> list[str]:
    """Return a short table of the copies that an import has found; no line without any."""
    if not copies:
        return []
    rows = [(copy.name, copy.other, copy.kind, f"{copy.correlation:.2f}", copy.split) for copy in copies]
    table = [("image", "copy of", "kind", "correlation", "split"), *rows[:LONGEST_LIST]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    aligned = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table)
    lines = ["Copies of other images, each in one split with them:", *(f"  {line.rstrip()}" for line in aligned)]
    if len(copies) > LONGEST_LIST:
        lines.append(f"  ... and {len(copies) - LONGEST_LIST} more (--json lists all)")
    return lines


def add_modality_argument(parser: ArgumentParser) -> None:
    """Add the option for the modality."""
    titles = ", ".join(f"{modality.code} ({modality.title})" for modality in MODALITIES.values())
    parser.add_argument(
        "--modality", default=DEFAULT.code, metavar="CODE", help=f"one of {titles}; default %(default)s"
    )


def _all_sources() -> dict[str, Source]:
    """Return the sources of all modalities by the name of their option."""
    return {name: source for modality in MODALITIES.values() for name, source in modality.sources.items()}


def _batch(modality: Modality, options: dict[str, Any]) -> ImportBatch:
    """Return the images of the first source that an option names; a table beside another source describes it."""
    for name, source in modality.sources.items():
        if options[name]:
            columns = _columns(options["column"])
            return source.read(options[name], table=options["table"], columns=columns, folder=options["folder"])
    known = ", ".join(f"--{name} {source.metavar}" for name, source in modality.sources.items())
    raise CommandError(f"Say where the images are: {known}.")


def _resolutions(modality: Modality, chosen: list[str] | None) -> list[str]:
    """Return the chosen resolutions, each once and the highest first; all if none is chosen."""
    if unknown := [name for name in chosen or [] if name not in modality.layouts]:
        raise CommandError(f"--resolution is {unknown[0]!r}; {modality.title} has: {', '.join(modality.layouts)}.")
    return [name for name in modality.layouts if not chosen or name in chosen]


def _columns(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--column is {pair!r}; write OURS=THEIRS, such as pathology=diagnosis.")
    return dict(pair.split("=", 1) for pair in pairs)
