"""Train one of the two GANs."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.command import JobCommand
from readerstudy.experiments.models import Checkpoint, CheckpointKind


class Command(JobCommand):
    help = "Train the GAN that removes or inserts cancer signs in COHORT, against the classifier RUN."
    task = "models_ml.train_gan"
    title = "Training the GAN"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--direction", choices=["remove", "insert"], required=True)
        parser.add_argument("--classifier", required=True, metavar="RUN")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--spare-background",
            action="store_true",
            help="what is not breast stays as it is while it trains, as it does when it is used: advised for films",
        )
        parser.add_argument(
            "--ends",
            choices=["preset", "rules", "epochs"],
            default="preset",
            help="whether stages end by the article's rules or after their epochs (default: as the preset says)",
        )
        parser.add_argument("--processes", type=int, help="default: one for each graphics card")
        parser.add_argument("--threads", type=int, help="processor threads (default: all)")
        parser.add_argument("--name", help="the run's name (default: CLASSIFIER-DIRECTION)")

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.named(options["cohort"])
        classifier = Checkpoint.named(options["classifier"], CheckpointKind.CLASSIFIER)
        result = self.run_job(
            {
                "cohort": cohort.name,
                "direction": options["direction"],
                "classifier": classifier.name,
                "seed": options["seed"],
                "spare_background": options["spare_background"],
                "ends": options["ends"],
                "processes": options["processes"],
                "threads": options["threads"],
                "name": options["name"] or f"{classifier.name}-{options['direction']}",
            },
            queue=options["queue"],
        )
        if result:
            stages = [f"  stage {s['number']}: {s['steps']} steps, {s['reason']}" for s in result["stages"]]
            text = "\n".join([f"Run {result['run']}: {result['seconds']:.0f} s. Curves: {result['curves']}", *stages])
            self.show(result, text, as_json=options["json"])
