"""Generate an adversarial image from every image of a cohort: with two GANs, or by gradient with --method."""

from typing import Any

from readerstudy.errors import BadInput
from readerstudy.experiments.catalogue import ATTACK, GENERATE
from readerstudy.experiments.command import JobCommand
from readerstudy.experiments.kinds import JobKind
from readerstudy.results.runs import ImagesGenerated


class Command(JobCommand):
    kinds = (GENERATE, ATTACK)

    def choose_kind(self, options: dict[str, Any]) -> JobKind:
        if options["method"]:
            return ATTACK
        if not (options["gan_remove"] and options["gan_insert"]):
            raise BadInput("Name both GAN runs, --gan-remove and --gan-insert, or an attack with --method.")
        return GENERATE

    def summary(self, result: ImagesGenerated) -> str:
        return f"{result['made']} adversarial images written, {result['known']} existed already."
