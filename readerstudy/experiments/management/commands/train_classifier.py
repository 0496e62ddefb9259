"""Train a classifier."""

from typing import Any

from readerstudy.experiments.catalogue import TRAIN_CLASSIFIER
from readerstudy.experiments.command import JobCommand


class Command(JobCommand):
    kinds = (TRAIN_CLASSIFIER,)

    def summary(self, result: dict[str, Any]) -> str:
        return (
            f"Run {result['run']}: AUC {result['tuning_auc']:.3f} on the tuning split after {result['steps']} steps, "
            f"{result['seconds']:.0f} s. Curves: {result['curves']}"
        )
