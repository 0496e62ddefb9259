"""U-statistics against iMRMC, against a literal sum over all pairs, and against exact truths."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from readerstudy.statistics import mrmc
from tests.statistics.mrmc.data import Study, crossed, expected, imrmc, near, published, simulated

AUC = {
    "vandyke": "vandyke",
    "vandyke_casesInTreatments": "vandyke_casesInTreatments",
    "upstream_R2_rerun": "upstream_R2",
}
BINARY = {
    "vandyke_ge3_crossed_tpf": "vandyke",
    "vandyke_ge3_casesInTreatments_tpf": "vandyke_casesInTreatments",
}


@published
@pytest.mark.parametrize(("name", "data"), AUC.items())
def test_areas_come_out_as_imrmc_has_them(name: str, data: str) -> None:
    oracle = expected("imrmc_expected.json")[name]
    result = mrmc.u_statistic(*imrmc(data))
    agree(result, oracle)
    for part, moments in (("Ustat", "unbiased"), ("MLE", "biased")):
        for kind, attribute in (("comp", moments), ("coeff", "weights")):
            for row in oracle["varDecomp"]["BDG"][part][kind]:
                mine = getattr(result.moments[row["modalityID.1"], row["modalityID.2"]], attribute)
                # The program prints NA where no pair is of that kind; ours are 0, with a weight of 0.
                assert mine.tolist() == [near(row[f"M{k}"] or 0.0) for k in range(1, 9)]
        for kind, attribute in (("comp", "value"), ("coeff", "weight")):
            for row in oracle["varDecomp"]["BCK"][part][kind]:
                labels = row["modalityID.1"], row["modalityID.2"]
                mine = result.moments[labels].components(unbiased=part == "Ustat")
                assert {name: getattr(one, attribute) for name, one in mine.items()} == {
                    name: near(row[name]) for name in mine
                }


@published
@pytest.mark.parametrize(("name", "data"), BINARY.items())
def test_sensitivities_come_out_as_imrmc_has_them(name: str, data: str) -> None:
    agree(
        mrmc.u_statistic(*imrmc(data), figure="sensitivity", threshold=3), expected("imrmc_binary_expected.json")[name]
    )


def test_the_simulated_sessions_come_out_as_imrmc_has_them() -> None:
    oracle = expected("simstudy_r_expected.json")["imrmc_auc_nested"]
    agree(mrmc.u_statistic(*simulated()), oracle, {"S3": 3, "S5": 5})


@pytest.mark.parametrize("levels", [3, None])
def test_variances_are_literal_sums_with_readings_missing(levels: int | None) -> None:
    rng = np.random.default_rng(4)
    study = crossed(rng, readers=3, negatives=5, positives=4, levels=levels)
    study = study.only(rng.random(study.score.size) > 0.15)
    result = mrmc.u_statistic(*study)
    for (a, b), moments in result.moments.items():
        unbiased, biased = literal_covariances(study, a, b)
        assert moments.covariance(unbiased=True) == near(unbiased)
        assert moments.covariance(unbiased=False) == near(biased)


def test_readers_and_cases_may_be_others_in_the_second_condition() -> None:
    study = crossed(np.random.default_rng(6), readers=4)
    apart = Study(study.score, study.truth, study.reader + 10 * study.condition, study.case, study.condition)
    apart = Study(apart.score, apart.truth, apart.reader, study.case + 100 * study.condition, study.condition)
    result = mrmc.u_statistic(*apart)
    assert result.difference_variance == near(sum(result.variance.values()))


def test_nesting_is_declared_by_the_design_or_by_case_labels() -> None:
    study = crossed(np.random.default_rng(2))
    relabelled = Study(study.score, study.truth, study.reader, study.case + 100 * study.condition, study.condition)
    by_design = mrmc.u_statistic(*study, design="cases_in_condition")
    assert by_design.difference_variance == near(mrmc.u_statistic(*relabelled).difference_variance)
    assert by_design.difference_variance != near(mrmc.u_statistic(*study).difference_variance)


def test_a_negative_variance_refers_to_the_v_statistic() -> None:
    result = mrmc.u_statistic(*negative_variance())
    assert result.difference_variance is not None
    assert result.difference_variance < 0
    assert not result.estimable
    assert (result.p_normal, result.p_bdg, result.df_bdg) == (None, None, None)
    alternative = result.comparisons[0].v
    assert alternative.estimable
    assert alternative.variance > 0
    assert alternative.p_bdg is not None


def test_three_conditions_are_compared_in_pairs() -> None:
    result = mrmc.u_statistic(*crossed(np.random.default_rng(9), conditions=3))
    assert [(row.a, row.b) for row in result.comparisons] == [(0, 1), (0, 2), (1, 2)]
    assert result.difference is None
    assert set(result.variance) == {0, 1, 2}


def test_a_single_condition_has_an_interval_and_no_difference() -> None:
    study = crossed(np.random.default_rng(9), conditions=1, negatives=40, positives=40)
    result = mrmc.u_statistic(*study)
    (low, high) = result.conditions[0].bdg or (0, 0)
    assert low < result.means[0] < high
    assert result.difference is None


def agree(found: mrmc.UStatistic, oracle: dict[str, Any], names: dict[str, Any] | None = None) -> None:
    for part in ("Ustat", "MLEstat"):
        if part not in oracle:
            continue
        *single, both = oracle[part]
        conditions = found.conditions if part == "Ustat" else found.v_conditions
        for mine, row in zip(conditions.values(), single, strict=True):
            assert (mine.estimate, mine.variance) == (near(row["AUCA"]), near(row["varAUCA"]))
            agree_on_the_test(mine, row)
        compared = found.comparisons[0].u if part == "Ustat" else found.comparisons[0].v
        assert compared.estimate == near(both["AUCAminusAUCB"])
        assert compared.variance == near(both["varAUCAminusAUCB"])
        agree_on_the_test(compared, both)
    label = (names or {}).get
    for row in oracle["perReader"]:
        a, b, reader = (label(row[name], row[name]) for name in ("modalityA", "modalityB", "readerID"))
        if b == "NO_MOD":
            mine = found.readers[a, reader]
            assert (mine.estimate, mine.variance) == (near(row["AUCA"]), near(row["varAUCA"]))
        elif row["varAUCAminusAUCB"] is not None:  # the program has none if no case is shared
            assert found.reader_difference_variance[a, b, reader] == near(row["varAUCAminusAUCB"])


def agree_on_the_test(mine: Any, row: dict[str, Any]) -> None:
    assert (mine.p_normal, mine.p_bdg) == (near(row["pValueNormal"]), near(row["pValueBDG"]))
    assert mine.df_bdg == near(row["dfBDG"])
    assert mine.normal == (near(row["botCInormal"]), near(row["topCInormal"]))
    assert mine.bdg == (near(row["botCIBDG"]), near(row["topCIBDG"]))


def literal_covariances(study: Study, a: int, b: int) -> tuple[float, float]:
    """Cov of two conditions' means, over all pairs of kernel values: without bias, and as V-statistic."""
    first, second = kernels(study, a), kernels(study, b)
    kinds: dict[tuple[bool, ...], list[float]] = {}
    for (one, s), (other, t) in product(first, second):
        kinds.setdefault(tuple(x == y for x, y in zip(one, other, strict=True)), []).append(s * t)
    means = {kind: np.mean(values) for kind, values in kinds.items()}
    weights = {kind: len(values) / (len(first) * len(second)) for kind, values in kinds.items()}
    weights[False, False, False] -= 1
    at_least = {
        kind: np.mean(
            [v for k, values in kinds.items() if all(x >= y for x, y in zip(k, kind, strict=True)) for v in values]
        )
        for kind in kinds
    }
    return tuple(float(sum(weights[kind] * of[kind] for kind in kinds)) for of in (means, at_least))


def kernels(study: Study, condition: int) -> list[tuple[tuple[int, int, int], float]]:
    rows = [row for row in zip(*study, strict=True) if row[4] == condition]
    return [
        ((int(r), int(i), int(j)), float(y > x) + float(y == x) / 2)
        for x, t, r, i, _ in rows
        if t == 0
        for y, u, q, j, _ in rows
        if u == 1 and q == r
    ]


def negative_variance() -> Study:
    """Two readers whose differences between the conditions cancel: less spread than cases alone would give."""
    for seed in range(200):
        study = crossed(np.random.default_rng(seed), readers=2, negatives=4, positives=4, levels=3)
        variance = mrmc.u_statistic(*study).difference_variance
        if variance is not None and variance < -1e-6:
            return study
    raise AssertionError("No such study was found.")
