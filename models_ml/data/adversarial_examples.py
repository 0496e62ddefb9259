"""Adversarial images in the training set: as more of the class that they imitate, or as a lesson not to be fooled."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from models_ml.errors import LabError

Lesson = Literal["flipped", "own"]
LESSONS: tuple[Lesson, ...] = ("flipped", "own")


class Pictured(Protocol):
    """A frozen dataclass that says where a picture lies, of which image it is, and what it teaches."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def image_id(self) -> int: ...
    @property
    def path(self) -> Path: ...
    @property
    def label(self) -> int: ...
    @property
    def split(self) -> str: ...


P = TypeVar("P", bound=Pictured)


@dataclass(frozen=True)
class Augmenting:
    """Which attacks' twins join the training split, and what they teach.

    `flipped` takes a fake for what it imitates, so that there are more cancers to learn from (GAN augmentation);
    `own` keeps the woman's own pathology, so that the classifier learns to see through the attack.
    """

    attacks: tuple[str, ...]
    labels: Lesson = "own"

    def __post_init__(self) -> None:
        if self.labels not in LESSONS:
            raise LabError(f"Fakes are labelled {' or '.join(LESSONS)}, not {self.labels!r}.")


def with_fakes(pictures: Sequence[P], twins: Sequence[Mapping[int, Path]], how: Augmenting) -> list[P]:
    """The pictures, and after them the twins of those that train; one mapping of image to file for each attack.

    Tuning and test stay real: what is chosen and reported is about real images. LabError where an attack left the
    training split alone.
    """
    fakes = [_fake(one, made[one.image_id], how) for made in twins for one in pictures if _trains(one, made)]
    for name, made in zip(how.attacks, twins, strict=True):
        if not any(_trains(one, made) for one in pictures):
            raise LabError(f"The attack {name} has no twin of a training image; make them first.")
    return [*pictures, *fakes]


def _trains(one: P, made: Mapping[int, Path]) -> bool:
    return one.split == "train" and one.image_id in made


def _fake(one: P, path: Path, how: Augmenting) -> P:
    changes: dict[str, Any] = {"path": path, "label": one.label if how.labels == "own" else 1 - one.label}
    return replace(one, **changes)
