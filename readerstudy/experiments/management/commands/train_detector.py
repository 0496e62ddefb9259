"""Train a detector of adversarial input."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.errors import BadInput
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    help = (
        "Train a network to tell adversarial images of COHORT from real ones, on the twins of the attacks named, and "
        "judge it on attacks that it never saw. Goes on after a kill."
    )
    task = "models_ml.train_detector"
    title = "Training the detector"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--attack", action="append", default=[], metavar="NAME", help="to learn from; repeat")
        parser.add_argument(
            "--held-out", action="append", metavar="NAME", help="to test on; default: all other attacks with twins"
        )
        parser.add_argument("--preset", required=True)
        parser.add_argument("--resolution", choices=["high", "low"], default="low")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--name", help="the run's name (default: COHORT-detector-SEED)")

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.named(options["cohort"])
        if not options["attack"]:
            raise BadInput("Name an attack to learn from with --attack; several may be named.")
        parameters = {
            "cohort": cohort.name,
            "attacks": options["attack"],
            "preset": options["preset"],
            "resolution": options["resolution"],
            "seed": options["seed"],
            "name": options["name"] or f"{cohort.name}-detector-{options['seed']}",
        }
        if options["held_out"]:
            parameters["held_out"] = options["held_out"]
        result = self.run_job(parameters, queue=options["queue"])
        if result:
            self.show(result, result["text"], as_json=options["json"])
