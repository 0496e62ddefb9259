"""Small phantoms for the tests of imaging."""

import numpy as np
from numpy.typing import NDArray

from readerstudy.modalities.mammography.phantom import render, sample_cohort

SIZE = (256, 208)


def left_breast() -> NDArray[np.uint16]:
    """Return a phantom of a left breast, whose chest wall is at the left border."""
    view = next(view for view in sample_cohort(6, seed=5) if view.laterality == "L")
    return render(view, SIZE).values
