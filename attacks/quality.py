"""How much an attack changed a picture, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, log10
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, uniform_filter

from models_ml.errors import WrongImages

Image = NDArray[np.uint16]
Floats = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)
Mask = NDArray[np.bool_]
FULL_SCALE = 65535.0
HUNDREDTH = 655  # grey levels: one per cent of full scale
C1, C2 = 0.01**2, 0.03**2  # both similarities' constants
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_SSIM_LEAST = 11 * 2 ** (len(MS_SSIM_WEIGHTS) - 1)  # pixels on a side: the last scale still holds one window


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: top and left included, bottom and right not."""

    top: int
    left: int
    bottom: int
    right: int


def psnr(real: Image, adversarial: Image) -> float:
    """Peak signal-to-noise ratio in dB against full scale; infinite for equal pictures."""
    _require_pair(real, adversarial)
    error = float(np.mean((real.astype(np.float64) - adversarial) ** 2))
    return 10 * log10(FULL_SCALE**2 / error) if error else inf


def ssim(real: Image, adversarial: Image, *, window: int = 7) -> float:
    """Mean structural similarity (Wang et al., 2004) over square windows wholly inside the picture.

    Uniform windows, unbiased variances, K1 = 0.01, K2 = 0.03: scikit-image's defaults.
    """
    _require_pair(real, adversarial)
    if min(real.shape) < window:
        raise WrongImages(f"Structural similarity needs at least {window} × {window} pixels.")
    x, y = (picture / FULL_SCALE for picture in _around_changes(real, adversarial, reach=window))
    mean_x, mean_y = uniform_filter(x, window), uniform_filter(y, window)
    unbiased = window**2 / (window**2 - 1)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances = unbiased * (uniform_filter(x * x + y * y, window) - squares)
    both = unbiased * (uniform_filter(x * y, window) - product)
    similarity = ((2 * product + C1) * (2 * both + C2)) / ((squares + C1) * (variances + C2))
    edge = window // 2
    return _mean_of_windows(similarity[edge:-edge, edge:-edge], real.shape, window)


def ms_ssim(real: Image, adversarial: Image) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli & Bovik, 2003): five scales, each half of the one before.

    Gaussian windows of 11 × 11 (σ = 1.5) wholly inside the picture, population variances, K1 = 0.01, K2 = 0.03; a
    scale whose contrast and structure disagree altogether counts as 0. Computed in float32.
    """
    _require_pair(real, adversarial)
    if min(real.shape) < MS_SSIM_LEAST:
        raise WrongImages(f"Multi-scale similarity needs at least {MS_SSIM_LEAST} × {MS_SSIM_LEAST} pixels.")
    x, y = _unit(real), _unit(adversarial)
    product = 1.0
    for number, weight in enumerate(MS_SSIM_WEIGHTS, start=1):
        structure, whole = _similarities(x, y)
        last = number == len(MS_SSIM_WEIGHTS)
        product *= max(0.0, whole if last else structure) ** weight
        x, y = _halved(x), _halved(y)
    return product


def _unit(picture: Image) -> Floats:
    return picture.astype(np.float32) / np.float32(FULL_SCALE)


def _around_changes(x: NDArray[Number], y: NDArray[Number], *, reach: int) -> tuple[NDArray[Number], NDArray[Number]]:
    """Both pictures cut down to every window, `reach` wide, that holds a change: the others are alike, to the bit."""
    rows, columns = (np.flatnonzero(np.any(x != y, axis=axis)) for axis in (1, 0))
    if not rows.size:
        return x[:reach, :reach], y[:reach, :reach]
    place = tuple(slice(max(0, int(at[0]) - reach + 1), int(at[-1]) + reach) for at in (rows, columns))
    return x[place], y[place]


def _mean_of_windows(similarity: NDArray[np.floating], shape: tuple[int, ...], window: int) -> float:
    """The mean over all windows of a picture from those around its changes; the rest have similarity 1."""
    windows = (shape[0] - window + 1) * (shape[1] - window + 1)
    return 1.0 - float((1 - similarity).sum(dtype=np.float64)) / windows


def _similarities(x: Floats, y: Floats) -> tuple[float, float]:
    """Means of contrast and structure alone, and with luminance, over windows wholly inside."""
    shape, window = x.shape, 11
    x, y = _around_changes(x, y, reach=window)
    mean_x, mean_y = _blurred(x), _blurred(y)
    squares, product = mean_x**2 + mean_y**2, mean_x * mean_y
    variances, both = _blurred(x * x + y * y) - squares, _blurred(x * y) - product
    structure = (2 * both + C2) / (variances + C2)
    whole = structure * (2 * product + C1) / (squares + C1)
    return _mean_of_windows(structure, shape, window), _mean_of_windows(whole, shape, window)


def _blurred(picture: Floats) -> Floats:
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    blurred: Floats = correlate1d(correlate1d(picture, taps, axis=0), taps, axis=1)[5:-5, 5:-5]
    return blurred


def _halved(picture: Floats) -> Floats:
    """Means of two by two pixels; an odd last row or column is left out."""
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    even, odd = picture[: 2 * rows : 2, : 2 * columns], picture[1 : 2 * rows : 2, : 2 * columns]
    both = even + odd
    return (both[:, ::2] + both[:, 1::2]) * np.float32(0.25)


def greatest_change(real: Image, adversarial: Image) -> int:
    """L∞: the greatest change of a pixel, in grey levels."""
    _require_pair(real, adversarial)
    return int(np.abs(real.astype(np.int32) - adversarial).max())


def euclidean(real: Image, adversarial: Image) -> float:
    """L2 of the difference with full scale as 1."""
    _require_pair(real, adversarial)
    return float(np.linalg.norm((real.astype(np.float64) - adversarial) / FULL_SCALE))


def changed_share(real: Image, adversarial: Image, *, above: int = 1) -> float:
    """Share of the pixels that changed by more than so many grey levels."""
    _require_pair(real, adversarial)
    return float((np.abs(real.astype(np.int32) - adversarial) > above).mean())


def energy_share(real: Image, adversarial: Image, *boxes: Box) -> float:
    """Share of the squared difference that lies inside the boxes; 0 where nothing was changed."""
    _require_pair(real, adversarial)
    energy = (real.astype(np.float64) - adversarial) ** 2
    total = float(energy.sum())
    inside = float(energy[inside_of(boxes, real.shape)].sum())
    return inside / total if total else 0.0


def enrichment(real: Image, adversarial: Image, *boxes: Box, region: Mask | None = None) -> float:
    """How many times more of the squared difference the boxes hold than their share of the region (the breast).

    1 for a change that is spread evenly. The region is the whole picture where none is given; what was changed
    outside of it counts as elsewhere.
    """
    inside = inside_of(boxes, real.shape)
    within = np.ones(real.shape, dtype=bool) if region is None else region
    area = float((inside & within).sum()) / max(1, int(within.sum()))
    return energy_share(real, adversarial, *boxes) / area if area else 0.0


def inside_of(boxes: Sequence[Box], shape: tuple[int, ...]) -> Mask:
    """True in the boxes."""
    inside = np.zeros(shape, dtype=bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    return inside


def boxes_at(lesions: Sequence[Mapping[str, float]], shape: tuple[int, ...]) -> tuple[Box, ...]:
    """Lesions as shares of height and width to boxes in the pixels of one resolution, each at least a pixel."""
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


def quality_of(
    real: Image, adversarial: Image, *, lesions: Sequence[Mapping[str, float]] = (), breast: Mask | None = None
) -> dict[str, float]:
    """Every figure by name, as it is stored with a twin. PSNR has none where the two are equal, MS-SSIM where the
    pictures are too small for its five scales.

    `lesions` are boxes as shares of height and width; without any, the two figures about them are left out, and
    without `breast` the one about its outside.
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
    if boxes := boxes_at(lesions, real.shape):
        figures["lesion_energy_share"] = energy_share(real, adversarial, *boxes)
        figures["lesion_enrichment"] = enrichment(real, adversarial, *boxes, region=breast)
    if breast is not None:
        figures["changed_outside_share"] = float(((real != adversarial) & ~breast).mean())
    return figures


def _require_pair(real: Image, adversarial: Image) -> None:
    if real.shape != adversarial.shape or real.ndim != 2:
        raise WrongImages("Two grey pictures of the same size are needed to compare them.")
