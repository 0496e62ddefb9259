"""Facts of an image file that show how it was made: depth, sharpness, interpolation, compression, border.

A real file and its adversarial version are compared by them before anybody reads (`truth.tells`).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter1d

from readerstudy.imaging.background import background_level
from readerstudy.imaging.image import WHITE, Grey16
from readerstudy.imaging.masks import Mask

BLOCK: Final = 8  # JPEG's
_TREND: Final = 33  # pixels over which the detail of a row changes smoothly
_LOWEST: Final = 0.1  # cycles per pixel: below it are structures, not interpolation
_PARTS: Final = 32  # an image's shorter side, in blocks that count as changed or not
_OUTSTANDING: Final = 4.0  # a block has changed if its change is this many times the usual one
_LEAST_CHANGE: Final = 64  # grey levels, a thousandth of full scale
_LEAST_UNCHANGED: Final = 0.1  # of the tissue


def source_facts(values: Grey16, *, bits: int, unchanged: Mask) -> dict[str, float]:
    """Return the facts of one image file (rows, columns), its values spread over 16 bits, by name.

    `bits` are those of the real file. `unchanged` is where the adversarial file has only the attack's general traces.
    """
    return {
        "distinct levels of the file": float(len(np.unique(values))),
        "empty levels of the file": empty_levels(values, bits),
        "sharpness of the file": sharpness(values, unchanged),
        "interpolation in the file": interpolation(values),
        "compression blocks in the file": compression_blocks(values),
        "border of the file": _border_level(values),
        "background of the file": float(background_level(values)),
    }


def stored_facts(values: Grey16, *, bits: int, tissue: Mask) -> dict[str, float]:
    """Return the facts of `source_facts` that a stored image has too, by name: for images without a counterpart.

    `bits` are those of the levels on which the image is stored.
    """
    return {
        "empty levels": empty_levels(values, bits),
        "sharpness": sharpness(values, tissue),
        "interpolation": interpolation(values),
        "compression blocks": compression_blocks(values),
    }


def empty_levels(values: Grey16, bits: int) -> float:
    """Return the share of grey levels of `bits` that no pixel has, between the first and the last percentile."""
    brightest = 2**bits - 1
    levels = (values.astype(np.int64) * brightest + WHITE // 2) // WHITE
    low, high = (int(level) for level in np.percentile(levels, (1, 99)))
    counts = np.bincount(levels.ravel(), minlength=brightest + 1)[low : high + 1]
    return float((counts == 0).mean())


def sharpness(values: Grey16, mask: Mask) -> float:
    """Return the variance of the Laplacian within the mask, as log10; 0 for an image without detail."""
    grey = values.astype(np.int64)
    inside = grey[1:-1, 1:-1]
    laplacian = 4 * inside - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    chosen = laplacian[mask[1:-1, 1:-1]]
    return float(np.log10(1.0 + chosen.var())) if chosen.size else 0.0


def interpolation(values: Grey16) -> float:
    """Return how far steps between pixels vary periodically: the largest peak of their spectrum over its median.

    Noise has about 4. An enlarged image has a peak at its factor, in the first derivative or in the second
    (Gallagher, 2005). The larger one of both axes.
    """
    grey = values.astype(np.float32)
    return max(_periodicity(np.abs(np.diff(side, n=order, axis=1))) for side in (grey, grey.T) for order in (1, 2))


def _periodicity(steps: NDArray[np.float32]) -> float:
    detail = steps.mean(axis=0, dtype=np.float64)
    # Without the ends, where the image's border would count as detail.
    detail = (detail / (1.0 + uniform_filter1d(detail, _TREND, mode="nearest")))[2:-2]
    if detail.size < _TREND:
        return 0.0
    spectrum = np.abs(np.fft.rfft((detail - detail.mean()) * np.hanning(detail.size)))
    high = spectrum[np.fft.rfftfreq(detail.size) >= _LOWEST]
    middle = float(np.median(high))
    return float(high.max()) / middle if middle else 0.0


def compression_blocks(values: Grey16) -> float:
    """Return how far steps at the edges of JPEG's blocks exceed other steps, relative to all; the mean of both axes.

    About 0 without blocks. The blocks start at the top left pixel, as in a file that was not cropped afterwards.
    """
    grey = values.astype(np.float32)
    return (_blocks(grey) + _blocks(grey.T)) / 2


def _blocks(grey: NDArray[np.float32]) -> float:
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0, dtype=np.float64)
    if steps.size < 4 * BLOCK:
        return 0.0
    excess = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
    edge = BLOCK - 2  # of `excess`: the step from the last pixel of a block to the first of the next
    # Interpolation by two lifts every second step: the others are those that it would lift alike.
    others = np.concatenate([excess[phase::BLOCK] for phase in range(edge % 2, BLOCK, 2) if phase != edge])
    usual = float(steps.mean())
    return float(np.median(excess[edge::BLOCK]) - np.median(others)) / usual if usual else 0.0


def _border_level(values: Grey16) -> float:
    sides = (values[0], values[-1], values[:, 0], values[:, -1])
    return float(np.concatenate(sides).mean())


def find_unchanged(real: Grey16, adversarial: Grey16, tissue: Mask) -> Mask:
    """Return the tissue without the blocks that have changed far more than usual: where something was drawn.

    All tissue if nearly all of it would be left out. Both images have the shape of `tissue`, (rows, columns).
    """
    side = max(BLOCK, min(real.shape) // _PARTS)
    change = _block_means(np.abs(real.astype(np.int32) - adversarial), side)
    share = _block_means(tissue, side)
    inside = change[share > 0.5]
    usual = float(np.median(inside)) if inside.size else 0.0
    drawn = binary_dilation(change > max(_OUTSTANDING * usual, _LEAST_CHANGE))
    kept = tissue & ~np.kron(drawn, np.ones((side, side), dtype=bool))[: real.shape[0], : real.shape[1]]
    return kept if kept.sum() >= _LEAST_UNCHANGED * tissue.sum() else tissue


def _block_means(values: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Return the means of square blocks; the last ones are filled up with copies of the border."""
    rows, columns = (-(-length // side) for length in values.shape)
    padded = np.pad(
        values.astype(np.float64),
        ((0, rows * side - values.shape[0]), (0, columns * side - values.shape[1])),
        mode="edge",
    )
    means: NDArray[np.float64] = padded.reshape(rows, side, columns, side).mean(axis=(1, 3))
    return means
