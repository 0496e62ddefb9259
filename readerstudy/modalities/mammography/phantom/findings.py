"""What a breast contains besides its tissue: the lesion that decides the pathology, and what resembles one."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

LesionKind = Literal["mass", "calc", "benign"]
# Cysts and fibroadenomas, lymph nodes, islands of dense tissue, and calcifications of benign kinds.
DistractorKind = Literal["oval", "node", "island", "coarse", "scattered", "vascular"]
FindingKind = LesionKind | DistractorKind


@dataclass(frozen=True)
class Finding:
    """Something in a breast; positions in shares of the breast, equal in both views but for the height."""

    kind: FindingKind
    radius_mm: float
    depth: float  # 0 chest wall, 1 nipple
    height: tuple[float, float]  # in CC and in MLO: -1 upper, 1 lower edge
    amplitude: float
    seed: int


@dataclass(frozen=True)
class Lesion(Finding):
    """The lesion that decides the pathology."""

    kind: LesionKind


@dataclass(frozen=True)
class _Frequency:
    """How many of a kind a breast has on average; means and standard deviations of logarithms of radius and light."""

    mean: float
    radius_mm: float
    spread: float
    amplitude: float


_FREQUENCIES: Final[dict[DistractorKind, _Frequency]] = {
    "oval": _Frequency(1.0, 7.0, 0.4, 0.42),
    "node": _Frequency(0.35, 4.5, 0.25, 0.30),
    "island": _Frequency(1.7, 8.0, 0.35, 0.38),
    "coarse": _Frequency(1.3, 2.0, 0.4, 1.05),
    "scattered": _Frequency(0.9, 10.0, 0.5, 0.8),
    "vascular": _Frequency(0.25, 14.0, 0.3, 0.7),
}


def sample_distractors(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Draw what resembles a lesion in one breast. It is independent of the pathology."""
    return tuple(
        Finding(
            kind=kind,
            radius_mm=float(frequency.radius_mm * np.exp(frequency.spread * rng.standard_normal())),
            depth=float(rng.uniform(0.2, 0.85)),
            height=(float(rng.uniform(-0.65, 0.65)), float(rng.uniform(-0.65, 0.65))),
            amplitude=float(frequency.amplitude * np.exp(0.35 * rng.standard_normal())),
            seed=int(rng.integers(2**31)),
        )
        for kind, frequency in _FREQUENCIES.items()
        for _ in range(int(rng.poisson(frequency.mean)))
    )
