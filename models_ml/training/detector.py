"""Training of a detector of adversarial images: the classifier's training with other labels."""

from pathlib import Path

from models_ml.data.images import ImageSet
from models_ml.evaluation.detector import DetectorConfig, write_description
from models_ml.runtime.progress import Report
from models_ml.training.classifier import ClassifierResult, train_classifier


def train_detector(
    images: ImageSet, config: DetectorConfig, *, seed: int, folder: Path, report: Report
) -> ClassifierResult:
    """Train on the train split (label 1: adversarial), keep the checkpoint with the best tuning AUC.

    An interrupted run is resumed from its last save, a finished run is returned.
    """
    result = train_classifier(images, config.trunk, seed=seed, folder=folder, report=report, kind="detector")
    write_description(folder, config)
    return result
