"""Which fakes join the training split, and what they teach."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from models_ml.data.adversarial_examples import Augmenting, with_fakes
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
TWINS = {number: Path(f"fake-{number}.png") for number in (1, 2, 3, 4)}


def test_only_twins_of_training_images_join_and_real_ones_stay_first() -> None:
    found = with_fakes(PICTURES, [TWINS], Augmenting(("gan",)))
    assert found[:4] == PICTURES
    assert [(one.path.name, one.split) for one in found[4:]] == [("fake-1.png", "train"), ("fake-2.png", "train")]


def test_a_fake_teaches_what_it_imitates_or_what_the_woman_has() -> None:
    assert [one.label for one in with_fakes(PICTURES, [TWINS], Augmenting(("gan",), "flipped"))[4:]] == [0, 1]
    assert [one.label for one in with_fakes(PICTURES, [TWINS], Augmenting(("gan",), "own"))[4:]] == [1, 0]


def test_every_attack_brings_its_own_twins() -> None:
    pgd = {2: Path("pgd-2.png")}
    found = with_fakes(PICTURES, [TWINS, pgd], Augmenting(("gan", "pgd")))
    assert [one.path.name for one in found[4:]] == ["fake-1.png", "fake-2.png", "pgd-2.png"]


def test_an_attack_without_training_twins_is_named() -> None:
    with pytest.raises(LabError, match="The attack pgd has no twin of a training image"):
        with_fakes(PICTURES, [TWINS, {4: Path("pgd-4.png")}], Augmenting(("gan", "pgd")))


def test_other_lessons_are_refused() -> None:
    with pytest.raises(LabError, match="flipped or own"):
        Augmenting(("gan",), "both")
