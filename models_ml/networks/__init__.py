"""Networks: families of classifiers, and generators."""

from collections.abc import Callable

from models_ml.config import ClassifierConfig, Family
from models_ml.errors import LabError
from models_ml.networks.blocks import ImageDropout
from models_ml.networks.classifier import Classifier
from models_ml.networks.compact import CompactClassifier
from models_ml.networks.vgg import VggClassifier

FAMILIES: dict[Family, Callable[[ClassifierConfig, int], Classifier]] = {
    "vgg": VggClassifier,
    "compact": CompactClassifier,
}


def build(config: ClassifierConfig, outputs: int = 2) -> Classifier:
    """Return a network of the family that the settings name, with fresh weights from torch's random numbers.

    Raises LabError if there is no such family.
    """
    if config.family not in FAMILIES:
        raise LabError(f"There is no family of networks {config.family!r}; choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[config.family](config, outputs)


def discriminator_from(classifier: Classifier, dropout: float) -> Classifier:
    """Return a copy of the trained classifier with a new output layer of one neuron (METHOD §3)."""
    discriminator = build(classifier.config, outputs=1).to(next(classifier.parameters()).dtype)
    discriminator.trunk.load_state_dict(classifier.trunk.state_dict())
    discriminator.inner.load_state_dict(classifier.inner.state_dict())
    for module in discriminator.modules():
        if isinstance(module, ImageDropout):
            module.p = dropout
    return discriminator
