"""Write the adversarial twin of every image of a cohort."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.commands import JobCommand
from readerstudy.jobs.models import Checkpoint, CheckpointKind


class Command(JobCommand):
    help = "For each image of COHORT write its adversarial twin and the signed difference."
    task = "attacks.generate_stimuli"
    title = "Writing adversarial images"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_gan_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        result = self.run_job(gan_parameters(options), queue=options["queue"])
        if result:
            text = f"{result['made']} adversarial images written, {result['known']} were there already."
            self.show(result, text, as_json=options["json"])


def add_gan_arguments(parser: ArgumentParser) -> None:
    """The cohort and the two generator runs."""
    parser.add_argument("cohort")
    parser.add_argument("--gan-remove", required=True, metavar="RUN")
    parser.add_argument("--gan-insert", required=True, metavar="RUN")
    parser.add_argument("--resolution", action="append", choices=["high", "low"], help="default: all that are stored")


def gan_parameters(options: dict[str, Any]) -> dict[str, Any]:
    """What the job needs, checked before it is queued."""
    cohort = Cohort.named(options["cohort"])
    for direction in ("remove", "insert"):
        Checkpoint.named(options[f"gan_{direction}"], CheckpointKind.GENERATOR)
    return {
        "cohort": cohort.name,
        "gan_remove": options["gan_remove"],
        "gan_insert": options["gan_insert"],
        "resolutions": options["resolution"] or cohort.resolutions,
    }
