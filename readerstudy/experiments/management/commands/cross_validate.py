"""Cross-validate a classifier by patient."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Cohort
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    help = (
        "For small cohorts: deal the patients of COHORT into folds and judge each by networks that never saw her. "
        "Goes on after a kill, fold by fold."
    )
    task = "models_ml.cross_validate"
    title = "Cross-validating"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("cohort")
        parser.add_argument("--preset", required=True)
        parser.add_argument("--folds", type=int, default=5)
        parser.add_argument("--gans", action="store_true", help="train both GANs in every fold, too: Table 1 over all")
        parser.add_argument(
            "--spare-background", action="store_true", help="the GANs leave what is not breast as it is: for films"
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--name", help="the run's name (default: COHORT-folds-SEED)")

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.named(options["cohort"])
        parameters = {
            "cohort": cohort.name,
            "preset": options["preset"],
            "folds": options["folds"],
            "gans": options["gans"],
            "seed": options["seed"],
            "spare_background": options["spare_background"],
            "name": options["name"] or f"{cohort.name}-folds-{options['seed']}",
        }
        result = self.run_job(parameters, queue=options["queue"])
        if result:
            self.show(result, result["text"], as_json=options["json"])
