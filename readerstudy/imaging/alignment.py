"""Alignment of two small pictures of the same size by scale and shift along each axis, and their correlation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]  # (n, n)

_STEPS: Final = 12
_LARGEST_SCALE: Final = 0.08  # difference from 1, along each axis
_LARGEST_SHIFT: Final = 0.1  # of the side
_FIRST_SHIFT: Final = 0.06  # of the side, found before the scale is known
_STEP: Final = np.array([0.02, 0.02, 0.012, 0.012])  # the largest step: of the scale, and of the side
_CONVERGED: Final = 0.02  # of the largest step
_TRIM: Final = 0.03  # of the side; borders do not count, because copies often differ there


@dataclass(frozen=True)
class Placing:
    """Where the pixels of one picture lie in the other: scale around the centre, and shift in shares of the side."""

    scale_y: float = 1.0
    scale_x: float = 1.0
    shift_y: float = 0.0
    shift_x: float = 0.0

    @property
    def is_small(self) -> bool:
        """Return whether scale and shift stay within what is searched."""
        return (
            max(abs(self.scale_y - 1), abs(self.scale_x - 1)) <= _LARGEST_SCALE
            and max(abs(self.shift_y), abs(self.shift_x)) <= _LARGEST_SHIFT
        )

    def moved(self, step: NDArray[Any]) -> "Placing":
        """Return the placing after one step, limited in size."""
        limited = np.clip(step, -_STEP, _STEP)
        return Placing(
            scale_y=self.scale_y + float(limited[0]),
            scale_x=self.scale_x + float(limited[1]),
            shift_y=self.shift_y + float(limited[2]),
            shift_x=self.shift_x + float(limited[3]),
        )


@dataclass(frozen=True, eq=False)
class _Axis:
    """One axis of a warp: the positions that lie inside the other picture, and how each is interpolated there."""

    inside: slice
    first: NDArray[np.int64]  # the pixel before each position inside
    weight: NDArray[np.float32]  # of the next pixel


def aligned_correlation(first: Sequence[Field], second: Sequence[Field]) -> float:
    """Return the correlation of two pictures after the second is laid over the first.

    Each picture is given in the same number of versions from blurred to sharp, all square. The alignment is found in
    the blurred ones and refined in the sharper ones (Gauss-Newton, Lucas and Kanade, 1981); the last one counts.
    Pictures that do not overlap within the limits of scale and shift have a correlation of 0.
    """
    placing = _first_shift(first[0], second[0])
    for one, other in zip(first, second, strict=True):
        placing = _refine(one, other, placing)
    return _correlation(first[-1], second[-1], placing, trim=_TRIM)


def shifted_correlation(one: Field, other: Field) -> float:
    """Return the highest correlation over shifts in whole pixels, of two pictures with mean 0 and norm 1."""
    return float(_shifted_products(one, other)[1].max())


def _first_shift(one: Field, other: Field) -> Placing:
    """Return the shift in whole pixels with the highest correlation, without scale."""
    reach, products = _shifted_products(one, other)
    row, column = np.unravel_index(int(products.argmax()), products.shape)
    return Placing(shift_y=float(reach[row]) / len(one), shift_x=float(reach[column]) / len(one))


def _shifted_products(one: Field, other: Field) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the shifts along an axis, and the sum of products for every pair of them; pictures continue cyclically."""
    side = len(one)
    reach = np.arange(-round(_FIRST_SHIFT * side), round(_FIRST_SHIFT * side) + 1)
    spectrum = np.conj(np.fft.rfft2(one)) * np.fft.rfft2(other)
    return reach, np.fft.irfft2(spectrum, s=one.shape)[reach][:, reach]


def _refine(one: Field, other: Field, placing: Placing) -> Placing:
    """Return the placing with the highest correlation that Gauss-Newton steps reach from `placing`."""
    best, highest = placing, -1.0
    slope_y: Field = np.gradient(other, axis=0).astype(np.float32)
    slope_x: Field = np.gradient(other, axis=1).astype(np.float32)
    for _ in range(_STEPS):
        y, x = _axes(len(other), placing)
        target = _centred(one[y.inside, x.inside])
        moved = _centred(_warp(other, y, x))
        rho = _cosine(target, moved)
        if rho > highest:
            best, highest = placing, rho
        gain = float((target * moved).sum() / max(float((moved * moved).sum()), 1e-12))
        if gain <= 0:
            break
        step = _step(target / gain - moved, _warp(slope_y, y, x), _warp(slope_x, y, x), y, x, len(other))
        placing = placing.moved(step)
        if not placing.is_small or float((np.abs(step) / _STEP).max()) < _CONVERGED:
            break
    return best


def _step(rest: Field, slope_y: Field, slope_x: Field, y: _Axis, x: _Axis, side: int) -> NDArray[Any]:
    """Return the change of scales and shifts that explains the rest best, by least squares."""
    centre = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    columns = [
        slope_y * centre[y.inside, None],
        slope_x * centre[None, x.inside],
        slope_y * np.float32(side),
        slope_x * np.float32(side),
    ]
    design = np.stack([_centred(column).ravel() for column in columns])
    normal = (design @ design.T).astype(np.float64)
    normal[np.diag_indices(4)] *= 1.001
    normal[np.diag_indices(4)] += 1e-9
    step: NDArray[Any] = np.linalg.solve(normal, (design @ rest.ravel()).astype(np.float64))
    return step


def _correlation(one: Field, other: Field, placing: Placing, *, trim: float) -> float:
    """Return the correlation where both pictures have pixels, without their borders."""
    y, x = _axes(len(other), placing, trim=round(trim * len(other)))
    if y.inside.stop - y.inside.start < len(one) // 2 or x.inside.stop - x.inside.start < len(one) // 2:
        return 0.0
    return _cosine(_centred(one[y.inside, x.inside]), _centred(_warp(other, y, x)))


def _axes(side: int, placing: Placing, *, trim: int = 0) -> tuple[_Axis, _Axis]:
    return (
        _axis(side, placing.scale_y, placing.shift_y * side, trim),
        _axis(side, placing.scale_x, placing.shift_x * side, trim),
    )


def _axis(side: int, scale: float, shift: float, trim: int) -> _Axis:
    positions = np.arange(side)
    middle = (side - 1) / 2
    source = (positions - middle) * scale + middle + shift
    inside = (source >= trim) & (source <= side - 1 - trim) & (positions >= trim) & (positions <= side - 1 - trim)
    places = np.flatnonzero(inside)
    # At the last pixel the weight of the next one is 1 and not 0, so that there is a next one.
    first = np.minimum(source[places].astype(np.int64), side - 2)
    weight = (source[places] - first).astype(np.float32)
    return _Axis(slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0), first, weight)


def _warp(picture: Field, y: _Axis, x: _Axis) -> Field:
    """Return the picture at the positions inside, interpolated linearly: rows first, then columns."""
    # Not by matrix products: BLAS would start threads for arrays this small.
    rows = picture[y.first] * (1 - y.weight[:, None]) + picture[y.first + 1] * y.weight[:, None]
    columns = rows[:, x.first] * (1 - x.weight) + rows[:, x.first + 1] * x.weight
    return np.asarray(columns, dtype=np.float32)


def _centred(values: Field) -> Field:
    centred: Field = values - np.float32(values.mean())
    return centred


def _cosine(one: Field, other: Field) -> float:
    norms = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float((one * other).sum()) / norms if norms > 0 else 0.0
