"""The background level of an image and its placement in a frame."""

import numpy as np
import pytest

from readerstudy.cohort.prepare import prepare
from readerstudy.imaging.background import background_level, darkest_border_level
from readerstudy.imaging.image import Pixels, WrongPixels, require_grey16
from readerstudy.imaging.png16 import decode_png
from readerstudy.imaging.resize import Anchor, Placement, find_placement, resize
from readerstudy.modalities.mammography.breast_mask import find_chest_wall
from readerstudy.modalities.mammography.geometry import GEOMETRY, find_anchor
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from tests import make
from tests.modalities.mammography.phantoms import SIZE, left_breast

WIDE = (SIZE[0], SIZE[1] + 60)


def test_the_darkest_border_is_taken_whichever_side_it_is():
    for turns in range(4):
        image = np.full((40, 40), 9000, np.uint16)
        image[0] = 500
        assert darkest_border_level(np.rot90(image, turns), strips=40) == 500
        assert darkest_border_level(np.rot90(image, turns), strips=4) == 9000  # of ten rows one is dark


def test_a_border_strip_is_a_hundredth_but_at_least_a_pixel():
    image = np.full((300, 200), 9000, np.uint16)
    image[:3] = 500
    assert background_level(image) == 500
    assert background_level(np.full((1, 1), 7, np.uint16)) == 7


@pytest.mark.parametrize(("anchor", "left"), [(Anchor.LEFT, 0), (Anchor.RIGHT, 60), (Anchor.MIDDLE, 30)])
def test_an_image_lies_at_its_anchor(anchor, left):
    image = left_breast()
    place = find_placement(image, WIDE, anchor=anchor)
    assert place == Placement(frame=WIDE, top=0, left=left, rows=SIZE[0], columns=SIZE[1])
    framed = resize(image, WIDE, anchor=anchor)
    assert np.array_equal(framed[:, left : left + SIZE[1]], image)


def test_the_anchor_is_not_searched_for_if_the_frame_is_full():
    image = left_breast()
    resize(image, (SIZE[0] // 2, SIZE[1] // 2), anchor=lambda values: pytest.fail("searched for"))


def test_an_import_detects_the_chest_wall_once(monkeypatch):
    calls = []

    def detect(values):
        calls.append(values.shape)
        return find_chest_wall(values)

    monkeypatch.setattr("readerstudy.modalities.mammography.geometry.find_chest_wall", detect)
    narrow = np.ascontiguousarray(left_breast()[:, :150])
    source = make.source(3, "patient", "benign")
    object.__setattr__(source, "load", lambda: Pixels(narrow, 16))
    sizes = {name: layout.size for name, layout in MAMMOGRAPHY.layouts.items()}
    prepared = prepare(source, modality="MG", sizes=sizes)
    assert calls == [narrow.shape]
    assert prepared.attributes["chest_wall"] == "left"
    for name, size in sizes.items():
        assert np.array_equal(decode_png(prepared.pngs[name]), GEOMETRY.resize(narrow, size))


def test_detected_and_given_chest_wall_frame_an_image_alike():
    for image in (left_breast(), np.ascontiguousarray(left_breast()[:, ::-1])):
        anchor = find_anchor(image)
        assert anchor != Anchor.MIDDLE
        assert np.array_equal(GEOMETRY.resize(image, WIDE), resize(image, WIDE, anchor=anchor))


def test_a_box_moves_with_the_image_in_its_frame():
    place = Placement(frame=(100, 80), top=10, left=20, rows=80, columns=40)
    box = place.to_frame({"top": 0.5, "left": 0.25, "bottom": 1, "right": 0.75})
    assert box == {"top": 0.5, "left": 0.375, "bottom": 0.9, "right": 0.625}


@pytest.mark.parametrize(
    "values", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.uint16), np.zeros((0, 2), np.uint16)]
)
def test_only_a_16_bit_image_has_a_size_in_the_study(values):
    with pytest.raises(WrongPixels, match="16-bit"):
        require_grey16(values)
    with pytest.raises(WrongPixels):
        resize(values, (4, 4))
