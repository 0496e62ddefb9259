"""Adversarial images in the training set: GAN augmentation, or a defence against the attacks."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from models_ml.errors import LabError
from readerstudy.vocabulary import Split

LabelSource = Literal["flipped", "own"]
LABEL_SOURCES: tuple[LabelSource, ...] = ("flipped", "own")


class LabelledFile(Protocol):
    """A frozen dataclass of a stored image: its file, its image's id, its label and its split."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def image_id(self) -> int: ...
    @property
    def path(self) -> Path: ...
    @property
    def label(self) -> int: ...
    @property
    def split(self) -> str: ...


F = TypeVar("F", bound=LabelledFile)


@dataclass(frozen=True)
class AdversarialExamples:
    """The attacks whose adversarial images join the training split, and the label of these images.

    `flipped` is the imitated class, which adds images of that class (GAN augmentation). `own` is the class of the
    source image, which trains the classifier to resist the attack.
    """

    attacks: tuple[str, ...]
    labels: LabelSource = "own"

    def __post_init__(self) -> None:
        if self.labels not in LABEL_SOURCES:
            raise LabError(f"Adversarial images are labelled {' or '.join(LABEL_SOURCES)}, not {self.labels!r}.")


def with_adversarial_images(
    images: Sequence[F], paths: Sequence[Mapping[int, Path]], examples: AdversarialExamples
) -> list[F]:
    """Return the real images, followed by the adversarial images of the training split.

    `paths` has a mapping of image id to file for each attack. The tuning and test splits stay real, because choices and
    results are about real images. Raises LabError if an attack has no image of the training split.
    """
    training = [image for image in images if image.split == Split.TRAIN]
    adversarial = []
    for attack, files in zip(examples.attacks, paths, strict=True):
        sources = [image for image in training if image.image_id in files]
        if not sources:
            raise LabError(f"The attack {attack} has no adversarial image of a training image; generate them first.")
        adversarial += [_altered(source, files[source.image_id], examples) for source in sources]
    return [*images, *adversarial]


def _altered(source: F, path: Path, examples: AdversarialExamples) -> F:
    changes: dict[str, Any] = {"path": path, "label": source.label if examples.labels == "own" else 1 - source.label}
    return replace(source, **changes)
