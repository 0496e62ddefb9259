"""The phantoms before rendering: breasts, lesions and views drawn from a seed.

Only the lesion depends on the pathology. Each part has a random stream of its own, so a classifier can learn the
lesion and nothing else, and another contrast changes no breast. Cysts, nodes, islands of dense tissue and benign
calcifications are as frequent in breasts with cancer as in others.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from readerstudy.errors import StudyError
from readerstudy.modalities.mammography.attributes import Laterality, View
from readerstudy.modalities.mammography.phantom.findings import Finding, Lesion, LesionKind, sample_distractors
from readerstudy.vocabulary import Pathology

# Contrast of lesions: the number that sets how hard the phantoms are to classify. It leaves other tissue as it is.
# Chosen so that brightness and blobs tell little and the demo's classifier clearly more (docs/results/phantoms.md).
DEFAULT_CONTRAST: Final = 2.1
# 366 of the article's 1284 patients had cancer.
POSITIVE_FRACTION: Final = 366 / 1284
MAXIMUM_PATIENTS: Final = 100_000

_MISSING_VIEWS = 0.055
_CALCIFICATIONS = 0.27
_BENIGN_MASSES = 0.15
_SIDES: Final = (Laterality.LEFT, Laterality.RIGHT)
_VIEWS: Final = (View.CC, View.MLO)
# A cluster of points needs less amplitude than a mass to be detected as often.
_AMPLITUDE: Final[dict[LesionKind, float]] = {"mass": 1.15, "benign": 0.85, "calc": 0.65}
# The random streams of one patient. A new one goes to the end: the numbers are part of every seed.
_BREAST, _LESION, _DROPPED, _VIEW, _DISTRACTORS = range(5)


@dataclass(frozen=True)
class Breast:
    """The properties that all views of one patient share."""

    depth_mm: float  # chest wall to nipple
    half_width_mm: float
    thickness_mm: float  # compressed
    density: float  # 0 is average, negative fatty, positive dense
    pectoral: float  # size of the muscle, 1 is average
    nipple_mm: float  # how far the nipple stands out


@dataclass(frozen=True)
class PhantomView:
    """One mammogram before rendering. Small, so that it can be sent to other processes."""

    patient: int
    laterality: Laterality
    view_position: View
    pathology: Pathology
    breast: Breast
    lesion: Lesion | None  # in this breast
    distractors: tuple[Finding, ...]  # in this breast: what resembles a lesion, whatever the pathology is
    seed: int
    sides_seed: int  # the same for the left and the right breast in this view


def sample_cohort(
    patients: int,
    *,
    seed: int,
    contrast: float = DEFAULT_CONTRAST,
    positive_fraction: float = POSITIVE_FRACTION,
) -> list[PhantomView]:
    """Draw a cohort like the article's: cancer patients with the affected breast, the others with both.

    Each breast has CC and MLO, of which a twentieth is missing; nobody is left without a view. Patients are
    numbered from 0, in an order that says nothing.
    """
    if not 1 <= patients <= MAXIMUM_PATIENTS:
        raise StudyError(f"A phantom cohort has 1 to {MAXIMUM_PATIENTS} patients, not {patients}.")
    if not 0 <= positive_fraction <= 1 or contrast < 0:
        raise StudyError("The share of cancers lies between 0 and 1, and the contrast is not negative.")
    positives = round(positive_fraction * patients)
    affected = set(np.random.default_rng([seed]).permutation(patients)[:positives].tolist())
    return [
        view
        for patient in range(patients)
        for view in _views_of(patient, positive=patient in affected, seed=seed, contrast=contrast)
    ]


def _views_of(patient: int, *, positive: bool, seed: int, contrast: float) -> list[PhantomView]:
    breast = _sample_breast(np.random.default_rng([seed, patient, _BREAST]))
    rng = np.random.default_rng([seed, patient, _LESION])
    side = _SIDES[int(rng.integers(2))]
    lesion = _sample_lesion(rng, positive=positive, contrast=contrast)
    pathology = Pathology.POSITIVE if positive else Pathology.OTHER if lesion else Pathology.NORMAL
    dropped = np.random.default_rng([seed, patient, _DROPPED]).random((2, 2)) < _MISSING_VIEWS
    seeds = np.random.default_rng([seed, patient, _VIEW]).integers(2**31, size=(2, 2))
    distractors = [sample_distractors(np.random.default_rng([seed, patient, _DISTRACTORS, row])) for row in range(2)]
    views: list[PhantomView] = []
    missing: list[PhantomView] = []
    for row, laterality in enumerate(_SIDES):
        if positive and laterality != side:
            continue
        for column, view_position in enumerate(_VIEWS):
            view = PhantomView(
                patient,
                laterality,
                view_position,
                pathology,
                breast,
                lesion if laterality == side else None,
                distractors[row],
                int(seeds[row, column]),
                sides_seed=int(seeds[0, column]),
            )
            (missing if dropped[row, column] else views).append(view)
    return views or missing[:1]


def _sample_breast(rng: np.random.Generator) -> Breast:
    half_width = float(np.clip(rng.normal(102, 12), 75, 124))
    return Breast(
        depth_mm=float(np.clip(rng.normal(120 + 0.9 * (half_width - 102), 18), 75, 170)),
        half_width_mm=half_width,
        thickness_mm=float(rng.uniform(40, 68)),
        density=float(np.clip(rng.normal(0, 0.8), -1.6, 1.6)),
        pectoral=float(rng.uniform(0.7, 1.15)),
        nipple_mm=float(rng.uniform(5, 10)),
    )


def _sample_lesion(rng: np.random.Generator, *, positive: bool, contrast: float) -> Lesion | None:
    chance = rng.random()
    if not positive and chance >= _BENIGN_MASSES:
        return None
    malignant: LesionKind = "calc" if chance < _CALCIFICATIONS else "mass"
    kind: LesionKind = malignant if positive else "benign"
    strength = float(np.clip(rng.lognormal(np.log(0.26), 0.25), 0.16, 0.5))
    return Lesion(
        kind=kind,
        radius_mm=float(np.clip(rng.lognormal(np.log(9.0), 0.3), 5.5, 18)),
        depth=float(rng.uniform(0.25, 0.75)),
        height=(float(rng.uniform(-0.55, 0.55)), float(rng.uniform(-0.55, 0.55))),
        amplitude=contrast * _AMPLITUDE[kind] * strength,
        seed=int(rng.integers(2**31)),
    )
