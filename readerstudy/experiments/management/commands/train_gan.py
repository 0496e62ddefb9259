"""Train one of the two GANs."""

from typing import Any

from readerstudy.experiments.catalogue import TRAIN_GAN
from readerstudy.experiments.command import JobCommand
from readerstudy.results.gan_stages import StageEndReason, stage_end_text
from readerstudy.results.runs import GanTrained
from readerstudy.serialise import from_dict


class Command(JobCommand):
    kinds = (TRAIN_GAN,)

    def summary(self, result: GanTrained) -> str:
        stages = [f"  stage {stage['number']}: {stage['steps']} steps, {_reason(stage)}" for stage in result["stages"]]
        return "\n".join([f"Run {result['run']}: {result['seconds']:.0f} s. Curves: {result['curves']}", *stages])


def _reason(stage: dict[str, Any]) -> str:
    return stage_end_text(from_dict(StageEndReason, stage["reason"]))
