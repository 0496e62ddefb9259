"""Make a cohort of procedural mammograms, for people without data."""

from argparse import ArgumentParser
from typing import Any

from django.utils.timezone import now

from readerstudy.cohort.sources.phantom import phantom_images
from readerstudy.commands import StudyCommand
from readerstudy.imaging.image import RESOLUTIONS
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.management.commands.import_cohort import add_split_arguments, fractions_of, report_import
from readerstudy.vocabulary import Resolution


class Command(StudyCommand):
    help = (
        "Draw phantom mammograms of --patients N patients, 29 in 100 with cancer, and import them as the cohort NAME. "
        "The same --seed draws the same images."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--patients", type=int, required=True)
        parser.add_argument("--resolution", choices=[*map(str, Resolution)], default=Resolution.LOW.value)
        add_split_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        resolution = Resolution(options["resolution"])
        batch = phantom_images(options["patients"], seed=options["seed"], size=RESOLUTIONS[resolution])
        with self.bar(f"Drawing {len(batch.images)} mammograms") as advance:
            result = import_cohort(
                options["name"],
                batch,
                seed=options["seed"],
                fractions=fractions_of(options["split"]),
                resolutions=[resolution.value],
                pathology_source="phantom",
                at=now(),
                progress=lambda done, total: advance(done, total, ""),
            )
        report_import(self, result, as_json=options["json"])
