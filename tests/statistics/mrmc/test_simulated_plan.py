"""The power of TOST against PowerTOST, and simulated studies against what was assumed and computed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import chi

from readerstudy.statistics import mrmc
from readerstudy.statistics.mrmc import simulated_plan
from readerstudy.statistics.mrmc.simulated_plan import SimulatedPlan, latent_correlation, simulated_power
from readerstudy.statistics.unsure import Unsure

PLAN = SimulatedPlan(readers=6, sessions=((60, 60), (60, 60)), figure="sensitivity")


# --- the computed power ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("variation", "subjects", "published"),
    # Schuetz, Labes and Fuglsang: PowerTOST, power.TOST of the 2 x 2 crossover with a ratio of .95 (Owen's Q).
    [(0.25, 28, 0.8074395), (0.30, 40, 0.8158453), (0.25, 24, 0.7391155)],
)
def test_the_power_of_tost_is_that_of_powertost(variation: float, subjects: int, published: float) -> None:
    # A crossover in n subjects is a comparison of two conditions by n - 1 readers' worth of df, here n - 2.
    se = np.sqrt(np.log(variation**2 + 1) * 2 / subjects)
    accepted = mrmc.sizing._accepted(np.log(1.25) / se, np.log(0.95) / se, subjects - 2, 0.05)
    assert accepted == pytest.approx(published, abs=5e-8)


def test_the_power_of_tost_grows_with_readers_and_falls_with_a_difference() -> None:
    components = mrmc.binary_components(0.8, 400, r2=0.1, sd_tr=0.02)

    def power(**change: float) -> float:
        values = {"readers": 10, "cases": 400, "margin": 0.05} | change
        return mrmc.equivalence_power(components, **values).power

    assert power() < power(readers=20) < 1
    assert power(difference=0.04) < power(difference=0.02) < power()
    assert power(difference=0.02) == pytest.approx(power(difference=-0.02))
    # At the margin itself each test errs at its level.
    assert power(difference=0.05, readers=60) == pytest.approx(0.05, abs=0.002)
    assert power(random="cases", readers=200, cases=40_000) == pytest.approx(1)


@pytest.mark.parametrize("readers", [2, 5, 40])
def test_the_power_of_non_inferiority_is_one_tail(readers: int) -> None:
    """Both tails are the power of the two-sided test, by the noncentral F; one is an integral over the variance."""
    components = mrmc.binary_components(0.8, 400, r2=0.1, sd_tr=0.02)
    size = {"readers": readers, "cases": 400}
    upper, lower = (
        mrmc.non_inferiority_power(components, **size, margin=0.05, difference=true) for true in (0.0, -0.1)
    )
    assert upper.power + lower.power == pytest.approx(mrmc.power(components, **size, difference=0.05).power, abs=1e-8)
    df, root = upper.df2, np.sqrt(upper.df2)
    shift, quantile = 0.05 / upper.se, stdtrit(df, 0.975)
    shown, _error = quad(
        lambda t: ndtr(shift - quantile * t) * chi.pdf(t * root, df) * root, 0, 10, points=[1], limit=500
    )
    assert upper.power == pytest.approx(shown, abs=1e-8)


def test_the_power_of_non_inferiority_at_the_margin_is_its_level() -> None:
    components = mrmc.binary_components(0.8, 400, r2=0.1, sd_tr=0.02)
    for random in ("both", "cases"):
        values = {"readers": 10, "cases": 400, "margin": 0.05, "random": random}
        at_margin = mrmc.non_inferiority_power(components, **values, difference=-0.05)
        assert at_margin.power == pytest.approx(0.025)
        assert 0.025 < mrmc.non_inferiority_power(components, **values).power < 1


@pytest.mark.parametrize(
    ("change", "sentence"), [({"margin": 0.0}, "margin must be"), ({"alpha": 0.5}, "alpha must be below .5")]
)
def test_wrong_margins_are_reported(change: dict[str, float], sentence: str) -> None:
    components = mrmc.binary_components(0.8, 400, sd_tr=0.02)
    with pytest.raises(ValueError, match=sentence):
        mrmc.equivalence_power(components, **{"readers": 5, "cases": 100, "margin": 0.05} | change)
    with pytest.raises(ValueError, match=sentence):
        mrmc.non_inferiority_power(components, **{"readers": 5, "cases": 100, "margin": 0.05} | change)


# --- simulated studies ----------------------------------------------------------------------------------------------
def test_simulated_studies_reach_the_computed_power() -> None:
    components = mrmc.binary_components(0.6, 60, r2=0.15, sd_tr=0.05)
    computed = mrmc.power(components, readers=6, cases=60, difference=0.15).power
    rng = np.random.default_rng(0)
    found = simulated_power(PLAN, difference=0.15, margin=0.05, alpha=0.05, runs=300, rng=rng)
    assert 0.4 < computed < 0.9
    assert found.power.share == pytest.approx(computed, abs=0.08)
    assert found.false_positive.low < 0.05 < found.false_positive.high
    assert found.power.trials == 300
    again = simulated_power(PLAN, difference=0.15, margin=0.05, alpha=0.05, runs=300, rng=np.random.default_rng(0))
    assert again == found


def test_simulated_studies_reach_the_computed_power_of_equivalence() -> None:
    plan = SimulatedPlan(20, ((400, 400), (400, 400)), "auc", right=0.8, unsure=0.05, sd_tr=0.02, correlation=0.1)
    components = mrmc.ExpectedRatings((0.8, 0.05, 0.15), (0.15, 0.05, 0.8)).components(
        negatives=400, positives=400, r2=0.1, sd_tr=0.02
    )
    computed = mrmc.equivalence_power(components, readers=20, cases=800, margin=0.03).power
    rng = np.random.default_rng(1)
    found = simulated_power(plan, difference=0.05, margin=0.03, alpha=0.05, runs=150, rng=rng)
    assert 0.3 < computed < 0.95
    assert found.equivalence.share == pytest.approx(computed, abs=0.1)
    computed = mrmc.non_inferiority_power(components, readers=20, cases=800, margin=0.03).power
    assert 0.3 < computed < 0.95
    for claim in (found.not_lower, found.not_higher):
        assert claim.share == pytest.approx(computed, abs=0.1)


@pytest.mark.parametrize("figure", ["auc", "sensitivity", "specificity", "balanced_accuracy"])
@pytest.mark.parametrize("rule", [Unsure.WRONG, Unsure.EXCLUDED])
def test_simulated_figures_are_those_assumed(figure: str, rule: Unsure) -> None:
    plan = replace(PLAN, readers=40, sessions=((900, 900), (900, 900)), figure=figure, unsure_rule=rule, sd_tr=0.0)
    study = simulated_plan.simulate(plan, difference=0.1, rng=np.random.default_rng(2))
    means = simulated_plan.analyse(plan, study).means
    assert means[0] == pytest.approx(plan.baseline, abs=0.02)
    assert means[1] - means[0] == pytest.approx(0.1, abs=0.03)


def test_readers_change_by_the_assumed_spread() -> None:
    plan = replace(PLAN, readers=300, sessions=((2, 1000), (2, 1000)), sd_tr=0.06, correlation=0.0)
    study = simulated_plan.simulate(plan, difference=0.0, rng=np.random.default_rng(3))
    rates = np.array(
        [
            [study.score[(study.reader == r) & (study.condition == s) & (study.truth == 1)].mean() for s in (0, 1)]
            for r in range(300)
        ]
    )
    change = rates[:, 1] - rates[:, 0]
    # Two cells with the SD .06, and the binomial error of 1,000 verdicts in each.
    assert change.std() == pytest.approx(np.sqrt(2 * (0.06**2 + 0.24 / 1000)), rel=0.1)


def test_verdicts_on_an_image_and_on_a_patient_correlate_as_assumed() -> None:
    plan = replace(
        PLAN,
        readers=2,
        sessions=((2, 6000), (2, 6000)),
        sd_tr=0.0,
        correlation=0.3,
        patient_correlation=0.2,
        images_per_patient=2.0,
        same_images=True,
    )
    study = simulated_plan.simulate(plan, difference=0.0, rng=np.random.default_rng(4))
    right = study.score.reshape(2, 2, 6002)[:, :, 2:]  # reader, session, adversarial image
    assert np.corrcoef(right[0, 0], right[1, 0])[0, 1] == pytest.approx(0.3, abs=0.05)
    assert np.corrcoef(right[0, 0], right[0, 1])[0, 1] == pytest.approx(0.3, abs=0.05)
    # Without an effect of the single image, the correlation on one image is that of the patient alone.
    clustered = replace(plan, correlation=0.2, images_per_patient=6004.0)
    rng = np.random.default_rng(5)
    shares = [simulated_plan.simulate(clustered, difference=0.0, rng=rng).score.mean() for _ in range(60)]
    assert np.std(shares) > 0.15  # all images of one patient: each study is near one common shift


def test_latent_correlations_give_the_assumed_ones() -> None:
    latent, rng = latent_correlation(0.7, 0.25), np.random.default_rng(6)
    common = np.sqrt(latent) * rng.normal(size=400_000)
    one, other = (common + np.sqrt(1 - latent) * rng.normal(size=400_000) < ndtri(0.7) for _ in range(2))
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.25, abs=0.01)
    assert latent_correlation(0.7, 0.0) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"readers": 1}, "readers: 1"),
        ({"right": 0.95}, "sum below 1"),
        ({"patient_correlation": 0.2}, "patient_correlation must be"),
        ({"images_per_patient": 0.5}, "at least 1"),
        ({"sessions": ((60, 1), (60, 60))}, "two images"),
        ({"sessions": ((60, 60), (60, 61)), "same_images": True}, "same numbers"),
    ],
)
def test_impossible_plans_are_reported(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(PLAN, **change)


@pytest.mark.parametrize(
    ("change", "sentence"), [({"runs": 0}, "runs: there must"), ({"difference": 0.5}, "cannot change by 0.5")]
)
def test_impossible_simulations_are_reported(change: dict, sentence: str) -> None:
    values = {"difference": 0.1, "margin": 0.05, "alpha": 0.05, "runs": 5} | change
    with pytest.raises(ValueError, match=sentence):
        simulated_power(PLAN, rng=np.random.default_rng(0), **values)
