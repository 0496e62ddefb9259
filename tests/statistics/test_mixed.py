"""The mixed logistic model against lme4, against a dense computation of the same likelihood, and at its edges."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from readerstudy.statistics.mixed import LogisticModel, likelihood_ratio, logistic, session_by_truth
from tests.statistics.simulated_study import LongForm, figures, long_form

Floats = NDArray[np.float64]

FAKE, REAL = long_form().where(truth=1), long_form().where(truth=0)
LME4 = figures("simstudy_lme4_expected.json")


def second_look_at_fakes() -> LogisticModel:
    later = {"later": FAKE.session == 5}
    return logistic(FAKE.correct, later, FAKE.reader, FAKE.case, slopes=later)


def intercepts_only() -> LogisticModel:
    return logistic(FAKE.correct, {"later": FAKE.session == 5}, FAKE.reader, FAKE.case)


def real_images() -> LogisticModel:
    sessions = {"session 2": REAL.session == 2, "session 5": REAL.session == 5}
    return logistic(REAL.correct, sessions, REAL.reader, REAL.case)


def printed(name: str) -> tuple[list[float], list[float], Mapping[tuple[str, str], float], float]:
    """lme4's estimates, standard errors, standard deviations and log-likelihood."""
    fit = LME4[name]
    names = {"(Intercept)": "intercept", "s5": "later"}
    sds = {(row["grp"].split(".")[0], names[row["var1"]]): row["sdcor"] for row in fit["varcorr"]}
    fixed = fit["fixef"]
    return [row["Estimate"] for row in fixed], [row["Std. Error"] for row in fixed], sds, fit["logLik"]


def test_random_slopes_agree_with_lme4() -> None:
    result = second_look_at_fakes()
    estimates, ses, sds, log_likelihood = printed("glmer_fake_s5")
    assert result.converged
    assert [effect.estimate for effect in result.fixed] == pytest.approx(estimates, rel=1e-3)
    assert {(term.group, term.name): term.sd for term in result.random} == pytest.approx(sds, rel=1e-3)
    assert result.log_likelihood == pytest.approx(log_likelihood, rel=1e-6)
    # lme4 takes second differences of a deviance known to 1e-4 only; ours are first differences of an exact gradient.
    assert [effect.se for effect in result.fixed] == pytest.approx(ses, rel=3e-3)


@pytest.mark.parametrize(
    ("name", "fit"), [("glmer_fake_s5_interceptonly", intercepts_only), ("glmer_real", real_images)]
)
def test_our_likelihood_is_at_least_that_of_lme4(name: str, fit: object) -> None:
    result = fit()
    estimates, ses, sds, log_likelihood = printed(name)
    assert log_likelihood < result.log_likelihood < log_likelihood + 0.01
    assert {(term.group, term.name): term.sd for term in result.random} == pytest.approx(sds, rel=2e-3)
    for ours, theirs, se in zip(result.fixed, estimates, ses, strict=True):
        assert abs(ours.estimate - theirs) < 0.025 * se
        assert ours.se == pytest.approx(se, rel=0.03)


def dense_log_likelihood(readings: LongForm, fixed: Floats, slopes: Floats, beta: Floats, sds: Floats) -> float:
    """Laplace's approximation written out with every random effect in one dense matrix."""
    readers, cases = (np.unique(labels, return_inverse=True)[1] for labels in (readings.reader, readings.case))
    of_reader = [sd * slopes[:, [k]] * np.eye(readers.max() + 1)[readers] for k, sd in enumerate(sds[:-1])]
    b = np.hstack([*of_reader, sds[-1] * np.eye(cases.max() + 1)[cases]])
    effects, offset, y = np.zeros(b.shape[1]), fixed @ beta, readings.correct
    for _ in range(12):
        mean = expit(offset + b @ effects)
        curvature = np.eye(len(effects)) + b.T @ (b * (mean * (1 - mean))[:, None])
        effects = effects + np.linalg.solve(curvature, b.T @ (y - mean) - effects)
    eta = offset + b @ effects
    likelihood = (y * eta - np.logaddexp(0, eta)).sum() - (effects**2).sum() / 2
    return float(likelihood - np.linalg.slogdet(curvature)[1] / 2)


def test_the_likelihood_is_the_dense_one_and_a_local_maximum() -> None:
    chosen = np.array([int(case[-1]) in (0, 5) for case in FAKE.case])
    some = LongForm(*(column[chosen] for column in vars(FAKE).values()))
    later = some.session == 5
    result = logistic(some.correct, {"later": later}, some.reader, some.case, slopes={"later": later})
    design = np.stack([np.ones(later.size), later], axis=1)
    beta, sds = np.array([term.estimate for term in result.fixed]), np.array([term.sd for term in result.random])
    best = dense_log_likelihood(some, design, design, beta, sds)
    assert result.log_likelihood == pytest.approx(best, abs=1e-8)
    for nudge in np.eye(5) * 0.01:
        for moved in (nudge, -nudge):
            assert dense_log_likelihood(some, design, design, beta + moved[:2], sds + moved[2:]) < best


def test_the_likelihood_ratio_agrees_with_lme4() -> None:
    later = {"later": FAKE.session == 5}
    smaller = logistic(FAKE.correct, {}, FAKE.reader, FAKE.case, slopes=later)
    result = likelihood_ratio(smaller, second_look_at_fakes())
    theirs = LME4["glmer_fake_s5"]["LRT"][1]
    assert result.df == theirs["Df"]
    assert result.chi2 == pytest.approx(theirs["Chisq"], rel=2e-3)
    assert result.p == pytest.approx(theirs["Pr(>Chisq)"], rel=2e-3)
    with pytest.raises(ValueError, match="smaller"):
        likelihood_ratio(second_look_at_fakes(), smaller)


def test_session_by_truth_has_an_interaction_if_both_kinds_are_shown() -> None:
    study = long_form()
    result = session_by_truth(study.correct, study.session, study.truth, study.reader, study.case)
    names = [effect.name for effect in result.fixed]
    assert names == ["intercept", "session 2", "session 5", "adversarial", "session 5 × adversarial"]
    assert [term.name for term in result.random if term.group == "reader"] == names
    assert result.converged
    # The drawn criteria went down: accuracy falls on real images and rises on adversarial ones.
    by_name = {effect.name: effect for effect in result.fixed}
    assert by_name["session 5"].high < 0 < by_name["session 5 × adversarial"].low


def test_names_of_readers_and_order_of_readings_change_nothing() -> None:
    result = intercepts_only()
    order = np.random.default_rng(5).permutation(FAKE.correct.size)
    names = {"R1": "Zoe", "R2": "Yan", "R3": "Xi", "R4": "Will", "R5": "Vic"}
    renamed = np.array([names[reader] for reader in FAKE.reader])
    again = logistic(FAKE.correct[order], {"later": (FAKE.session == 5)[order]}, renamed[order], FAKE.case[order])
    assert again.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-8)
    assert [term.estimate for term in again.fixed] == pytest.approx([term.estimate for term in result.fixed], abs=1e-5)


def test_exchanging_right_and_wrong_turns_every_sign() -> None:
    result = intercepts_only()
    turned = logistic(1 - FAKE.correct, {"later": FAKE.session == 5}, FAKE.reader, FAKE.case)
    assert [term.estimate for term in turned.fixed] == pytest.approx(
        [-term.estimate for term in result.fixed], abs=1e-5
    )
    assert [term.sd for term in turned.random] == pytest.approx([term.sd for term in result.random], abs=1e-5)


def test_readers_who_do_not_differ_are_reported_as_a_singular_fit() -> None:
    rng = np.random.default_rng(3)
    case = np.tile(np.arange(150), 4)
    correct = rng.random(600) < np.repeat(expit(rng.normal(0, 1.5, 150))[None, :], 4, axis=0).ravel()
    result = logistic(correct, {}, np.repeat(list("ABCD"), 150), case)
    by_group = {term.group: term for term in result.random}
    assert by_group["reader"].is_singular
    assert not by_group["case"].is_singular


def test_a_kind_that_is_always_recognised_has_no_finite_odds() -> None:
    study = long_form()
    sure = np.where((study.session == 5) & (study.truth == 1), 1.0, study.correct)
    with pytest.raises(ValueError, match="every adversarial image of session 5 was read as correct"):
        session_by_truth(sure, study.session, study.truth, study.reader, study.case)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"correct": np.full(4, 0.5)}, "correct"),
        ({"correct": np.ones(4)}, "the same value for every reading"),
        ({"reader": ["R1"] * 4}, "two readers"),
        ({"case": ["a", "b", "c", "d"]}, "read twice"),
        ({"reader": ["R1"] * 3}, "same length"),
        ({"fixed": {"later": [1.0, 1.0, 1.0, 1.0]}}, "collinear"),
        ({"fixed": {"later": [1.0, float("nan"), 1.0, 0.0]}}, "later"),
    ],
)
def test_bad_input_is_named(changes: dict[str, object], named: str) -> None:
    good = {"correct": [1, 0, 0, 1], "fixed": {}, "reader": ["R1", "R1", "R2", "R2"], "case": ["a", "b", "a", "b"]}
    with pytest.raises(ValueError, match=named):
        logistic(**{**good, **changes})
