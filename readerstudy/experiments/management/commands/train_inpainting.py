"""Train an inpainter: the second family of generators."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.command import JobCommand
from readerstudy.experiments.models import Checkpoint, CheckpointKind


class Command(JobCommand):
    help = (
        "Train the inpainter that removes or inserts cancer signs in COHORT, guided by the classifier RUN. It is ours, "
        "not the article's; its run stands where a GAN's may stand."
    )
    task = "models_ml.train_inpainting"
    title = "Training the inpainter"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--direction", choices=["remove", "insert"], required=True)
        parser.add_argument("--classifier", required=True, metavar="RUN")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--threads", type=int, help="processor threads (default: all)")
        parser.add_argument("--name", help="the run's name (default: CLASSIFIER-inpainting-DIRECTION)")

    def handle(self, *args: Any, **options: Any) -> None:
        run = Checkpoint.named(options["classifier"], CheckpointKind.CLASSIFIER)
        parameters = {
            "cohort": Cohort.named(options["cohort"]).name,
            "direction": options["direction"],
            "classifier": run.name,
            "seed": options["seed"],
            "name": options["name"] or f"{run.name}-inpainting-{options['direction']}",
        }
        if options["threads"]:
            parameters["threads"] = options["threads"]
        result = self.run_job(parameters, queue=options["queue"])
        if result:
            text = (
                f"Run {result['run']}: {result['steps']} steps, {result['seconds']:.0f} s. Curves: {result['curves']}"
            )
            self.show(result, text, as_json=options["json"])
