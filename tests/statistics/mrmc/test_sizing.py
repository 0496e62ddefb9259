"""Sizing against RJafroc and against simulated studies."""

from itertools import product

import numpy as np
import pytest

from readerstudy.statistics import mrmc
from readerstudy.statistics.mrmc import roe_metz
from tests.statistics.mrmc.data import crossed, expected, published, van_dyke

PILOT = mrmc.VarianceComponents(var_tr=0.0002, var=0.0008, cov1=0.00035, cov2=0.00034, cov3=0.00024, cases=114)


@published
def test_the_number_of_cases_is_that_of_rjafroc() -> None:
    (oracle,) = expected("rjafroc_expected.json")["sampleSize_dataset02_J6_es0.05"]
    pilot = mrmc.pilot_components(mrmc.obuchowski_rockette(*van_dyke(), covariance="jackknife"))
    result = mrmc.cases_needed(pilot, readers=6, difference=0.05)
    assert result.cases == oracle["KRRRC"]
    # R's noncentral distributions stop at an error of 1e-9; the noncentrality itself agrees to all digits.
    assert result.power == pytest.approx(oracle["powerRRRC"], abs=2e-9)


@pytest.mark.parametrize("random", ["both", "readers", "cases"])
def test_power_grows_with_readers_cases_and_the_difference(random: str) -> None:
    def power(**change: float) -> float:
        return mrmc.power(PILOT, random=random, **{"readers": 5, "cases": 200, "difference": 0.04} | change).power

    assert 0.05 < power() < power(readers=8) < 1
    assert power() < power(cases=400)
    assert power() < power(difference=0.05)
    assert power(difference=1e-9) == pytest.approx(0.05)


def test_the_fewest_are_the_fewest() -> None:
    cases = mrmc.cases_needed(PILOT, readers=6, difference=0.05, power_wanted=0.9)
    assert cases.power >= 0.9
    assert mrmc.power(PILOT, readers=6, cases=cases.cases - 1, difference=0.05).power < 0.9
    readers = mrmc.readers_needed(PILOT, cases=300, difference=0.04)
    assert mrmc.power(PILOT, readers=readers.readers - 1, cases=300, difference=0.04).power < 0.8


def test_where_readers_vary_too_much_no_number_of_cases_helps() -> None:
    with pytest.raises(ValueError, match="too few for this power with any number of cases"):
        mrmc.cases_needed(mrmc.VarianceComponents(0.01, 0.001, 0.0, 0.0, 0.0, 100), readers=3, difference=0.02)


def test_simulated_studies_reach_the_computed_power_of_a_rate() -> None:
    """Sensitivity .7 against .8, 8 readers, 60 other images in each session, readers' changes with an SD of .05."""
    rng = np.random.default_rng(0)
    shape, correlation = (2, 8, 60), 0.3
    components = mrmc.binary_components(0.75, 60, r2=correlation, sd_tr=0.05)
    promised = mrmc.power(components, readers=8, cases=60, difference=0.1).power
    study = crossed(rng, readers=8, negatives=2, positives=60)
    rejected = 0
    for _ in range(300):
        # With chance r² copy an answer common to all readers: two of them then correlate by r.
        rate = np.array([0.7, 0.8])[:, None, None] + 0.05 * rng.normal(size=(2, 8, 1))
        draw, common = rng.random(shape), rng.random((2, 1, 60))
        hit = np.where(rng.random(shape) < np.sqrt(correlation), common, draw) < rate
        positives = study.truth == 1
        result = mrmc.obuchowski_rockette(
            hit.ravel(),
            *list(study.only(positives))[1:],
            figure="sensitivity",
            threshold=1,
            design="cases_in_condition",
        )
        rejected += result.p is not None and result.p < 0.05
    assert rejected / 300 == pytest.approx(promised, abs=0.08)


def test_the_variance_of_an_expected_auc_is_that_of_all_outcomes() -> None:
    """Every outcome of three verdicts on two real and three adversarial images, with its probability."""
    ratings = mrmc.ExpectedRatings((0.5, 0.2, 0.3), (0.1, 0.25, 0.65))
    weights, areas = [], []
    for outcome in product(range(3), repeat=5):
        real, adversarial = outcome[:2], outcome[2:]
        chances = [ratings.negatives[each] for each in real] + [ratings.positives[each] for each in adversarial]
        weights.append(float(np.prod(chances)))
        areas.append(np.mean([(y > x) + (y == x) / 2 for x in real for y in adversarial]))
    mean = np.average(areas, weights=weights)
    assert ratings.auc == pytest.approx(mean, abs=1e-12)
    exact = np.average((np.array(areas) - mean) ** 2, weights=weights)
    assert ratings.variance(negatives=2, positives=3) == pytest.approx(exact, abs=1e-12)


def test_with_two_ratings_the_auc_is_the_balanced_accuracy() -> None:
    ratings = mrmc.ExpectedRatings((0.8, 0.2), (0.4, 0.6))
    assert ratings.auc == pytest.approx(0.7)
    expected = (0.8 * 0.2 / 50 + 0.6 * 0.4 / 30) / 4
    assert ratings.variance(negatives=50, positives=30) == pytest.approx(expected)


def test_simulated_studies_reach_the_computed_power_of_an_auc() -> None:
    """AUC about .66 and .76 by three verdicts, 8 readers, 60 + 60 other images in each session."""
    rng = np.random.default_rng(1)
    right, correlation, sd = (0.55, 0.64), 0.2, 0.04
    shares = np.mean(right)
    expected = mrmc.ExpectedRatings((shares, 0.1, 0.9 - shares), (0.9 - shares, 0.1, shares))
    slope = 1.1  # of the AUC on the share of right verdicts: 1 + the share of "unsure"
    components = expected.components(negatives=60, positives=60, r2=correlation, sd_tr=slope * sd)
    promised = mrmc.power(components, readers=8, cases=120, difference=slope * (right[1] - right[0])).power
    assert 0.5 < promised < 0.95
    study = crossed(rng, readers=8, negatives=60, positives=60)
    rejected = 0
    for _ in range(300):
        # With chance √r a verdict follows a draw that all readers have in common: two of them then correlate by r.
        share = np.array(right)[:, None, None] + sd * rng.normal(size=(2, 8, 1))
        draw, common = rng.random((2, 8, 120)), rng.random((2, 1, 120))
        draw = np.where(rng.random(draw.shape) < np.sqrt(correlation), common, draw)
        correct = np.where(draw < share, 2, np.where(draw < share + 0.1, 1, 0))
        truth = study.truth.reshape(2, 8, 120)
        score = np.where(truth == 1, correct, 2 - correct)
        result = mrmc.obuchowski_rockette(score.ravel(), *list(study)[1:], design="cases_in_condition")
        rejected += result.p is not None and result.p < 0.05
    assert rejected / 300 == pytest.approx(promised, abs=0.08)


@pytest.mark.parametrize(
    ("negatives", "positives", "sentence"),
    [
        ((0.5, 0.5), (1.0,), "same categories"),
        ((0.5, 0.4), (0.5, 0.5), "negatives: probabilities"),
        ((0.5, 0.5), (1.5, -0.5), "positives: probabilities"),
    ],
)
def test_shares_that_are_no_distribution_are_reported(negatives, positives, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        mrmc.ExpectedRatings(negatives, positives)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"readers": 1}, "readers: 1 are not enough"),
        ({"cases": 0}, "cases: there must be at least one"),
        ({"difference": 0.0}, "difference: give the difference"),
        ({"alpha": 1.0}, "alpha must be between"),
    ],
)
def test_wrong_plans_are_reported(change: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        mrmc.power(PILOT, **{"readers": 5, "cases": 100, "difference": 0.05} | change)


def test_one_condition_is_no_pilot() -> None:
    study = crossed(np.random.default_rng(0), conditions=1)
    with pytest.raises(ValueError, match="pilot"):
        mrmc.pilot_components(mrmc.obuchowski_rockette(*study))


def test_a_nested_pilot_counts_the_images_of_one_session() -> None:
    study = crossed(np.random.default_rng(0))
    analysis = mrmc.obuchowski_rockette(*study, design="cases_in_condition")
    assert (analysis.cases, mrmc.pilot_components(analysis).cases) == (34, 17)


def test_the_exact_truth_is_within_reach_of_the_promise() -> None:
    """Hillis' standard error from the mean pilot comes close to the true one of a simulated design."""
    effects = roe_metz.Effects(0.03, 0.3, 0.2)
    model = roe_metz.RoeMetz((1.5, 1.5), (effects, effects), (effects, effects))
    rng = np.random.default_rng(3)
    pilots = [
        mrmc.pilot_components(
            mrmc.obuchowski_rockette(
                *vars(roe_metz.simulate(model, readers=6, negatives=25, positives=25, rng=rng)).values()
            )
        )
        for _ in range(200)
    ]
    mean = mrmc.VarianceComponents(
        **{
            name: float(np.mean([getattr(p, name) for p in pilots]))
            for name in ("var_tr", "var", "cov1", "cov2", "cov3")
        },
        cases=50,
    )
    truth = roe_metz.exact_truth(model, readers=10, negatives=100, positives=100)
    promised = mrmc.power(mean, readers=10, cases=200, difference=0.05).se ** 2
    assert promised == pytest.approx(truth.difference_variance, rel=0.15)
