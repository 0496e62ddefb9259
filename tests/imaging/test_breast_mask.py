"""The chest wall and the breast, measured on phantoms, on damaged phantoms and, where they lie, on real films."""

import csv
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.cohort.sources import raster
from readerstudy.cohort.sources.dicom import pixels
from readerstudy.cohort.sources.phantom import PhantomView, render, sample_cohort
from readerstudy.imaging.breast_mask import breast_weight, find_chest_wall
from readerstudy.imaging.grey_levels import to_16_bit
from tests.cohort.make_files import CBIS_DDSM, MINI_MIAS

Film = NDArray[np.uint16]
SIZE = (384, 312)
USUAL = {"L": "left", "R": "right"}
# By eye on contact sheets of all 322: odd films have the chest wall at the right, even ones at the left. In these
# two the breast fills the film, and no eye can tell.
UNCLEAR = {"mdb151", "mdb152"}


@cache
def phantoms() -> list[tuple[PhantomView, Film]]:
    return [(view, render(view, SIZE).values) for view in sample_cohort(6, seed=5)]


def negative(film: Film, view: PhantomView) -> Film:
    return 60000 - np.minimum(film, 60000)


def noisy(film: Film, view: PhantomView) -> Film:
    noise = np.random.default_rng(view.seed).normal(0, 3000, film.shape)
    return np.clip(film + noise, 0, 65535).astype(np.uint16)


def with_label(film: Film, view: PhantomView) -> Film:
    """A white label in the upper corner away from the chest wall."""
    labelled = film.copy()
    labelled[12:60, 20:90] = labelled[12:60, -90:-20] = 0
    corner = slice(-90, -20) if view.laterality == "L" else slice(20, 90)
    labelled[12:60, corner] = 60000
    return np.where(film > 2000, film, labelled)


def with_scanner_border(film: Film, view: PhantomView) -> Film:
    framed = film.copy()
    framed[:4], framed[:, :6], framed[:, -6:] = 45000, 50000, 0
    return framed


def with_filling(film: Film, view: PhantomView) -> Film:
    """Black filling on both sides: the chest wall lies inside the picture (mini-MIAS)."""
    return np.pad(film, ((0, 0), (100, 100)))


def with_bar(film: Film, view: PhantomView) -> Film:
    """A white bar beside the film, as high as the picture, on the side of the nipple."""
    bar = np.full((film.shape[0], 50), 64000, dtype=np.uint16)
    air = np.zeros((film.shape[0], 10), dtype=np.uint16)
    return np.hstack([film, air, bar] if view.laterality == "L" else [bar, air, film])


@pytest.mark.parametrize("damage", [negative, noisy, with_label, with_scanner_border, with_filling, with_bar])
def test_the_chest_wall_is_found_whatever_the_scanner_did(damage) -> None:
    for view, film in phantoms():
        damaged = damage(film, view)
        mirrored = np.ascontiguousarray(damaged[:, ::-1])
        found = (find_chest_wall(film), find_chest_wall(damaged), find_chest_wall(mirrored))
        usual = USUAL[view.laterality]
        assert found == (usual, usual, {"left": "right", "right": "left"}[usual]), view


@pytest.mark.parametrize(
    "film",
    [
        np.zeros(SIZE, np.uint16),
        np.full(SIZE, 30000, np.uint16),
        np.random.default_rng(0).integers(0, 65536, SIZE).astype(np.uint16),
        np.full((1, 1), 7, np.uint16),
    ],
    ids=["black", "grey", "noise", "one pixel"],
)
def test_where_there_is_no_breast_no_side_is_named(film: Film) -> None:
    assert find_chest_wall(film) == ""


def test_a_disc_that_touches_no_border_has_no_chest_wall() -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = np.where(np.hypot(rows - 190, columns - 150) < 100, 30000, 0).astype(np.uint16)
    assert find_chest_wall(disc) == ""


def test_the_weight_is_one_in_the_breast_and_nothing_on_label_and_air() -> None:
    clear = 0
    for view, film in phantoms():
        weight = breast_weight(with_label(film, view))
        corner = np.s_[14:58, -88:-22] if view.laterality == "L" else np.s_[14:58, 22:88]
        if (film[corner] < 2000).all():  # else the label touches the breast
            clear += 1
            assert (weight[corner] == 0).all()
        assert weight[film == 0].mean() < 0.01
        assert weight[film > 10000].mean() > 0.9
        assert (weight.min(), weight.max()) == (0, 1)
    assert clear > len(phantoms()) / 2


def test_the_weight_does_not_fall_towards_a_chest_wall_at_the_border() -> None:
    for view, film in phantoms():
        wall = breast_weight(film)[:, 0 if view.laterality == "L" else -1]
        assert (wall[150:230] == 1).all()


def test_a_picture_without_a_breast_may_be_changed_everywhere() -> None:
    assert (breast_weight(np.full(SIZE, 30000, np.uint16)) == 1).all()


@pytest.mark.skipif(not MINI_MIAS.exists(), reason="mini-MIAS is not on this machine")
def test_the_chest_wall_of_every_real_film_is_as_the_eye_sees_it() -> None:
    with (MINI_MIAS / "labels_images.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["refnum"] not in UNCLEAR][::5]
    seen = {row["refnum"]: "right" if int(row["refnum"][3:]) % 2 else "left" for row in rows}
    found = {
        row["refnum"]: find_chest_wall(to_16_bit(raster.load(MINI_MIAS / row["file"], name=row["refnum"])))
        for row in rows
    }
    assert len(found) == 64
    assert found == seen


@pytest.mark.skipif(not CBIS_DDSM.exists(), reason="CBIS-DDSM is not on this machine")
def test_the_chest_wall_of_scanned_dicom_films_is_as_the_eye_sees_it() -> None:
    with (CBIS_DDSM / "images.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        scan = pixels.load(CBIS_DDSM / row["file"], name=row["file"])
        assert find_chest_wall(to_16_bit(scan)) == USUAL[row["laterality"]]
