"""Train a classifier."""

from readerstudy.experiments.catalogue import TRAIN_CLASSIFIER
from readerstudy.experiments.command import JobCommand
from readerstudy.results.runs import ClassifierTrained


class Command(JobCommand):
    kinds = (TRAIN_CLASSIFIER,)

    def summary(self, result: ClassifierTrained) -> str:
        return (
            f"Run {result['run']}: AUC {result['tuning_auc']:.3f} on the tuning split after {result['steps']} steps, "
            f"{result['seconds']:.0f} s. Curves: {result['curves']}"
        )
