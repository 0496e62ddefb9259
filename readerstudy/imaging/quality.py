"""Measures of how much an attack changed an image, and where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, log10
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, find_objects, label, uniform_filter

from readerstudy.imaging.image import WHITE, Grey16, WrongPixels

Floats = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)
Mask = NDArray[np.bool_]
BLOCK = 4  # pixels on a side
HUNDREDTH = 655  # grey levels: one per cent of full scale
C1, C2 = 0.01**2, 0.03**2  # constants of both similarities
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MEASURES = frozenset(
    {
        "linf_levels",
        "l2",
        "ssim",
        "ms_ssim",
        "psnr_db",
        "changed_share",
        "changed_by_a_hundredth_share",
        "lesion_energy_share",
        "lesion_enrichment",
        "changed_outside_share",
        "rms_in_region_share",
        "changed_regions",
    }
)
MS_SSIM_LEAST = 11 * 2 ** (len(MS_SSIM_WEIGHTS) - 1)  # pixels on a side, so that the last scale holds a window


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; top and left are included, bottom and right are not."""

    top: int
    left: int
    bottom: int
    right: int


def psnr(real: Grey16, adversarial: Grey16) -> float:
    """Return the peak signal-to-noise ratio in dB relative to full scale; infinite for equal images."""
    _require_pair(real, adversarial)
    error = float(np.mean((real.astype(np.float64) - adversarial) ** 2))
    return 10 * log10(WHITE**2 / error) if error else inf


def ssim(real: Grey16, adversarial: Grey16, *, window: int = 7) -> float:
    """Return the mean structural similarity (Wang et al., 2004) over square windows inside the image.

    Uniform windows, unbiased variances, K1 = 0.01, K2 = 0.03, as scikit-image's defaults. Raises WrongPixels if the
    sizes differ or an image is smaller than a window.
    """
    _require_pair(real, adversarial)
    if min(real.shape) < window:
        raise WrongPixels(f"Structural similarity needs at least {window} × {window} pixels.")
    x, y = (image / WHITE for image in _around_changes(real, adversarial, reach=window))
    mean_x, mean_y = uniform_filter(x, window), uniform_filter(y, window)
    unbiased = window**2 / (window**2 - 1)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances = unbiased * (uniform_filter(x * x + y * y, window) - squares)
    both = unbiased * (uniform_filter(x * y, window) - product)
    similarity = ((2 * product + C1) * (2 * both + C2)) / ((squares + C1) * (variances + C2))
    edge = window // 2
    return _mean_of_windows(similarity[edge:-edge, edge:-edge], real.shape, window)


def ms_ssim(real: Grey16, adversarial: Grey16) -> float:
    """Return the multi-scale structural similarity (Wang, Simoncelli & Bovik, 2003) over five scales by halves.

    Gaussian windows of 11 × 11 (σ = 1.5) inside the image, population variances, K1 = 0.01, K2 = 0.03; a negative
    similarity of contrast and structure counts as 0. Computed in float32. Raises WrongPixels if the sizes differ or an
    image is too small for five scales.
    """
    _require_pair(real, adversarial)
    if min(real.shape) < MS_SSIM_LEAST:
        raise WrongPixels(f"Multi-scale similarity needs at least {MS_SSIM_LEAST} × {MS_SSIM_LEAST} pixels.")
    x, y = _unit(real), _unit(adversarial)
    product = 1.0
    for scale, weight in enumerate(MS_SSIM_WEIGHTS, start=1):
        means = _similarities(x, y)
        is_last = scale == len(MS_SSIM_WEIGHTS)
        product *= max(0.0, means.with_luminance if is_last else means.structure) ** weight
        x, y = _halved(x), _halved(y)
    return product


def _unit(image: Grey16) -> Floats:
    return image.astype(np.float32) / np.float32(WHITE)


def _around_changes(x: NDArray[Number], y: NDArray[Number], *, reach: int) -> tuple[NDArray[Number], NDArray[Number]]:
    """Return both images cropped to all windows, `reach` wide, that hold a change; the others are bit-identical."""
    rows, columns = (np.flatnonzero(np.any(x != y, axis=axis)) for axis in (1, 0))
    if not rows.size:
        return x[:reach, :reach], y[:reach, :reach]
    crop = tuple(slice(max(0, int(at[0]) - reach + 1), int(at[-1]) + reach) for at in (rows, columns))
    return x[crop], y[crop]


def _mean_of_windows(similarity: NDArray[np.floating], shape: tuple[int, ...], window: int) -> float:
    """Return the mean over all windows of an image from those around its changes; the others have similarity 1."""
    windows = (shape[0] - window + 1) * (shape[1] - window + 1)
    return 1.0 - float((1 - similarity).sum(dtype=np.float64)) / windows


@dataclass(frozen=True)
class _Similarities:
    """Mean similarity over the windows of one scale: of contrast and structure alone, and with luminance."""

    structure: float
    with_luminance: float


def _similarities(x: Floats, y: Floats) -> _Similarities:
    shape, window = x.shape, 11
    x, y = _around_changes(x, y, reach=window)
    mean_x, mean_y = _blurred(x), _blurred(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, both = _blurred(x * x + y * y) - squares, _blurred(x * y) - product
    structure = (2 * both + C2) / (variances + C2)
    whole = structure * (2 * product + C1) / (squares + C1)
    return _Similarities(_mean_of_windows(structure, shape, window), _mean_of_windows(whole, shape, window))


def _blurred(image: Floats) -> Floats:
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    blurred: Floats = correlate1d(correlate1d(image, taps, axis=0), taps, axis=1)[5:-5, 5:-5]
    return blurred


def _halved(image: Floats) -> Floats:
    """Return means of two by two pixels; an odd last row or column is left out."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    even, odd = image[: 2 * rows : 2, : 2 * columns], image[1 : 2 * rows : 2, : 2 * columns]
    both = even + odd
    return (both[:, ::2] + both[:, 1::2]) * np.float32(0.25)


def greatest_change(real: Grey16, adversarial: Grey16) -> int:
    """Return L∞, the greatest change of a pixel in grey levels."""
    _require_pair(real, adversarial)
    return int(np.abs(real.astype(np.int32) - adversarial).max())


def euclidean(real: Grey16, adversarial: Grey16) -> float:
    """Return the L2 norm of the difference, with full scale as 1."""
    _require_pair(real, adversarial)
    return float(np.linalg.norm((real.astype(np.float64) - adversarial) / WHITE))


def changed_share(real: Grey16, adversarial: Grey16, *, above: int = 1) -> float:
    """Return the share of pixels that changed by more than `above` grey levels."""
    _require_pair(real, adversarial)
    return float((np.abs(real.astype(np.int32) - adversarial) > above).mean())


def rms_change(real: Grey16, adversarial: Grey16, region: Mask) -> float:
    """Return the root mean square of the change in the region as a share of full scale; 0 for an empty region."""
    _require_pair(real, adversarial)
    change = (real.astype(np.float64) - adversarial)[region] / WHITE
    return float(np.sqrt((change**2).mean())) if change.size else 0.0


def changed_regions(real: Grey16, adversarial: Grey16) -> int:
    """Return the number of connected areas where the change, without its grain, exceeds a hundredth of full scale.

    Means of BLOCK × BLOCK pixels are compared; an area of a single block does not count.
    """
    _require_pair(real, adversarial)
    return len(changed_boxes(adversarial.astype(np.int32) - real))


def changed_boxes(change: NDArray[np.int32]) -> tuple[Box, ...]:
    """Return the boxes around the areas that `changed_regions` counts, the one with the most changed blocks first.

    `change` (rows, columns) is the signed difference of an image and its source in 16-bit grey levels. Equal areas are
    in the order of their first block.
    """
    rows, columns = (max(1, side // BLOCK) for side in change.shape)
    whole = change[: rows * BLOCK, : columns * BLOCK]
    height, width = whole.shape[0] // rows, whole.shape[1] // columns
    means = whole.reshape(rows, height, columns, width).mean(axis=(1, 3))
    labelled, count = label(np.abs(means) > HUNDREDTH)
    sizes = np.bincount(labelled.ravel(), minlength=count + 1)[1:]
    boxes = [
        Box(down.start * height, across.start * width, down.stop * height, across.stop * width)
        for down, across in find_objects(labelled)
    ]
    return tuple(boxes[index] for index in np.argsort(-sizes, kind="stable").tolist() if sizes[index] > 1)


def energy_share(real: Grey16, adversarial: Grey16, *boxes: Box) -> float:
    """Return the share of the squared difference inside the boxes; 0 for equal images."""
    _require_pair(real, adversarial)
    energy = (real.astype(np.float64) - adversarial) ** 2
    total = float(energy.sum())
    inside = float(energy[box_mask(boxes, real.shape)].sum())
    return inside / total if total else 0.0


def enrichment(real: Grey16, adversarial: Grey16, *boxes: Box, region: Mask | None = None) -> float:
    """Return the boxes' share of the squared difference divided by their share of the region.

    It is 1 for a change that is spread evenly. The region is the whole image by default; a change outside of it counts
    as outside the boxes.
    """
    inside = box_mask(boxes, real.shape)
    within = np.ones(real.shape, dtype=bool) if region is None else region
    area = float((inside & within).sum()) / max(1, int(within.sum()))
    return energy_share(real, adversarial, *boxes) / area if area else 0.0


def box_mask(boxes: Sequence[Box], shape: tuple[int, ...]) -> Mask:
    """Return a mask of this shape that is true in the boxes."""
    inside = np.zeros(shape, dtype=bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    return inside


def lesion_boxes(lesions: Sequence[Mapping[str, float]], shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Return lesions, given as shares of height and width, as boxes of at least one pixel in an image of this shape."""
    rows, columns = shape
    return tuple(
        Box(
            top=(top := min(rows - 1, floor(lesion["top"] * rows))),
            left=(left := min(columns - 1, floor(lesion["left"] * columns))),
            bottom=max(top + 1, ceil(lesion["bottom"] * rows)),
            right=max(left + 1, ceil(lesion["right"] * columns)),
        )
        for lesion in lesions
    )


def measure_quality(
    real: Grey16,
    adversarial: Grey16,
    *,
    measures: Collection[str] = MEASURES,
    lesions: Sequence[Mapping[str, float]] = (),
    region: Mask | None = None,
) -> dict[str, float]:
    """Return the measures by name, as they are stored with an adversarial image.

    PSNR is missing for equal images, MS-SSIM for images too small for its five scales, the two measures about lesions
    without `lesions` (boxes as shares of height and width), and those about the region without `region`.
    """
    figures = {
        "linf_levels": float(greatest_change(real, adversarial)),
        "l2": euclidean(real, adversarial),
        "ssim": ssim(real, adversarial),
        "changed_share": changed_share(real, adversarial),
        "changed_by_a_hundredth_share": changed_share(real, adversarial, above=HUNDREDTH),
    }
    if min(real.shape) >= MS_SSIM_LEAST:
        figures["ms_ssim"] = ms_ssim(real, adversarial)
    if figures["linf_levels"]:
        figures["psnr_db"] = psnr(real, adversarial)
    if boxes := lesion_boxes(lesions, real.shape):
        figures["lesion_energy_share"] = energy_share(real, adversarial, *boxes)
        figures["lesion_enrichment"] = enrichment(real, adversarial, *boxes, region=region)
    if region is not None:
        figures["rms_in_region_share"] = rms_change(real, adversarial, region)
        figures["changed_regions"] = float(changed_regions(real, adversarial))
        figures["changed_outside_share"] = float(((real != adversarial) & ~region).mean())
    return {name: figure for name, figure in figures.items() if name in measures}


def _require_pair(real: Grey16, adversarial: Grey16) -> None:
    if real.shape != adversarial.shape or real.ndim != 2:
        raise WrongPixels("A comparison needs two grey images of the same size.")
