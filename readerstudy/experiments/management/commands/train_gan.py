"""Train one of the two GANs."""

from typing import Any

from readerstudy.experiments.catalogue import TRAIN_GAN
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (TRAIN_GAN,)

    def summary(self, result: dict[str, Any]) -> str:
        stages = [f"  stage {stage['number']}: {stage['steps']} steps, {stage['reason']}" for stage in result["stages"]]
        return "\n".join([f"Run {result['run']}: {result['seconds']:.0f} s. Curves: {result['curves']}", *stages])
