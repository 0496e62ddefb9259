"""The article's Table 1: how often the classifier is fooled."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.commands import JobCommand
from readerstudy.jobs.models import Checkpoint, CheckpointKind
from readerstudy.truth.management.commands.generate_stimuli import add_gan_arguments, gan_parameters


class Command(JobCommand):
    help = "Judge the test images of COHORT and their twins with the classifier RUN: the article's Table 1."
    task = "attacks.evaluate_attack"
    title = "Judging test images"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_gan_arguments(parser)
        parser.add_argument("--classifier", required=True, metavar="RUN")

    def handle(self, *args: Any, **options: Any) -> None:
        classifier = Checkpoint.named(options["classifier"], CheckpointKind.CLASSIFIER)
        result = self.run_job({**gan_parameters(options), "classifier": classifier.name}, queue=options["queue"])
        if result:
            self.show(result, result["text"], as_json=options["json"])
