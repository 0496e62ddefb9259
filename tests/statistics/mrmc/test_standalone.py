"""One algorithm against readers: MRMCaov's single-treatment results, DeLong, and simulated studies."""

import numpy as np
import pytest

from readerstudy.statistics import delong, mrmc
from tests.statistics.mrmc.data import crossed, expected, near, published, van_dyke


def with_perfect(study):
    """Return the readings with those of an algorithm that makes no error, which varies over no cases."""
    cases, first = np.unique(study.case, return_index=True)
    truth = study.truth[first]
    return (
        np.concatenate([study.score, 100.0 * truth]),
        np.concatenate([study.truth, truth]),
        np.concatenate([study.reader.astype(str), np.repeat("cad", cases.size)]),
        np.concatenate([study.case, cases]),
    )


@published
@pytest.mark.parametrize("covariance", ["DeLong", "jackknife", "unbiased"])
def test_against_a_perfect_algorithm_the_result_is_mrmcaovs_of_one_treatment(covariance: str) -> None:
    """1 − θ varies as θ does, so standard error, df and MS(R) are those of the readers' mean."""
    study, rows = van_dyke(), expected("mrmcaov_expected.json")[f"vandyke_auc_factorial_{covariance}"]["test_means"]
    for treatment, row in zip(("1", "2"), rows, strict=True):
        result = mrmc.algorithm_against_readers(
            *with_perfect(study.only(study.condition == treatment)), algorithm="cad", covariance=covariance.lower()
        )
        assert result.algorithm == 1
        assert (result.mean, result.difference) == (near(row["Estimate"]), near(1 - row["Estimate"]))
        assert (result.se, result.df) == (near(row["StdErr"]), near(row["df"]))
        assert (result.ms_r, result.cov2) == (near(row["MS(R)"]), near(row["Cov2"]))
        assert (result.high - result.low) / 2 == near((row["CI"][1] - row["CI"][0]) / 2)


def one_condition(rng, **sizes):
    study = crossed(rng, conditions=1, **sizes)
    return study.score, study.truth, study.reader, study.case


def test_against_one_fixed_reader_it_is_delongs_paired_test() -> None:
    score, truth, reader, case = one_condition(np.random.default_rng(0), readers=2, negatives=30, positives=25)
    first, second = np.unique(reader)
    result = mrmc.algorithm_against_readers(score, truth, reader, case, algorithm=first, random="cases")
    own, other = reader == first, reader == second
    direct = delong.paired(truth[own], score[own], score[other])
    assert (result.algorithm, result.mean) == (near(direct.auc_a), near(direct.auc_b))
    assert (result.difference, result.se, result.p) == (near(direct.difference), near(direct.se), near(direct.p))
    assert (result.each[0].estimate, result.each[0].p) == (near(result.difference), near(result.p))


def test_fixed_readers_have_the_variance_of_their_own_contrast() -> None:
    score, truth, reader, case = one_condition(np.random.default_rng(1), readers=4, negatives=40, positives=40)
    names = np.unique(reader)
    result = mrmc.algorithm_against_readers(score, truth, reader, case, algorithm=names[0], random="cases")
    both = mrmc.algorithm_against_readers(score, truth, reader, case, algorithm=names[0])
    assert (result.difference, result.df) == (near(both.difference), np.inf)
    assert result.difference == near(np.mean([each.estimate for each in result.each]))
    # The mean over readers of the structural components of each case, as one score would have them.
    matrix = mrmc.obuchowski_rockette(score, truth, reader, case, np.zeros_like(truth), random="cases").matrix
    weights = np.array([1, *[-1 / 3] * 3])
    assert result.se**2 == near(weights @ matrix @ weights)


@pytest.mark.parametrize("figure", ["sensitivity", "specificity", "balanced_accuracy"])
def test_shares_are_compared_at_the_threshold(figure: str) -> None:
    score, truth, reader, case = one_condition(np.random.default_rng(2), readers=4, negatives=40, positives=40)
    names = np.unique(reader)
    call = score >= 0.5
    result = mrmc.algorithm_against_readers(
        call.astype(float), truth, reader, case, algorithm=names[0], figure=figure, threshold=0.5
    )
    hit = call == (truth == 1)
    rates = [[hit[(reader == name) & (truth == kind)].mean() for kind in (0, 1)] for name in names]
    values = {"specificity": 0, "sensitivity": 1}
    own = [rate[values[figure]] if figure in values else np.mean(rate) for rate in rates]
    assert result.algorithm == near(own[0])
    assert result.mean == near(np.mean(own[1:]))


def test_a_true_null_is_rejected_as_often_as_promised() -> None:
    """Readers' true AUCs scatter around the algorithm's."""
    rng, rejected, runs = np.random.default_rng(3), 0, 400
    truth = np.tile(np.repeat([0, 1], 50), 7)
    reader, case = np.repeat(np.arange(7), 100), np.tile(np.arange(100), 7)
    for _ in range(runs):
        common = rng.normal(size=100)[case]
        skill = np.where(reader == 0, 1.0, 1.0 + 0.3 * rng.normal(size=7)[reader])
        score = skill * truth + 0.6 * common + 0.8 * rng.normal(size=700)
        rejected += mrmc.algorithm_against_readers(score, truth, reader, case, algorithm=0).p < 0.05
    assert 0.02 < rejected / runs < 0.09


def test_without_spread_nothing_is_tested() -> None:
    truth = np.tile([0, 0, 1, 1], 3)
    reader, case = np.repeat(["a", "b", "c"], 4), np.tile(np.arange(4), 3)
    result = mrmc.algorithm_against_readers(truth.astype(float), truth, reader, case, algorithm="a")
    assert (result.difference, result.p, result.low) == (0, None, None)
    assert result.undefined
    assert result.each[0].p is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"algorithm": "nobody"}, "algorithm: there are no readings of 'nobody'"),
        ({"random": "neither"}, "random must be one of"),
        ({"figure": "sensitivity"}, "threshold is needed"),
    ],
)
def test_wrong_arguments_are_named(change: dict, sentence: str) -> None:
    readings = one_condition(np.random.default_rng(4), readers=3, negatives=10, positives=10)
    with pytest.raises(ValueError, match=sentence):
        mrmc.algorithm_against_readers(*readings, **{"algorithm": readings[2][0]} | change)


def test_one_reader_does_not_stand_for_others() -> None:
    score, truth, reader, case = one_condition(np.random.default_rng(5), readers=2, negatives=10, positives=10)
    with pytest.raises(ValueError, match="one reader is not enough"):
        mrmc.algorithm_against_readers(score, truth, reader, case, algorithm=reader[0])
