"""Phantoms: the same everywhere, only the lesion depends on the label, and each is drawn without its lesion too."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from readerstudy.errors import StudyError
from readerstudy.imaging.background import background_level
from readerstudy.imaging.resize import resize
from readerstudy.modalities.mammography.phantom import PhantomView, lesion_box, phantom_images, render, sample_cohort

SMALL = (256, 208)
ROOT = Path(__file__).parents[3]


def with_lesion_kind(kind: str, *, seed: int = 4) -> PhantomView:
    """The first view of a cohort whose breast carries such a lesion."""
    return next(view for view in sample_cohort(60, seed=seed) if view.lesion and view.lesion.kind == kind)


def digest(view: PhantomView) -> str:
    return hashlib.sha256(render(view, SMALL).values.tobytes()).hexdigest()


def test_a_seed_gives_the_same_cohort_and_the_same_pictures_in_any_process() -> None:
    view = with_lesion_kind("mass")
    there = "from tests.modalities.mammography.test_phantom import *; print(digest(with_lesion_kind('mass')))"
    told = subprocess.run([sys.executable, "-c", there], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == digest(view) == digest(view)
    assert sample_cohort(20, seed=1) == sample_cohort(20, seed=1) != sample_cohort(20, seed=2)


def test_a_larger_cohort_starts_with_the_same_patients() -> None:
    few = {view.patient: view.breast for view in sample_cohort(10, seed=3)}
    many = {view.patient: view.breast for view in sample_cohort(30, seed=3)}
    assert few == {patient: many[patient] for patient in few}


def test_the_cohort_has_the_shares_of_the_article() -> None:
    views = sample_cohort(1284, seed=0)
    positive = {view.patient for view in views if view.pathology == "positive"}
    benign = {view.patient for view in views if view.pathology == "other"}
    calcifications = {view.patient for view in views if view.lesion and view.lesion.kind == "calc"}
    assert len({view.patient for view in views}) == 1284
    assert len(positive) == 366
    assert abs(len(benign) / (1284 - 366) - 0.15) < 0.04
    assert abs(len(calcifications) / 366 - 0.27) < 0.08
    assert abs(len(views) / (366 * 2 + 918 * 4) - 0.945) < 0.02


def test_cancer_patients_show_the_affected_breast_only_and_the_others_both() -> None:
    views = sample_cohort(300, seed=7)
    sides: dict[int, set[str]] = {}
    for view in views:
        sides.setdefault(view.patient, set()).add(view.laterality)
        assert (view.pathology == "normal") <= (view.lesion is None)
        assert (view.pathology == "positive") <= (view.lesion is not None and view.lesion.kind != "benign")
    positive = {view.patient for view in views if view.pathology == "positive"}
    assert all(len(sides[patient]) == 1 for patient in positive)
    assert sum(len(sides[patient]) == 2 for patient in sides.keys() - positive) > 200
    left = sum(sides[patient] == {"L"} for patient in positive)
    assert 0.3 < left / len(positive) < 0.7


def test_nothing_but_the_lesion_knows_the_label() -> None:
    healthy = {(v.patient, v.laterality, v.view_position): v for v in sample_cohort(80, seed=5, positive_fraction=0)}
    ill = sample_cohort(80, seed=5, positive_fraction=1)
    for view in ill:
        twin = healthy.get((view.patient, view.laterality, view.view_position))
        if twin is not None:
            assert (view.breast, view.seed) == (twin.breast, twin.seed)
    assert {v.patient for v in ill} == {v.patient for v in healthy.values()}


def test_the_order_of_patients_does_not_reveal_the_label() -> None:
    positive = {view.patient for view in sample_cohort(400, seed=11) if view.pathology == "positive"}
    assert 150 < np.mean(sorted(positive)) < 250


@pytest.mark.parametrize("kind", ["mass", "calc", "benign"])
@pytest.mark.parametrize("view_position", ["CC", "MLO"])
@pytest.mark.parametrize("laterality", ["L", "R"])
def test_the_lesion_free_image_differs_at_the_lesion_only(kind: str, view_position: str, laterality: str) -> None:
    view = replace(with_lesion_kind(kind), view_position=view_position, laterality=laterality)
    phantom, twin = render(view, SMALL), render(view, SMALL, with_lesion=False)
    change = (phantom.values.astype(float) - twin.values) ** 2
    assert phantom.lesion_box is not None
    top, left, bottom, right = phantom.lesion_box
    assert change[top:bottom, left:right].sum() > 0.8 * change.sum() > 0
    assert (change > 0).mean() < 0.15
    assert (phantom.kind, twin.kind, twin.lesion_box) == (kind, "", None)


def test_a_breast_without_lesion_is_drawn_once() -> None:
    view = next(view for view in sample_cohort(60, seed=4) if view.lesion is None)
    assert np.array_equal(render(view, SMALL).values, render(view, SMALL, with_lesion=False).values)


def test_more_contrast_makes_the_lesion_brighter_and_changes_nothing_else() -> None:
    energies = []
    for contrast in (1.0, 2.0, 3.0):
        view = next(v for v in sample_cohort(9, seed=2, contrast=contrast) if v.pathology == "positive")
        twin = render(view, SMALL, with_lesion=False).values
        energies.append(float(((render(view, SMALL).values.astype(float) - twin) ** 2).sum()))
    plain = next(v for v in sample_cohort(9, seed=2, contrast=1.0) if v.pathology == "positive")
    assert np.array_equal(render(plain, SMALL, with_lesion=False).values, twin)
    assert energies == sorted(energies)
    assert energies[2] > 1.5 * energies[0]


def test_nothing_saturates_and_the_air_is_dark() -> None:
    for view in sample_cohort(6, seed=8, contrast=6.0, positive_fraction=1.0):
        values = render(view, SMALL).values
        assert values.max() < 0.95 * 65535
        assert background_level(values) < 0.002 * 65535


def test_the_chest_wall_is_left_in_a_left_breast_and_right_in_a_right_one() -> None:
    for view in sample_cohort(4, seed=6):
        bright = render(view, SMALL).values > 6000
        left, right = bright[:, :4].mean(), bright[:, -4:].mean()
        assert (left > 0.3 > right) if view.laterality == "L" else (right > 0.3 > left)


def test_a_phantom_is_the_same_breast_at_every_size() -> None:
    view = with_lesion_kind("mass")
    large = resize(render(view, (1024, 832)).values, SMALL)
    small = render(view, SMALL).values
    assert np.corrcoef(large.ravel(), small.ravel())[0, 1] > 0.99
    assert render(view, (1728, 1408)).values.shape == (1728, 1408)


def test_a_phantom_cohort_is_a_source_like_any_other() -> None:
    found = phantom_images(4, seed=9, size=SMALL)
    views = sample_cohort(4, seed=9)
    assert not found.problems
    assert [image.pathology for image in found.images] == [view.pathology for view in views]
    assert len({image.name for image in found.images}) == len(views)
    loaded = found.images[0].load()
    assert loaded.bits == 16
    assert np.array_equal(loaded.values, render(views[0], SMALL).values)
    assert found.images[0].pixel_spacing_mm == pytest.approx(286 / 256)


def test_phantoms_say_what_kind_of_lesion_they_have_and_how_dense_they_are() -> None:
    found = phantom_images(60, seed=9, size=SMALL).images
    views = sample_cohort(60, seed=9)
    for image, view in zip(found, views, strict=True):
        assert bool(image.groups["lesion_kind"]) == (view.lesion is not None)
    assert {image.groups["lesion_kind"] for image in found if image.pathology == "positive"} == {
        "mass",
        "calcification",
    }
    assert {image.groups["density"] for image in found} == set("abcd")
    sparse = min(zip(found, views, strict=True), key=lambda pair: pair[1].breast.density)
    assert sparse[0].groups["density"] == "a"


@pytest.mark.parametrize(("seed", "size"), [(4, (64, 52)), (5, (96, 80))])
def test_a_phantom_knows_its_lesion_s_place_before_it_is_drawn(seed: int, size: tuple[int, int]) -> None:
    views = sample_cohort(60, seed=seed)
    known = [image.lesions for image in phantom_images(60, seed=seed, size=size).images]
    kinds = {}
    for view, lesions in zip(views, known, strict=True):
        kind = view.lesion.kind if view.lesion else ""
        kinds.setdefault((kind, view.laterality, view.view_position), (view, lesions))
        assert (lesions == ()) == (view.lesion is None)
    assert {kind for kind, *_ in kinds} == {"", "mass", "calc", "benign"}
    for view, lesions in kinds.values():
        assert (box := render(view, size).lesion_box) == lesion_box(view, size)
        rows, columns = size
        shares = [
            (one["top"] * rows, one["left"] * columns, one["bottom"] * rows, one["right"] * columns)
            for one in lesions or ()
        ]
        assert shares == ([pytest.approx(box)] if box else [])


def test_an_impossible_cohort_or_picture_is_refused() -> None:
    with pytest.raises(StudyError, match="1 to 100000 patients, not 0"):
        sample_cohort(0, seed=1)
    with pytest.raises(StudyError, match="between 0 and 1"):
        sample_cohort(3, seed=1, positive_fraction=1.5)
    with pytest.raises(StudyError, match="as wide as high"):
        render(sample_cohort(1, seed=1)[0], (200, 300))
