"""Chest wall and breast of phantoms, of damaged phantoms and, if they are on this machine, of real images."""

import csv
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.imaging.grey_levels import to_16_bit
from readerstudy.modalities.mammography.breast_mask import breast_weight, find_chest_wall
from readerstudy.modalities.mammography.phantom import PhantomView, render, sample_cohort
from readerstudy.sources import raster
from readerstudy.sources.dicom import pixels
from tests.sources.make_files import CBIS_DDSM, MINI_MIAS

Grey16 = NDArray[np.uint16]
SIZE = (384, 312)
USUAL = {"L": "left", "R": "right"}
# By eye on contact sheets of all 322: odd images have the chest wall at the right, even ones at the left. In these two
# the breast fills the image, and its chest wall cannot be seen.
UNCLEAR = {"mdb151", "mdb152"}


@cache
def phantoms() -> list[tuple[PhantomView, Grey16]]:
    return [(view, render(view, SIZE).values) for view in sample_cohort(6, seed=5)]


def negative(image: Grey16, view: PhantomView) -> Grey16:
    return 60000 - np.minimum(image, 60000)


def noisy(image: Grey16, view: PhantomView) -> Grey16:
    noise = np.random.default_rng(view.seed).normal(0, 3000, image.shape)
    return np.clip(image + noise, 0, 65535).astype(np.uint16)


def with_label(image: Grey16, view: PhantomView) -> Grey16:
    """A white label in the upper corner away from the chest wall."""
    labelled = image.copy()
    labelled[12:60, 20:90] = labelled[12:60, -90:-20] = 0
    corner = slice(-90, -20) if view.laterality == "L" else slice(20, 90)
    labelled[12:60, corner] = 60000
    return np.where(image > 2000, image, labelled)


def with_scanner_border(image: Grey16, view: PhantomView) -> Grey16:
    framed = image.copy()
    framed[:4], framed[:, :6], framed[:, -6:] = 45000, 50000, 0
    return framed


def with_filling(image: Grey16, view: PhantomView) -> Grey16:
    """Black filling on both sides: the chest wall lies inside the picture (mini-MIAS)."""
    return np.pad(image, ((0, 0), (100, 100)))


def with_bar(image: Grey16, view: PhantomView) -> Grey16:
    """A white bar beside the image, as high as the picture, on the side of the nipple."""
    bar = np.full((image.shape[0], 50), 64000, dtype=np.uint16)
    air = np.zeros((image.shape[0], 10), dtype=np.uint16)
    return np.hstack([image, air, bar] if view.laterality == "L" else [bar, air, image])


@pytest.mark.parametrize("damage", [negative, noisy, with_label, with_scanner_border, with_filling, with_bar])
def test_the_chest_wall_is_found_in_damaged_scans(damage) -> None:
    for view, image in phantoms():
        damaged = damage(image, view)
        mirrored = np.ascontiguousarray(damaged[:, ::-1])
        chest_walls = (find_chest_wall(image), find_chest_wall(damaged), find_chest_wall(mirrored))
        usual = USUAL[view.laterality]
        assert chest_walls == (usual, usual, {"left": "right", "right": "left"}[usual]), view


@pytest.mark.parametrize(
    "image",
    [
        np.zeros(SIZE, np.uint16),
        np.full(SIZE, 30000, np.uint16),
        np.random.default_rng(0).integers(0, 65536, SIZE).astype(np.uint16),
        np.full((1, 1), 7, np.uint16),
    ],
    ids=["black", "grey", "noise", "one pixel"],
)
def test_an_image_without_a_breast_has_no_chest_wall(image: Grey16) -> None:
    assert find_chest_wall(image) == ""


def test_a_disc_that_touches_no_border_has_no_chest_wall() -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = np.where(np.hypot(rows - 190, columns - 150) < 100, 30000, 0).astype(np.uint16)
    assert find_chest_wall(disc) == ""


def test_the_weight_is_one_in_the_breast_and_zero_in_air() -> None:
    clear = 0
    for view, image in phantoms():
        weight = breast_weight(with_label(image, view))
        corner = np.s_[14:58, -88:-22] if view.laterality == "L" else np.s_[14:58, 22:88]
        if (image[corner] < 2000).all():  # else the label touches the breast
            clear += 1
            assert (weight[corner] == 0).all()
        assert weight[image == 0].mean() < 0.01
        assert weight[image > 10000].mean() > 0.9
        assert (weight.min(), weight.max()) == (0, 1)
    assert clear > len(phantoms()) / 2


def test_the_weight_is_one_at_a_chest_wall_at_the_border() -> None:
    for view, image in phantoms():
        wall = breast_weight(image)[:, 0 if view.laterality == "L" else -1]
        assert (wall[150:230] == 1).all()


def test_an_image_without_a_breast_has_weight_one() -> None:
    assert (breast_weight(np.full(SIZE, 30000, np.uint16)) == 1).all()


@pytest.mark.skipif(not MINI_MIAS.exists(), reason="mini-MIAS is not on this machine")
def test_the_chest_wall_of_mini_mias_is_as_seen_by_eye() -> None:
    with (MINI_MIAS / "labels_images.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["refnum"] not in UNCLEAR][::5]
    seen = {row["refnum"]: "right" if int(row["refnum"][3:]) % 2 else "left" for row in rows}
    chest_walls = {
        row["refnum"]: find_chest_wall(to_16_bit(raster.load(MINI_MIAS / row["file"], name=row["refnum"])))
        for row in rows
    }
    assert len(chest_walls) == 64
    assert chest_walls == seen


@pytest.mark.skipif(not CBIS_DDSM.exists(), reason="CBIS-DDSM is not on this machine")
def test_the_chest_wall_of_cbis_ddsm_is_as_labelled() -> None:
    with (CBIS_DDSM / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        scan = pixels.load(CBIS_DDSM / row["file"], name=row["file"])
        assert find_chest_wall(to_16_bit(scan)) == USUAL[row["laterality"]]
