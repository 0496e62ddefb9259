"""Import adversarial images that another program made."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.accounts.models import User
from readerstudy.cohort.models import Cohort
from readerstudy.cohort.pairs import PixelRules
from readerstudy.commands import StudyCommand
from readerstudy.truth.actions import AdversarialImportResult, ImportOptions, UnderstoodRow, import_adversarial_images
from readerstudy.truth.tells import combined_sentence, tell_sentences

LONGEST_LIST = 50


class Command(StudyCommand):
    help = (
        "Import adversarial images that another program made: COHORT --table CSV with the columns real and "
        "adversarial, and if known direction, attack, pathology, bits, and the box x, y, width, height. The real "
        "files must be in the cohort. A table of synthetic images, made from no image of the cohort, has the columns "
        "image and pathology, and if known attack, group, split, bits and the box. Reports what would give the "
        "adversarial images away. Nothing is stored if a row is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="the cohort that the real files belong to")
        parser.add_argument(
            "--table",
            type=Path,
            required=True,
            metavar="CSV",
            help="one row for each pair of files, or for each synthetic image",
        )
        parser.add_argument("--folder", type=Path, help="where the table's paths start (default: its folder)")
        parser.add_argument("--attack", metavar="NAME", help="the attack of rows that name none")
        parser.add_argument("--description", default="", help="how the images were made; kept with the attack")
        parser.add_argument("--made-by", default="", metavar="TEXT", help="the program, and who ran it")
        parser.add_argument(
            "--keep-background", action="store_true", help="put the real background back outside the modality's region"
        )
        parser.add_argument(
            "--keep-grid", action="store_true", help="use only the grey levels of the real image, also for odd combs"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be imported, and store nothing")
        parser.add_argument("--skip-refused", action="store_true", help="import the other rows if some are refused")
        parser.add_argument("--by", metavar="USER", help="user name of the researcher")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.bar("Preparing images") as advance:
            result = import_adversarial_images(
                cohort=Cohort.named(options["cohort"]),
                table=options["table"],
                folder=options["folder"],
                options=ImportOptions(
                    attack=options["attack"],
                    description=options["description"],
                    made_by=options["made_by"],
                    rules=PixelRules(options["keep_background"], options["keep_grid"]),
                ),
                is_dry_run=options["dry_run"],
                skips_refused=options["skip_refused"],
                at=now(),
                actor=_person(options["by"]),
                progress=lambda done, total: advance(done, total, ""),
            )
        self.show(asdict(result), "\n".join(_lines(result, is_dry_run=options["dry_run"])), as_json=options["json"])
        if result.problems:
            problems = [f"  {problem.name}: {problem.sentence}" for problem in result.problems[:LONGEST_LIST]]
            if len(result.problems) > LONGEST_LIST:
                problems.append(f"  ... and {len(result.problems) - LONGEST_LIST} more (--json lists all)")
            raise CommandError("\n".join([f"{len(result.problems)} rows were refused:", *problems]))


def _person(name: str | None) -> User | None:
    if name is None:
        return None
    person = User.objects.filter(username=name).first()
    if person is None:
        raise CommandError(f"There is no user named {name!r}.")
    return person


def _words(row: UnderstoodRow) -> str:
    """Return what a row was understood to be."""
    if not row.real:
        group = f"group {row.patient}, " if row.patient else ""
        return f"{row.adversarial} is synthetic ({group}{row.split}, {row.pathology}) by {row.attack}"
    return (
        f"{row.adversarial} is {row.real} (patient {row.patient}, {row.split}, {row.pathology}) after {row.attack} "
        f"({row.direction})"
    )


def _lines(result: AdversarialImportResult, *, is_dry_run: bool) -> Iterator[str]:
    if is_dry_run:
        for row in result.rows[:LONGEST_LIST]:
            restored = f", {row.restored_pixels} pixels put back" if row.restored_pixels else ""
            yield f"row {row.number}: {_words(row)}{restored}"
        if len(result.rows) > LONGEST_LIST:
            yield f"... and {len(result.rows) - LONGEST_LIST} more (--json lists all)"
    kind = "pairs of" if any(row.real for row in result.rows) else "synthetic images for"
    rows = f"{len(result.rows)} {kind} the cohort {result.cohort}"
    if result.is_stored:
        yield f"{rows}: {result.images} adversarial images stored."
    else:
        yield f"{rows} understood; nothing was stored."
    for attack, tells in result.tells.items():
        sentences = tell_sentences(tells)
        yield (
            f"What would give the images of {attack} away:"
            if sentences
            else f"Nothing gives the images of {attack} away."
        )
        for sentence in sentences:
            yield f"  - {sentence.what} {sentence.advice}"
        if combined := combined_sentence(tells):
            yield f"  {combined}"
