"""Train an inpainter."""

from typing import Any

from readerstudy.experiments.catalogue import TRAIN_INPAINTING
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (TRAIN_INPAINTING,)

    def summary(self, result: dict[str, Any]) -> str:
        return f"Run {result['run']}: {result['steps']} steps, {result['seconds']:.0f} s. Curves: {result['curves']}"
