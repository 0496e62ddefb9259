"""Which images are displayed mirrored; an adversarial image is displayed as its source image."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from readerstudy.api.reader.steps import ImageFormat, image_format
from readerstudy.cohort.models import Image, Stimulus
from readerstudy.imaging.image import Pixels
from readerstudy.modalities.mammography.attributes import hangs_mirrored
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.sources.source import ImportBatch
from readerstudy.truth.actions import import_cohort
from readerstudy.truth.models import Truth
from tests import make


def mirrored(number: int) -> Pixels:
    drawn = make.drawn(number)
    return Pixels(np.ascontiguousarray(drawn.values[:, ::-1]), drawn.bits)


def imported(*sources, name: str = "films") -> list[Image]:
    import_cohort(name, ImportBatch("MG", sources), seed=1, at=make.MONDAY, resolutions=["low"], processes=1)
    return list(Image.objects.order_by("pk"))


@pytest.mark.parametrize(
    ("laterality", "chest_wall", "flip"),
    [
        ("L", "left", False),
        ("L", "right", True),
        ("R", "right", False),
        ("R", "left", True),
        ("", "left", False),
        ("R", "", False),
    ],
)
def test_a_picture_hangs_mirrored_where_side_and_chest_wall_disagree(
    laterality: str, chest_wall: str, flip: bool
) -> None:
    image = Image(attributes={"laterality": laterality, "chest_wall": chest_wall})
    assert hangs_mirrored(image.attributes) is flip
    shown = image_format(Stimulus(image=image, rows=3, columns=2), MAMMOGRAPHY)
    assert shown == ImageFormat(width=2, height=3, bits=16, flip=flip)


def test_the_chest_wall_is_measured_at_import(db, small) -> None:
    usual = make.source(1, "w1", "benign")
    turned = replace(make.source(2, "w2", "benign"), load=partial(mirrored, 2))
    right = replace(make.source(3, "w3", "benign", laterality="R"), load=partial(mirrored, 3))
    images = imported(usual, turned, right)
    assert [image.attributes["chest_wall"] for image in images] == ["left", "right", "right"]
    assert [hangs_mirrored(image.attributes) for image in images] == [False, True, False]


def test_what_the_source_says_is_taken_only_where_the_pixels_say_nothing(db, small) -> None:
    blank = Pixels(np.full((96, 78), 900, np.uint16), 12)
    said = [
        replace(make.source(1, "w1", "benign"), attributes={"chest_wall": "right"}),
        replace(make.source(2, "w2", "benign"), attributes={"chest_wall": "right"}, load=lambda: blank),
    ]
    assert [image.attributes["chest_wall"] for image in imported(*said)] == ["left", "right"]


def test_importing_again_measures_what_was_stored_without(db, small) -> None:
    source = make.source(1, "w1", "benign")
    imported(source)
    Image.objects.update(attributes={"laterality": "L"})
    (image,) = imported(source)
    assert image.attributes == {"laterality": "L", "view_position": "CC", "chest_wall": "left"}
    assert image.stimuli.count() == 1


def test_an_adversarial_image_is_displayed_as_its_source(study) -> None:
    """Half of the real images are mirrored here; each adversarial image follows, though its file differs."""
    for image in Image.objects.all()[::2]:
        image.attributes["chest_wall"] = {"left": "right", "right": "left"}[image.attributes["chest_wall"]]
        image.save()
    pairs = Truth.objects.exclude(source_image=None).select_related("stimulus__image", "source_image__image")
    flips = [
        (image_format(pair.stimulus, MAMMOGRAPHY).flip, image_format(pair.source_image, MAMMOGRAPHY).flip)
        for pair in pairs
    ]
    assert {real for _, real in flips} == {True, False}
    assert all(twin == real for twin, real in flips)
