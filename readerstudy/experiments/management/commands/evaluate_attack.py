"""The article's Table 1: how often classifiers are fooled, by one attack or several side by side."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.experiments.command import JobCommand
from readerstudy.experiments.management.commands.generate_stimuli import gan_parameters
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind


class Command(JobCommand):
    help = (
        "Judge the test images of COHORT and their twins with the classifier RUN, or with several: the article's "
        "Table 1, subgroups, calibration, and which attack fools which classifier."
    )
    task = "attacks.evaluate_attack"
    title = "Judging test images"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--gan-remove", metavar="RUN")
        parser.add_argument("--gan-insert", metavar="RUN")
        parser.add_argument("--attack", action="append", default=[], metavar="NAME", help="repeat for several")
        parser.add_argument("--classifier", action="append", default=[], metavar="RUN", help="repeat for several")
        parser.add_argument(
            "--resolution", action="append", choices=["high", "low"], help="default: all that are stored"
        )
        parser.add_argument(
            "--recalibration",
            choices=["none", "temperature", "platt"],
            default="none",
            help="of the probabilities, fitted on the tuning split",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        classifiers = [Checkpoint.named(name, CheckpointKind.CLASSIFIER).name for name in options["classifier"]]
        if not classifiers:
            raise BadInput("Name the run that judges with --classifier; several stand side by side.")
        parameters = {**_attacks(options), "classifiers": classifiers, "recalibration": options["recalibration"]}
        result = self.run_job(parameters, queue=options["queue"])
        if result:
            self.show(result, result["text"], as_json=options["json"])


def _attacks(options: dict[str, Any]) -> dict[str, Any]:
    """What is judged, checked before it is queued."""
    names = [Attack.named(name).name for name in options["attack"]]
    if bool(options["gan_remove"]) != bool(options["gan_insert"]):
        raise BadInput("Name both GAN runs, --gan-remove and --gan-insert, or neither.")
    if not names and not options["gan_remove"]:
        raise BadInput("Name an attack with --attack, or both GAN runs.")
    if options["gan_remove"]:
        return {**gan_parameters(options), "attacks": names}
    cohort = Cohort.named(options["cohort"])
    return {"cohort": cohort.name, "attacks": names, "resolutions": options["resolution"] or cohort.resolutions}
