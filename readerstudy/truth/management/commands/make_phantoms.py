"""Make a cohort of procedural images, for people without data."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from readerstudy.commands import StudyCommand
from readerstudy.modalities import get_modality
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.management.commands.import_cohort import (
    add_modality_argument,
    add_split_arguments,
    chosen_fractions,
    report_import,
)


class Command(StudyCommand):
    help = (
        "Draw phantom images of --patients N patients, some with the finding, and import them as the cohort NAME. The "
        "same --seed draws the same images."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--patients", type=int, required=True)
        add_modality_argument(parser)
        parser.add_argument("--resolution", metavar="NAME", help="one of the modality's sizes (default: the smallest)")
        add_split_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        modality = get_modality(options["modality"])
        resolution = options["resolution"] or list(modality.layouts)[-1]
        if resolution not in modality.layouts:
            raise CommandError(f"--resolution is {resolution!r}; {modality.title} has: {', '.join(modality.layouts)}.")
        size = modality.layouts[resolution].size
        batch = modality.draw_phantoms(options["patients"], seed=options["seed"], size=size)
        with self.bar(f"Drawing {len(batch.images)} images") as advance:
            result = import_cohort(
                options["name"],
                batch,
                seed=options["seed"],
                fractions=chosen_fractions(options["split"]),
                resolutions=[resolution],
                pathology_source="phantom",
                at=now(),
                progress=lambda done, total: advance(done, total, ""),
            )
        report_import(self, result, as_json=options["json"])
