"""What makes phantoms resemble mammograms, measured."""

from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.modalities.mammography.phantom import PhantomView, lesion_box, render, sample_cohort

SIZE = (1024, 832)
PIXEL_MM = 286 / 1024
# The package has a function of the module's name.
drawing = import_module("readerstudy.modalities.mammography.phantom.render")


def left_views(position: str, *, patients: int = 8, seed: int = 21) -> list[PhantomView]:
    views = sample_cohort(patients, seed=seed)
    return [view for view in views if (view.laterality, view.view_position) == ("L", position)]


def spectral_exponent(patch: NDArray[np.float64]) -> float:
    """Return the exponent of the power spectrum between waves of 20 mm and 2 mm."""
    window = np.outer(np.hanning(len(patch)), np.hanning(len(patch)))
    power = np.abs(np.fft.fft2((patch - patch.mean()) * window)) ** 2
    frequency = np.fft.fftfreq(len(patch), PIXEL_MM)
    radius = np.hypot(frequency[:, None], frequency[None])
    rings = np.geomspace(1 / 20, 1 / 2, 9)
    means = [power[(radius >= low) & (radius < high)].mean() for low, high in pairwise(rings)]
    return -float(np.polyfit(np.log((rings[:-1] * rings[1:]) ** 0.5), np.log(means), 1)[0])


def test_tissue_has_the_power_spectrum_of_mammograms() -> None:
    exponents = []
    for view in left_views("CC"):
        values = render(view, SIZE, with_lesion=False).values.astype(float)
        column = round(0.25 * view.breast.depth_mm / PIXEL_MM)
        exponents.append(spectral_exponent(values[400:656, column : column + 256]))
    # Burgess (1999) finds 2.8 on average; single breasts differ.
    assert 2.4 < np.mean(exponents) < 3.4


def test_noise_grows_with_the_signal_and_is_correlated_a_little(monkeypatch) -> None:
    view = left_views("CC")[0]
    noisy = render(view, SIZE).values.astype(float)
    monkeypatch.setattr(drawing, "_NOISE", 0.0)
    clean = render(view, SIZE).values.astype(float)
    noise = noisy - clean
    dark, bright = ((clean > low) & (clean < high) for low, high in ((8000, 14000), (30000, 40000)))
    assert noise[bright].std() > 1.3 * noise[dark].std() > 0
    both = bright[:, 1:] & bright[:, :-1]
    assert 0.2 < np.corrcoef(noise[:, 1:][both], noise[:, :-1][both])[0, 1] < 0.7


def test_larger_pixels_have_less_noise(monkeypatch) -> None:
    view = left_views("CC")[0]
    spreads = {}
    for size in (SIZE, (512, 416)):
        noisy = render(view, size).values.astype(float)
        with monkeypatch.context() as patch:
            patch.setattr(drawing, "_NOISE", 0.0)
            spreads[size] = (noisy - render(view, size).values).std()
    assert spreads[512, 416] == pytest.approx(spreads[SIZE] / 2, rel=0.15)


def test_both_views_show_a_lesion_at_the_same_distance_from_the_nipple() -> None:
    by_breast: dict[tuple[int, str], dict[str, PhantomView]] = {}
    for view in sample_cohort(120, seed=13):
        if view.lesion:
            by_breast.setdefault((view.patient, view.laterality), {})[view.view_position] = view
    pairs = [views for views in by_breast.values() if len(views) == 2]
    assert len(pairs) > 20
    for views in pairs:
        distances, heights = [], []
        for view in views.values():
            assert view.lesion is not None
            x, _ = drawing._centre(view, view.lesion)
            distances.append(drawing._stance(view).nipple[0] - x)
            box = lesion_box(view, SIZE)
            assert box is not None
            heights.append((box[2] - box[0]) * PIXEL_MM)
        assert distances[0] == pytest.approx(distances[1], abs=10)
        assert heights[0] == pytest.approx(heights[1], abs=3 * PIXEL_MM)


def test_a_lesion_in_mlo_lies_in_front_of_the_muscle() -> None:
    for view in sample_cohort(120, seed=13):
        if view.lesion and view.view_position == "MLO":
            x, y = drawing._centre(view, view.lesion)
            assert y > drawing.lowest_muscle(view.breast, drawing._stance(view), x)


def test_the_muscle_reaches_down_to_about_the_nipple() -> None:
    for view in left_views("MLO", patients=30):
        stance = drawing._stance(view)
        assert abs(drawing.lowest_muscle(view.breast, stance, 1.0) - stance.nipple[1]) < 45


def test_healthy_breasts_hold_what_resembles_a_lesion() -> None:
    views = sample_cohort(200, seed=3)
    shares = []
    for pathology in ("positive", "normal"):
        chosen = [view for view in views if view.pathology == pathology]
        assert {finding.kind for view in chosen for finding in view.distractors} >= {"oval", "node", "island", "coarse"}
        shares.append(np.mean([len(view.distractors) for view in chosen]))
    assert shares[0] == pytest.approx(shares[1], rel=0.2)
