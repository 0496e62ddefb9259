"""The split: by patient, stratified, deterministic, and stable when a cohort grows."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.cohort.splits import Settlement, settle, split_patients
from readerstudy.errors import StudyError
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.vocabulary import Pathology, Split

STREAMS = {pathology: finding.word for pathology, finding in MAMMOGRAPHY.findings.items()}
cohorts = st.dictionaries(st.text(min_size=1, max_size=4), st.sampled_from(Pathology), max_size=60)
seeds = st.integers(0, 2**32)


def cohort(**counts: int) -> dict[str, Pathology]:
    """So many patients of each pathology, in turn."""
    return {f"{word}-{number}": word for word in Pathology for number in range(counts.get(word, 0))}


def counted(splits: dict[str, Split], patients: dict[str, Pathology], pathology: str) -> tuple[int, ...]:
    has = Counter(splits[patient] for patient, its in patients.items() if its == pathology)
    return tuple(has[split] for split in Split)


def test_every_pathology_is_shared_out_eight_to_one_to_one() -> None:
    patients = cohort(positive=370, other=100, normal=810)
    splits = split_patients(patients, streams=STREAMS, seed=1)
    assert counted(splits, patients, "positive") == (296, 37, 37)
    assert counted(splits, patients, "other") == (80, 10, 10)
    assert counted(splits, patients, "normal") == (648, 81, 81)


@settings(max_examples=40)
@given(patients=cohorts, seed=seeds)
def test_each_share_is_within_one_patient_and_the_order_of_patients_does_not_matter(
    patients: dict[str, Pathology], seed: int
) -> None:
    splits = split_patients(patients, streams=STREAMS, seed=seed)
    assert splits.keys() == patients.keys()
    for pathology in Pathology:
        total = sum(its == pathology for its in patients.values())
        for count, fraction in zip(counted(splits, patients, pathology), (0.8, 0.1, 0.1), strict=True):
            assert abs(count - fraction * total) < 1
    assert split_patients(dict(reversed(patients.items())), streams=STREAMS, seed=seed) == splits


@settings(max_examples=40)
@given(patients=cohorts, more=cohorts, seed=seeds)
def test_patients_who_have_a_split_keep_it_when_more_arrive(
    patients: dict[str, Pathology], more: dict[str, Pathology], seed: int
) -> None:
    first = split_patients(patients, streams=STREAMS, seed=seed)
    everyone = more | patients
    then = split_patients(everyone, streams=STREAMS, seed=seed, assigned=first)
    assert {patient: then[patient] for patient in patients} == first
    assert then.keys() == everyone.keys()
    assert split_patients(everyone, streams=STREAMS, seed=seed, assigned=then) == then


def test_a_cohort_that_grows_stays_near_its_shares() -> None:
    patients: dict[str, Pathology] = {}
    splits: dict[str, Split] = {}
    for wave in range(10):
        patients |= {f"{wave}-{patient}": its for patient, its in cohort(positive=7, normal=18).items()}
        splits = split_patients(patients, streams=STREAMS, seed=3, assigned=splits)
    assert counted(splits, patients, "positive") == (56, 7, 7)
    assert counted(splits, patients, "normal") == (144, 18, 18)


def test_small_pathologies_do_not_all_leave_the_same_split_empty() -> None:
    patients = cohort(positive=5, other=5, normal=5)
    assert sorted(Counter(split_patients(patients, streams=STREAMS, seed=0).values()).values()) == [1, 2, 12]


def test_another_seed_draws_another_split() -> None:
    patients = cohort(positive=40, normal=60)
    assert (
        split_patients(patients, streams=STREAMS, seed=1)
        == split_patients(patients, streams=STREAMS, seed=1)
        != split_patients(patients, streams=STREAMS, seed=2)
    )


def test_other_shares_may_be_asked_for() -> None:
    patients = cohort(positive=10, normal=30)
    splits = split_patients(patients, fractions=(0.6, 0.1, 0.3), streams=STREAMS, seed=4)
    assert counted(splits, patients, "positive") == (6, 1, 3)
    assert counted(splits, patients, "normal") == (18, 3, 9)


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (1.2, -0.1, -0.1)])
def test_shares_that_do_not_add_up_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(StudyError, match="add up to 1"):
        split_patients(cohort(normal=3), fractions=fractions, streams=STREAMS, seed=1)


def test_a_split_for_an_unknown_patient_is_refused() -> None:
    with pytest.raises(StudyError, match="a split and no pathology: 1"):
        split_patients(cohort(normal=3), streams=STREAMS, seed=1, assigned={"nobody": "test"})


TRAIN, TUNING, TEST = Split


@pytest.mark.parametrize(
    ("copies", "split", "left_out"),
    [
        ([set(), set()], TUNING, set()),
        ([set(), {TEST}], TEST, set()),
        ([{TEST}, {TEST}, {TRAIN}], TEST, {2}),
        ([{TEST}, {TUNING}], TUNING, {0}),
        ([{TEST, TRAIN}, set()], TUNING, {0}),
        ([{TEST, TRAIN}, {TEST}], TEST, {0}),
    ],
)
def test_a_new_patient_goes_where_most_images_can_stay_with_their_copies(
    copies: list[set[Split]], split: Split, left_out: set[int]
) -> None:
    assert settle(TUNING, copies, is_fixed=False) == Settlement(split, frozenset(left_out))


def test_a_known_patient_keeps_the_split_and_loses_images_with_copies_elsewhere() -> None:
    assert settle(TRAIN, [{TEST}, {TEST}, {TRAIN}, set()], is_fixed=True) == Settlement(TRAIN, frozenset({0, 1}))


def test_the_words_of_a_modality_keep_the_splits_that_earlier_versions_drew():
    patients = {
        f"{finding.word[0]}{number}": pathology
        for pathology, finding in MAMMOGRAPHY.findings.items()
        for number in range(5)
    }
    splits = split_patients(patients, fractions=(0.6, 0.2, 0.2), streams=STREAMS, seed=1)
    assert {patient for patient, split in splits.items() if split == "tuning"} == {"b2", "m2", "n4"}
    assert {patient for patient, split in splits.items() if split == "test"} == {"b4", "m4", "n3"}
    by_code = {pathology: pathology.value for pathology in Pathology}
    assert split_patients(patients, fractions=(0.6, 0.2, 0.2), streams=by_code, seed=1) != splits
