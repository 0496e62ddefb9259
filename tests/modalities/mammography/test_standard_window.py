"""The standard window of the reading page shows the inside of every lesion."""

import numpy as np
import pytest

from readerstudy.modalities.mammography.phantom import render, sample_cohort
from tests.standard_window import percentile, standard_window

SIZE = (512, 416)


# Calcifications are the brightest of all, up to where the detector itself flattens.
@pytest.mark.parametrize(("kind", "share"), [("mass", 0.02), ("benign", 0.02), ("calc", 0.06)])
def test_the_standard_window_clips_no_lesion(kind: str, share: float) -> None:
    clipped = []
    for view in [view for view in sample_cohort(60, seed=3) if view.lesion and view.lesion.kind == kind][:4]:
        phantom = render(view, SIZE)
        assert phantom.lesion_box is not None
        top, left, bottom, right = phantom.lesion_box
        lesion = phantom.values[top:bottom, left:right]
        low, high = standard_window(phantom.values)
        assert (lesion >= high).mean() < share
        assert low < np.median(lesion) < high
        clipped.append((lesion >= percentile(phantom.values, 0.998)).mean())
    # A percentile of the whole image, most of which is air, clips them.
    assert max(clipped) > share


def test_the_standard_window_does_not_depend_on_the_amount_of_air() -> None:
    view = next(view for view in sample_cohort(60, seed=3) if view.lesion and view.lesion.kind == "mass")
    values = render(view, SIZE).values
    more_air = np.pad(values, ((0, 0), (0, 400)))
    assert standard_window(more_air)[1] == pytest.approx(standard_window(values)[1], rel=0.01)
