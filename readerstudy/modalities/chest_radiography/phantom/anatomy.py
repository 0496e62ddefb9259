"""The phantoms before rendering: chests, lesions and positions drawn from a seed.

Only the lesion depends on the finding. Each part has a random stream of its own, so that a classifier can learn the
lesion and nothing else, and another contrast changes no chest.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from readerstudy.errors import StudyError

LesionKind = Literal["nodule", "granuloma", "nipple", "scar"]
Finding = Literal["positive", "other", "normal"]

# Contrast of lesions: the number that sets how hard the phantoms are to classify.
# With 3.6, a small network that was trained on 250 images has an AUC of .93 at 128 × 128.
DEFAULT_CONTRAST: Final = 3.6
POSITIVE_FRACTION: Final = 0.3
MAXIMUM_PATIENTS: Final = 100_000

_OTHER_FRACTION = 0.25  # of the patients without a nodule
_OTHERS: Final[tuple[LesionKind, ...]] = ("granuloma", "nipple", "scar")
# The random streams of one patient. A new one goes to the end: the numbers are part of every seed.
_CHEST, _LESION, _STANCE, _SEED = range(4)


@dataclass(frozen=True)
class Chest:
    """The anatomy of one patient. Lengths in mm."""

    half_width: float  # inside the ribs, where it is widest
    height: float  # apex of the lung to the right dome of the diaphragm
    wall: float  # soft tissue beside the ribs
    depth: float  # back to front
    neck: float  # half-width
    shoulder_slope: float
    mediastinum: float  # half-width
    heart: float  # share of the chest's width
    heart_turn: float  # angle of the heart's long axis, radians below horizontal
    aorta: float  # radius of the knob
    lift: float  # of the right dome above the left one
    fall: float  # of the diaphragm from its dome to the side
    rib_tilt: float  # 1 is average
    rib_radius: float
    bone: float  # density, 1 is average
    air: float  # of the lungs, 1 is average
    vessels: float  # calibre, 1 is average
    breasts: float  # thickness of their shadow, 0 is none
    stomach: float  # half-width of its air, 0 is none
    curve: float  # of the spine, to the side


@dataclass(frozen=True)
class Lesion:
    """One lesion; its position in shares of its lung."""

    kind: LesionKind
    radius_mm: float
    side: Literal[-1, 1]  # -1: the left of the image
    height: float  # 0 apex, 1 diaphragm
    across: float  # 0 mediastinum, 1 ribs
    amplitude: float
    seed: int


@dataclass(frozen=True)
class Stance:
    """Position of the patient and exposure."""

    right_mm: float
    down_mm: float
    tilt: float  # radians
    turn_mm: float  # shift of the spine and mediastinum against the ribs
    exposure: float  # 1 is average
    gamma: float  # of the response curve


@dataclass(frozen=True)
class PhantomView:
    """One radiograph before rendering. Small, so that it can be sent to other processes."""

    patient: int
    finding: Finding
    chest: Chest
    stance: Stance
    lesion: Lesion | None
    seed: int


def sample_patients(
    patients: int,
    *,
    seed: int,
    contrast: float = DEFAULT_CONTRAST,
    positive_fraction: float = POSITIVE_FRACTION,
) -> list[PhantomView]:
    """Draw patients with one image each, numbered from 0 in an order that says nothing about findings."""
    if not 1 <= patients <= MAXIMUM_PATIENTS:
        raise StudyError(f"A phantom cohort has 1 to {MAXIMUM_PATIENTS} patients, not {patients}.")
    if not 0 <= positive_fraction <= 1 or contrast < 0:
        raise StudyError("The share of positive patients lies between 0 and 1, and the contrast is not negative.")
    positives = round(positive_fraction * patients)
    affected = set(np.random.default_rng([seed]).permutation(patients)[:positives].tolist())
    return [_view(patient, positive=patient in affected, seed=seed, contrast=contrast) for patient in range(patients)]


def _view(patient: int, *, positive: bool, seed: int, contrast: float) -> PhantomView:
    lesion = _sample_lesion(np.random.default_rng([seed, patient, _LESION]), positive=positive, contrast=contrast)
    return PhantomView(
        patient=patient,
        finding="positive" if positive else "other" if lesion else "normal",
        chest=_sample_chest(np.random.default_rng([seed, patient, _CHEST])),
        stance=_sample_stance(np.random.default_rng([seed, patient, _STANCE])),
        lesion=lesion,
        seed=int(np.random.default_rng([seed, patient, _SEED]).integers(2**31)),
    )


def _sample_chest(rng: np.random.Generator) -> Chest:
    def normal(mean: float, spread: float) -> float:
        return mean + spread * float(np.clip(rng.standard_normal(), -2, 2))

    half_width = normal(131, 9)
    return Chest(
        half_width=half_width,
        height=normal(220, 19),
        wall=float(np.clip(rng.lognormal(np.log(22), 0.35), 12, 42)),
        depth=normal(225, 18),
        neck=normal(58, 5),
        shoulder_slope=float(rng.uniform(0.14, 0.36)),
        mediastinum=normal(27, 3.5),
        heart=normal(0.47, 0.045),
        heart_turn=normal(0.62, 0.12),
        aorta=normal(15, 2.5),
        lift=normal(11, 5),
        fall=normal(40, 8),
        rib_tilt=normal(1, 0.16),
        rib_radius=normal(5.6, 0.5),
        bone=normal(1, 0.14),
        air=normal(1, 0.05),
        vessels=normal(1, 0.1),
        breasts=float(max(0.0, rng.uniform(-22, 26))),
        stomach=float(rng.uniform(16, 40) if rng.random() < 0.6 else 0),
        curve=normal(0, 4),
    )


def _sample_stance(rng: np.random.Generator) -> Stance:
    shift, draws = rng.normal(0, 7, 2), rng.standard_normal(4).clip(-2, 2)
    return Stance(
        right_mm=float(np.clip(shift[0], -16, 16)),
        down_mm=float(np.clip(shift[1], -14, 14)),
        tilt=float(0.018 * draws[0]),
        turn_mm=float(3 * draws[1]),
        exposure=float(1 + 0.05 * draws[2]),
        gamma=float(1.45 + 0.08 * draws[3]),
    )


def _sample_lesion(rng: np.random.Generator, *, positive: bool, contrast: float) -> Lesion | None:
    chance, side = rng.random(), rng.random() < 0.5
    if not positive and chance >= _OTHER_FRACTION:
        return None
    kind: LesionKind = "nodule" if positive else _OTHERS[int(chance / _OTHER_FRACTION * len(_OTHERS))]
    size, strength = float(rng.standard_normal()), float(np.clip(rng.lognormal(0, 0.45), 0.3, 2))
    height, across = float(rng.uniform(0.12, 0.93)), float(rng.uniform(0.12, 0.86))
    if kind == "nipple":  # in the lower and outer part of the lung
        height, across = 0.78 + 0.16 * height, 0.45 + 0.35 * across
    return Lesion(
        kind=kind,
        radius_mm=_radius(kind, size),
        side=1 if side else -1,
        height=height,
        across=across,
        amplitude=contrast * strength,
        seed=int(rng.integers(2**31)),
    )


def _radius(kind: LesionKind, size: float) -> float:
    """Return a radius for a standard normal number: nodules are 8 to 30 mm across."""
    middle, spread, least, most = {
        "nodule": (10.5, 0.3, 4.0, 15.0),
        "granuloma": (2.7, 0.2, 1.8, 4.0),
        "nipple": (5.0, 0.12, 4.0, 6.5),
        "scar": (13.0, 0.25, 8.0, 22.0),
    }[kind]
    return float(np.clip(middle * np.exp(spread * size), least, most))
