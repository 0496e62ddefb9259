"""Phantoms: the same everywhere, only the lesion depends on the finding, and each is drawn without its lesion too."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import mannwhitneyu

from readerstudy.errors import StudyError
from readerstudy.modalities.chest_radiography.phantom import PhantomView, lesion_box, render, sample_patients

SMALL = (128, 128)
ROOT = Path(__file__).parents[3]
KINDS = ("nodule", "granuloma", "nipple", "scar")


def with_lesion_kind(kind: str, *, seed: int = 4) -> PhantomView:
    return next(view for view in sample_patients(120, seed=seed) if view.lesion and view.lesion.kind == kind)


def digest(view: PhantomView) -> str:
    return hashlib.sha256(render(view, SMALL).values.tobytes()).hexdigest()


def test_a_seed_gives_the_same_patients_and_pictures_in_any_process() -> None:
    view = with_lesion_kind("nodule")
    there = "from tests.modalities.chest_radiography.test_phantom import *; print(digest(with_lesion_kind('nodule')))"
    result = subprocess.run([sys.executable, "-c", there], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == digest(view) == digest(view)
    assert sample_patients(20, seed=1) == sample_patients(20, seed=1) != sample_patients(20, seed=2)


def test_a_larger_cohort_starts_with_the_same_patients() -> None:
    few = [view.chest for view in sample_patients(10, seed=3)]
    assert few == [view.chest for view in sample_patients(30, seed=3)][:10]


def test_the_findings_have_their_shares_and_lesions() -> None:
    views = sample_patients(2000, seed=0, positive_fraction=0.25)
    shares = {finding: np.mean([v.finding == finding for v in views]) for finding in ("positive", "other", "normal")}
    assert shares["positive"] == 0.25
    assert abs(shares["other"] - 0.75 * 0.25) < 0.03
    assert {v.lesion.kind for v in views if v.lesion and v.finding == "positive"} == {"nodule"}
    assert {v.lesion.kind for v in views if v.lesion and v.finding == "other"} == set(KINDS) - {"nodule"}
    assert all((v.lesion is None) == (v.finding == "normal") for v in views)
    assert [v.patient for v in views] == list(range(2000))


def test_nodules_are_8_to_30_mm_across_on_both_sides_and_at_all_heights() -> None:
    nodules = [v.lesion for v in sample_patients(400, seed=5, positive_fraction=1) if v.lesion]
    widths = [2 * nodule.radius_mm for nodule in nodules]
    assert 8 <= min(widths) < 10
    assert 24 < max(widths) <= 30
    assert 0.4 < np.mean([nodule.side > 0 for nodule in nodules]) < 0.6
    assert min(nodule.height for nodule in nodules) < 0.2 < 0.8 < max(nodule.height for nodule in nodules)


def test_nothing_but_the_lesion_depends_on_the_finding() -> None:
    healthy = sample_patients(80, seed=5, positive_fraction=0)
    ill = sample_patients(80, seed=5, positive_fraction=1)
    assert [(v.chest, v.stance, v.seed) for v in healthy] == [(v.chest, v.stance, v.seed) for v in ill]


def test_the_order_of_patients_does_not_reveal_the_finding() -> None:
    positive = [view.patient for view in sample_patients(400, seed=11) if view.finding == "positive"]
    assert 150 < np.mean(positive) < 250


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tilt", [-0.05, 0.0, 0.05])
def test_the_lesion_free_image_differs_in_the_box_of_the_lesion_only(kind: str, tilt: float) -> None:
    view = with_lesion_kind(kind)
    view = replace(view, stance=replace(view.stance, tilt=tilt))
    phantom, without = render(view, (256, 256)), render(view, (256, 256), with_lesion=False)
    assert phantom.lesion_box is not None
    top, left, bottom, right = phantom.lesion_box
    changed = phantom.values != without.values
    assert changed[top:bottom, left:right].sum() == changed.sum() > 0
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert 0.5 * max(bottom - top, right - left) < max(np.ptp(rows), np.ptp(columns)) + 2
    assert (phantom.kind, without.kind, without.lesion_box) == (kind, "", None)
    assert (phantom.values.astype(int) - without.values).min() >= -1000  # noise grows with brightness


def test_a_normal_patient_is_drawn_once() -> None:
    view = next(view for view in sample_patients(60, seed=4) if view.lesion is None)
    phantom = render(view, SMALL)
    assert np.array_equal(phantom.values, render(view, SMALL, with_lesion=False).values)
    assert (phantom.kind, phantom.lesion_box, lesion_box(view, SMALL)) == ("", None, None)


def test_more_contrast_makes_the_lesion_brighter_and_changes_nothing_else() -> None:
    energies = []
    for contrast in (1.0, 2.0, 3.0):
        view = next(v for v in sample_patients(9, seed=2, contrast=contrast) if v.finding == "positive")
        without = render(view, SMALL, with_lesion=False).values
        energies.append(float(((render(view, SMALL).values.astype(float) - without) ** 2).sum()))
    plain = next(v for v in sample_patients(9, seed=2, contrast=1.0) if v.finding == "positive")
    assert np.array_equal(render(plain, SMALL, with_lesion=False).values, without)
    assert energies == sorted(energies)
    assert energies[2] > 1.5 * energies[0]


def test_nothing_saturates_and_the_air_is_dark() -> None:
    for view in sample_patients(8, seed=8, contrast=6.0, positive_fraction=1.0):
        values = render(view, SMALL).values
        assert values.max() < 0.95 * 65535
        assert np.percentile(values, 0.2) < 0.03 * 65535
        assert np.percentile(values, 98) > 0.5 * 65535


def test_the_lungs_are_darker_than_the_heart_and_the_abdomen() -> None:
    for view in sample_patients(8, seed=6):
        values = render(view, SMALL).values
        lungs = max(np.median(values[55:70, 32:42]), np.median(values[55:70, 86:96]))
        assert lungs < 0.7 * np.median(values[80:90, 62:72])
        assert lungs < 0.7 * np.median(values[118:, 50:78])


def test_two_patients_are_no_copies_of_each_other() -> None:
    pictures = []
    for view in sample_patients(24, seed=10):
        values = render(view, SMALL).values.astype(np.float32)
        small = np.asarray(Image.fromarray(values).resize((64, 64), Image.Resampling.BOX))
        pictures.append(small.ravel())
    alike = np.corrcoef(pictures) - np.eye(24)
    assert alike.max() < 0.98


def test_simple_facts_of_the_pixels_do_not_reveal_the_finding() -> None:
    views = sample_patients(120, seed=21, positive_fraction=0.5)
    values = [render(view, SMALL).values for view in views]
    for fact in (np.mean, np.std, np.max, np.median):
        facts = np.array([fact(picture) for picture in values])
        positive = np.array([view.finding == "positive" for view in views])
        area = mannwhitneyu(facts[positive], facts[~positive]).statistic / (positive.sum() * (~positive).sum())
        assert abs(area - 0.5) < 0.16  # three standard errors of 60 against 60


def test_a_phantom_is_the_same_chest_at_every_size() -> None:
    view = with_lesion_kind("nodule")
    large = Image.fromarray(render(view, (512, 512)).values.astype(np.float32))
    small = render(view, SMALL).values
    halved = np.asarray(large.resize((128, 128), Image.Resampling.BOX))
    assert np.corrcoef(halved.ravel(), small.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_a_phantom_knows_the_box_of_its_lesion_before_it_is_drawn(kind: str) -> None:
    view = with_lesion_kind(kind, seed=5)
    for size in (SMALL, (512, 512)):
        box = lesion_box(view, size)
        assert box == render(view, size).lesion_box
        assert box is not None
        top, left, bottom, right = box
        assert 0 <= top < bottom <= size[0]
        assert 0 <= left < right <= size[1]
    small, large = lesion_box(view, SMALL), lesion_box(view, (512, 512))
    assert small is not None
    assert large is not None
    shares = [(np.array(box) / size).tolist() for box, size in ((small, 128), (large, 512))]
    assert shares[0] == pytest.approx(shares[1], abs=1.5 / 128)


def test_impossible_patients_or_pictures_are_refused() -> None:
    with pytest.raises(StudyError, match="1 to 100000 patients, not 0"):
        sample_patients(0, seed=1)
    with pytest.raises(StudyError, match="between 0 and 1"):
        sample_patients(3, seed=1, positive_fraction=1.5)
    with pytest.raises(StudyError, match="square"):
        render(sample_patients(1, seed=1)[0], (200, 300))
