"""Splits into train, tuning and test: by patient, stratified by pathology. A patient never changes the split."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from random import Random
from typing import Final

from readerstudy.errors import StudyError
from readerstudy.vocabulary import Pathology, Split

Fractions = tuple[float, float, float]

# 0.1 * 30 is slightly more than 3: shares this close to a whole number count as that number.
_TOLERANCE: Final = 1e-9


def split_patients(
    pathology_by_patient: Mapping[str, Pathology],
    *,
    fractions: Fractions = (0.8, 0.1, 0.1),
    seed: int,
    streams: Mapping[Pathology, str],
    assigned: Mapping[str, Split] | None = None,
) -> dict[str, Split]:
    """Return a split for every patient. It depends on the patients and the seed, not on their order.

    `streams` names the random stream of each pathology. Patients in `assigned` keep theirs; new ones fill the gaps.
    Every split gets its share of each pathology, rounded down; each remaining patient goes to the split that is
    furthest below its share of the cohort. Raises StudyError for fractions that do not add up to 1.
    """
    _check(pathology_by_patient, fractions, assigned or {})
    splits = dict(assigned or {})
    left_over: list[tuple[str, Pathology]] = []
    for pathology in Pathology:
        members = sorted(key for key, value in pathology_by_patient.items() if value == pathology)
        new = [patient for patient in members if patient not in splits]
        # A random stream for each pathology: another patient without the finding does not reshuffle those with it.
        Random(f"{seed} {streams[pathology]}").shuffle(new)
        shares = _shares(len(members), fractions)
        have = Counter(splits[patient] for patient in members if patient in splits)
        wanted = [split for split in Split for _ in range(floor(shares[split]) - have[split])]
        splits.update(zip(new, wanted, strict=False))
        left_over += [(patient, pathology) for patient in new[len(wanted) :]]
    for patient, pathology in left_over:
        splits[patient] = _most_lacking_split(pathology, pathology_by_patient, splits, fractions)
    return {patient: splits[patient] for patient in pathology_by_patient}


@dataclass(frozen=True)
class Settlement:
    """The split of a patient whose images have copies at other patients, and the positions of images left out."""

    split: Split
    left_out: frozenset[int]


def settle(planned: Split, copies: Sequence[Collection[Split]], *, is_fixed: bool) -> Settlement:
    """Return the split in which the patient's images lie together with their copies.

    `copies` has, for every image of the patient, the splits in which its copies lie. A new patient takes the split that
    keeps most images, the planned one if several do; with `is_fixed` it is the planned one. Images with a copy in
    another split are left out.
    """
    votes = Counter(split for splits in copies if len(set(splits)) == 1 for split in set(splits))
    split = planned
    if votes and not is_fixed:
        split = max(Split, key=lambda split: (votes[split], split == planned))
    return Settlement(split, frozenset(number for number, splits in enumerate(copies) if set(splits) - {split}))


def _check(patients: Mapping[str, Pathology], fractions: Sequence[float], assigned: Mapping[str, Split]) -> None:
    if len(fractions) != 3 or not all(share >= 0 for share in fractions) or abs(sum(fractions) - 1) > _TOLERANCE:
        raise StudyError("The shares of train, tuning and test are three numbers from 0 that add up to 1.")
    if unknown := assigned.keys() - patients.keys():
        raise StudyError(f"Patients who have a split and no pathology: {len(unknown)}.")


def _shares(count: int, fractions: Fractions) -> dict[Split, float]:
    return {split: fraction * count + _TOLERANCE for split, fraction in zip(Split, fractions, strict=True)}


def _most_lacking_split(
    pathology: Pathology,
    patients: Mapping[str, Pathology],
    splits: Mapping[str, Split],
    fractions: Fractions,
) -> Split:
    """Return the split that is furthest below its share of the cohort and not full of this pathology."""
    alike = [patient for patient, value in patients.items() if value == pathology]
    shares = _shares(len(alike), fractions)
    have = Counter(splits[patient] for patient in alike if patient in splits)
    open_to = [split for split in Split if have[split] < ceil(shares[split] - 2 * _TOLERANCE)] or list(Split)
    cohort, taken = _shares(len(patients), fractions), Counter(splits.values())
    return max(open_to, key=lambda split: cohort[split] - taken[split])
