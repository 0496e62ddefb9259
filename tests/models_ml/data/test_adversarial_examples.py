"""Adversarial images that join the training split, and their labels."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from models_ml.data.adversarial_examples import AdversarialExamples, with_adversarial_images
from models_ml.errors import LabError


@dataclass(frozen=True)
class Picture:
    image_id: int
    path: Path
    label: int
    split: str


PICTURES = [
    Picture(1, Path("one.png"), 1, "train"),
    Picture(2, Path("two.png"), 0, "train"),
    Picture(3, Path("three.png"), 1, "tuning"),
    Picture(4, Path("four.png"), 0, "test"),
]
ADVERSARIAL = {number: Path(f"adversarial-{number}.png") for number in (1, 2, 3, 4)}


def added(paths, *attacks, labels="own"):
    """Return the images that `with_adversarial_images` appends to the real ones."""
    images = with_adversarial_images(PICTURES, paths, AdversarialExamples(attacks, labels))
    assert images[:4] == PICTURES
    return images[4:]


def test_only_adversarial_images_of_training_images_join() -> None:
    images = added([ADVERSARIAL], "gan")
    assert [(image.path.name, image.split) for image in images] == [
        ("adversarial-1.png", "train"),
        ("adversarial-2.png", "train"),
    ]


def test_the_label_is_the_imitated_class_or_the_patients_own() -> None:
    assert [image.label for image in added([ADVERSARIAL], "gan", labels="flipped")] == [0, 1]
    assert [image.label for image in added([ADVERSARIAL], "gan", labels="own")] == [1, 0]


def test_every_attack_adds_its_own_images() -> None:
    images = added([ADVERSARIAL, {2: Path("pgd-2.png")}], "gan", "pgd")
    assert [image.path.name for image in images] == ["adversarial-1.png", "adversarial-2.png", "pgd-2.png"]


def test_an_attack_without_training_images_is_named() -> None:
    with pytest.raises(LabError, match="The attack pgd has no adversarial image of a training image"):
        added([ADVERSARIAL, {4: Path("pgd-4.png")}], "gan", "pgd")


def test_other_labels_are_refused() -> None:
    with pytest.raises(LabError, match="flipped or own"):
        AdversarialExamples(("gan",), "both")
