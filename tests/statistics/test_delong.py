"""DeLong's test against pROC, and clustered areas against their definition."""

import csv
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.statistics import delong
from readerstudy.statistics.proportions import clopper_pearson
from tests.statistics.mrmc.data import expected, near, published, simulated, van_dyke
from tests.statistics.oracle import SHARED


def asah() -> dict[str, np.ndarray]:
    with (SHARED / "proc_asah.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    scores = {name: np.array([float(row[name]) for row in rows]) for name in ("s100b", "ndka", "wfns")}
    return scores | {"truth": np.array([int(row["outcome"] == "Poor") for row in rows])}


def agree(found: delong.AreaDifference, row: dict[str, Any]) -> None:
    assert (found.auc_a, found.auc_b) == (near(row["auc1"]), near(row["auc2"]))
    assert (found.variance_a, found.variance_b) == (near(row["var1"]), near(row["var2"]))
    assert (found.z, found.p) == (near(row["statistic"]), near(row["p"]))
    if row["cov"] is None:
        assert found.df == near(row["parameter"])
    else:
        assert found.covariance == near(row["cov"])


@published
@pytest.mark.parametrize(("name", "other"), [("asah_s100b_ndka_paired", "ndka"), ("asah_s100b_wfns_paired", "wfns")])
def test_paired_areas_come_out_as_proc_has_them(name: str, other: str) -> None:
    data, row = asah(), expected("r_misc_expected.json")[name]
    agree(delong.paired(data["truth"], data["s100b"], data[other]), row)
    for score, interval in (("s100b", row["ci1"]), (other, row["ci2"])):
        area = delong.area(data["truth"], data[score])
        assert [area.low, area.auc, area.high] == [near(value) for value in interval]


@published
def test_unpaired_areas_come_out_as_proc_has_them() -> None:
    data, row = asah(), expected("r_misc_expected.json")["asah_s100b_ndka_unpaired"]
    agree(delong.unpaired(data["truth"], data["s100b"], data["truth"], data["ndka"]), row)


@published
@pytest.mark.parametrize("reader", ["1", "2", "3", "4", "5"])
def test_van_dykes_readers_come_out_as_proc_has_them(reader: str) -> None:
    study = van_dyke().only(van_dyke().reader == reader)
    one, other = (study.only(study.condition == treatment) for treatment in "12")
    assert (one.case == other.case).all()
    oracle = expected("r_misc_expected.json")
    agree(delong.paired(one.truth, one.score, other.score), oracle[f"vandyke_reader{reader}_delong_paired"])
    result = delong.unpaired(one.truth, one.score, other.truth, other.score)
    agree(result, oracle[f"vandyke_reader{reader}_delong_unpaired"])


@pytest.mark.parametrize("reader", ["R1", "R2", "R3", "R4", "R5"])
def test_the_simulated_readers_sessions_come_out_as_proc_has_them(reader: str) -> None:
    study = simulated().only(simulated().reader == reader)
    three, five = (study.only(study.condition == session) for session in (3, 5))
    row = expected("simstudy_r_expected.json")["ordinal_auc_delong_unpaired"][reader]
    result = delong.unpaired(three.truth, three.score, five.truth, five.score)
    assert (result.auc_a, result.auc_b, result.df) == (near(row["auc3"]), near(row["auc5"]), near(row["df"]))
    assert (result.variance_a, result.variance_b) == (near(row["var3"]), near(row["var5"]))
    assert (result.z, result.p) == (near(row["D"]), near(row["p"]))


def test_a_cluster_of_one_image_each_changes_nothing() -> None:
    truth, a, b, _ = images(np.random.default_rng(0))
    plain, clustered = delong.paired(truth, a, b), delong.paired(truth, a, b, cluster=np.arange(truth.size))
    assert (clustered.se, clustered.p) == (near(plain.se), near(plain.p))


def test_patients_with_images_of_both_kinds_are_clustered() -> None:
    truth, a, _, patient = images(np.random.default_rng(1))
    x, y = a[truth == 0], a[truth == 1]
    kernel = (y[:, None] > x) + (y[:, None] == x) / 2
    auc = kernel.mean()
    patients = np.unique(patient)
    ones = [kernel.mean(axis=1)[patient[truth == 1] == p] for p in patients]
    noughts = [kernel.mean(axis=0)[patient[truth == 0] == p] for p in patients]
    sums = [np.array([(values - auc).sum() for values in part]) for part in (ones, noughts)]
    holding = [sum(len(values) > 0 for values in part) for part in (ones, noughts)]
    own = [n / (n - 1) * (s**2).sum() / m**2 for n, s, m in zip(holding, sums, kernel.shape, strict=True)]
    cross = len(patients) / (len(patients) - 1) * (sums[0] * sums[1]).sum() / kernel.size
    assert delong.area(truth, a, cluster=patient).variance == near(sum(own) + 2 * cross)


def test_every_image_shown_twice_gives_as_wide_an_interval_as_once() -> None:
    truth, a, _, _ = images(np.random.default_rng(2))
    once = delong.area(truth, a)
    twice = delong.area(np.tile(truth, 2), np.tile(a, 2), cluster=np.tile(np.arange(truth.size), 2))
    careless = delong.area(np.tile(truth, 2), np.tile(a, 2))
    assert twice.variance == near(once.variance)
    assert careless.variance < 0.55 * once.variance


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_swapping_the_scores_flips_the_sign(seed: int) -> None:
    truth, a, b, patient = images(np.random.default_rng(seed))
    for cluster in (None, patient):
        one, other = delong.paired(truth, a, b, cluster=cluster), delong.paired(truth, b, a, cluster=cluster)
        assert (one.difference, one.p) == (near(-other.difference), near(other.p))
        if one.low is not None and other.high is not None:
            assert one.low == near(-other.high)


def test_the_same_scores_do_not_differ() -> None:
    truth, a, _, _ = images(np.random.default_rng(3))
    result = delong.paired(truth, a, a)
    assert (result.difference, result.z, result.p) == (0.0, 0.0, 1.0)


def test_two_areas_that_cannot_vary_have_no_p() -> None:
    truth = np.array([0, 0, 1, 1])
    result = delong.paired(truth, truth, -truth)
    assert (result.auc_a, result.auc_b, result.z, result.p) == (1.0, 0.0, None, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"truth": np.array([0, 0, 0, 1])}, "truth has fewer than two cases of 1"),
        ({"truth": np.array([0, 1, 2, 1])}, "truth must be 1 for the signal class"),
        ({"score_a": np.array([1.0, 2.0, np.nan, 3.0])}, "score_a contains NaN"),
        ({"score_b": np.array([1.0])}, "score_b has shape"),
        ({"cluster": np.array([1, 1])}, "cluster has 2 elements"),
        ({"cluster": np.array([1, 1, 1, 1])}, "single patient"),
        ({"confidence": 1.0}, "confidence must be between"),
    ],
)
def test_wrong_input_is_reported(change: dict[str, Any], sentence: str) -> None:
    arguments: dict[str, Any] = {"truth": np.array([0, 1, 0, 1])}
    arguments |= {"score_a": np.array([1.0, 2.0, 3.0, 4.0]), "score_b": np.array([2.0, 1.0, 3.0, 4.0])}
    with pytest.raises(ValueError, match=sentence):
        delong.paired(**arguments | change)


def images(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """40 images of 12 patients, some of whom have images of both kinds; two scores that depend on the patient."""
    patient = np.concatenate([np.arange(12), rng.integers(0, 12, 28)])
    truth = np.concatenate([[0, 0, 0, 1, 1, 1], rng.integers(0, 2, 34)])
    woman = rng.normal(size=12)[patient]
    a, b = (np.round(truth + woman + rng.normal(size=40), 1) for _ in range(2))
    return truth, a, b, patient


@pytest.mark.parametrize(("positives", "negatives"), [(2, 9), (3, 3), (20, 30)])
def test_a_perfect_area_has_the_interval_of_its_disjoint_pairs(positives: int, negatives: int) -> None:
    truth = [1] * positives + [0] * negatives
    perfect = delong.area(truth, truth)
    assert (perfect.auc, perfect.high) == (1.0, 1.0)
    pairs = min(positives, negatives)
    assert perfect.low == pytest.approx(clopper_pearson(pairs, pairs).low)
    reversed_ = delong.area(truth, [1 - t for t in truth])
    assert (reversed_.auc, reversed_.low, reversed_.high) == (0.0, 0.0, pytest.approx(1 - perfect.low))


def test_a_perfect_area_counts_patients_and_not_images() -> None:
    truth, patient = [1] * 10 + [0] * 10, [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert delong.area(truth, truth, cluster=patient).low == pytest.approx(0.025**0.5)
    # Three patients, each with both kinds, make one pair of different patients for certain.
    both = [1, 2, 3] * 4
    assert delong.area([1] * 6 + [0] * 6, [1] * 6 + [0] * 6, cluster=both).low == pytest.approx(0.025)


def test_the_interval_of_a_perfect_area_holds_the_area() -> None:
    """Areas of .9 from five and six cases: the intervals that start at an area of 1 hold .9 whenever it occurs."""
    rng = np.random.default_rng(5)
    distance = float(np.sqrt(2) * 1.2815515655)  # of two normal scores with an area of .9
    misses = 0
    for _ in range(2000):
        score = np.concatenate([rng.normal(distance, 1, 5), rng.normal(0, 1, 6)])
        area = delong.area([1] * 5 + [0] * 6, score)
        misses += area.auc == 1 and not area.low <= 0.9
    assert misses / 2000 <= 0.025


def test_equal_scores_tell_nothing_of_the_area() -> None:
    area = delong.area([1, 1, 0, 0], [3, 3, 3, 3])
    assert (area.auc, area.low, area.high) == (0.5, 0.0, 1.0)
