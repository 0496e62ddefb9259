"""Reading times and the log-time model against R, the idle rule, and the edges."""

from math import exp, log

import numpy as np
import pytest

from readerstudy.statistics.linear_mixed import linear
from readerstudy.statistics.reading_times import clock_times, log_time_model, reading_times, relative_position
from tests.statistics.simulated_study import figures, long_form

STUDY = long_form()
LME4 = figures("simstudy_lme4_expected.json")


def test_minutes_of_every_reader_and_session_agree_with_r() -> None:
    assert len(LME4["minutes"]) == 15
    for row in LME4["minutes"]:
        times = reading_times(STUDY.where(reader=row["reader"], session=row["session"]).seconds)
        assert times.minutes == pytest.approx(row["seconds/60"], abs=1e-10)
        assert times.active_minutes == times.minutes
        assert times.idle_readings == 0


def test_the_median_and_the_quartiles_agree_with_pencil_and_paper() -> None:
    times = reading_times([4.0, 1.0, 2.0, 3.0])
    assert (times.lower_quartile, times.median_seconds, times.upper_quartile) == (1.75, 2.5, 3.25)
    assert times.minutes == 10 / 60


def test_an_image_left_alone_counts_as_long_as_the_declared_rule_says() -> None:
    times = reading_times([10.0, 20.0, 30.0, 3600.0], idle_after=60.0)
    assert (times.idle_readings, times.readings) == (1, 4)
    assert times.minutes == pytest.approx(61.0)
    assert (times.active_minutes, times.idle_minutes) == (pytest.approx(2.0), pytest.approx(59.0))
    assert times.upper_quartile == 37.5


def test_a_session_without_readings_took_no_minutes_and_has_no_median() -> None:
    times = reading_times([])
    assert (times.readings, times.minutes, times.median_seconds) == (0, 0.0, None)


def test_a_pause_is_removed_by_the_declared_rule_alone() -> None:
    # Three images of 10 s; 2 s and then ten minutes between them.
    shown, answered = [0.0, 12.0, 622.0], [10.0, 22.0, 632.0]
    whole = clock_times(shown, answered)
    assert (whole.span_minutes, whole.gaps, whole.active_minutes) == (632 / 60, 0, 632 / 60)
    ruled = clock_times(shown[::-1], answered[::-1], gap_after=300.0)
    assert (ruled.gaps, ruled.gap_minutes) == (1, 10.0)
    assert ruled.active_minutes == pytest.approx(32 / 60)
    assert clock_times([], []).span_minutes == 0


@pytest.mark.parametrize(
    ("shown", "answered", "named"),
    [([0.0], [1.0, 2.0], "same length"), ([5.0], [4.0], "answered_at"), ([float("nan")], [1.0], "finite")],
)
def test_clock_times_that_cannot_be_are_named(shown: list[float], answered: list[float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        clock_times(shown, answered)
    with pytest.raises(ValueError, match="gap_after"):
        clock_times([0.0], [1.0], gap_after=-1.0)


@pytest.mark.parametrize("wrong", [[-1.0], [float("nan")], [[1.0]]])
def test_what_is_no_time_is_named(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="seconds"):
        reading_times(wrong)
    with pytest.raises(ValueError, match="idle_after"):
        reading_times([1.0], idle_after=0.0)


def test_the_log_time_model_agrees_with_lme4_and_lmertest() -> None:
    fixed = {
        "sess3": STUDY.session == 3,
        "sess5": STUDY.session == 5,
        "pos": relative_position(STUDY.position, STUDY.reader, STUDY.session),
        "truthreal": STUDY.truth == 0,
    }
    result = linear(np.log(STUDY.seconds), fixed, STUDY.reader, STUDY.case)
    theirs = LME4["lmer_logtime"]
    assert result.converged
    for ours, row in zip(result.fixed, theirs["fixef"], strict=True):
        assert ours.estimate == pytest.approx(row["Estimate"], rel=1e-5)
        assert ours.se == pytest.approx(row["Std. Error"], rel=1e-3)
        assert ours.df == pytest.approx(row["df"], rel=1e-3)
        assert ours.p == pytest.approx(row["Pr(>|t|)"], rel=1e-3)
    by_group = {row["grp"]: row["sdcor"] for row in theirs["varcorr"]}
    assert {term.group: term.sd for term in result.random} == pytest.approx(
        {"reader": by_group["reader"], "case": by_group["case"]}, rel=1e-3
    )
    assert result.residual_sd == pytest.approx(by_group["Residual"], rel=1e-3)
    assert result.reml == pytest.approx(theirs["remlcrit"], abs=1e-5)


def test_effects_are_reported_as_ratios_of_times() -> None:
    result = log_time_model(STUDY.seconds, STUDY.session, STUDY.position, STUDY.truth, STUDY.reader, STUDY.case)
    by_name = {ratio.name: ratio for ratio in result.ratios}
    assert list(by_name) == ["session 3", "session 5", "position", "adversarial"]
    theirs = {row["_row"]: row for row in LME4["lmer_logtime"]["fixef"]}
    assert by_name["position"].ratio == pytest.approx(exp(theirs["pos"]["Estimate"]), rel=1e-5)
    assert by_name["adversarial"].ratio == pytest.approx(exp(-theirs["truthreal"]["Estimate"]), rel=1e-5)
    assert by_name["session 3"].low < by_name["session 3"].ratio < by_name["session 3"].high < 1


def test_everything_twice_as_slow_moves_the_intercept_alone() -> None:
    arguments = (STUDY.session, STUDY.position, STUDY.truth, STUDY.reader, STUDY.case)
    here, there = log_time_model(STUDY.seconds, *arguments), log_time_model(2 * STUDY.seconds, *arguments)
    moved = there.model.fixed[0].estimate - here.model.fixed[0].estimate
    assert moved == pytest.approx(log(2), abs=1e-6)
    for one, other in zip(here.ratios, there.ratios, strict=True):
        assert other.ratio == pytest.approx(one.ratio, rel=1e-5)


def test_the_idle_rule_holds_for_the_model_too() -> None:
    arguments = (STUDY.session, STUDY.position, STUDY.truth, STUDY.reader, STUDY.case)
    lunch = STUDY.seconds.copy()
    lunch[100] = 3600.0
    assert log_time_model(lunch, *arguments).idle_readings == 0
    ruled = log_time_model(lunch, *arguments, idle_after=120.0)
    assert ruled.idle_readings == int((lunch > 120).sum())
    assert ruled.model.residual_sd < log_time_model(lunch, *arguments).model.residual_sd


def test_balanced_readings_give_the_analysis_of_variances_components() -> None:
    # Every reader reads every case once: REML is then the method of moments, and the mean's df are Satterthwaite's.
    rng = np.random.default_rng(8)
    table = 3 + rng.normal(0, 1, (6, 1)) + rng.normal(0, 0.7, (1, 40)) + rng.normal(0, 0.5, (6, 40))
    reader, case = (axis.ravel() for axis in np.indices(table.shape))
    result = linear(table.ravel(), {}, reader, case)
    between_readers = 40 * table.mean(axis=1).var(ddof=1)
    between_cases = 6 * table.mean(axis=0).var(ddof=1)
    left = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    error = (left**2).sum() / (5 * 39)
    assert result.fixed[0].estimate == pytest.approx(table.mean())
    assert result.residual_sd**2 == pytest.approx(error, rel=1e-5)
    sds = {term.group: term.sd for term in result.random}
    assert sds["reader"] ** 2 == pytest.approx((between_readers - error) / 40, rel=1e-4)
    assert sds["case"] ** 2 == pytest.approx((between_cases - error) / 6, rel=1e-4)
    squares = between_readers + between_cases - error
    assert result.fixed[0].se ** 2 == pytest.approx(squares / 240, rel=1e-4)
    df = squares**2 / (between_readers**2 / 5 + between_cases**2 / 39 + error**2 / 195)
    assert result.fixed[0].df == pytest.approx(df, rel=1e-3)


def test_random_slopes_give_the_paired_t_test_of_readers_means() -> None:
    # Balanced, with a slope for each reader: the slope's mean is tested by the spread of the readers' slopes.
    rng = np.random.default_rng(4)
    table = (
        rng.normal(0, 0.3, (7, 2, 30)) + rng.normal(0, 1, (7, 1, 1)) + rng.normal(0, 0.8, (7, 1, 1)) * [[[-0.5], [0.5]]]
    )
    reader, session, number = (axis.ravel() for axis in np.indices(table.shape))
    half = session - 0.5
    result = linear(table.ravel(), {"later": half}, reader, 100 * session + number, slopes={"later": half})
    slopes = table[:, 1].mean(axis=1) - table[:, 0].mean(axis=1)
    assert result.fixed[1].estimate == pytest.approx(slopes.mean())
    # The case variance is estimated at or near 0, which leaves the readers' spread alone.
    assert result.fixed[1].se == pytest.approx(slopes.std(ddof=1) / 7**0.5, rel=0.02)
    assert result.fixed[1].df == pytest.approx(6, abs=0.3)


def test_readers_slopes_are_one_per_session() -> None:
    rows = (STUDY.seconds, STUDY.session, STUDY.position, STUDY.truth, STUDY.reader, STUDY.case)
    result = log_time_model(*rows, own_pace=True).model
    place = relative_position(STUDY.position, STUDY.reader, STUDY.session)
    sessions = {f"session {number}": STUDY.session == number for number in (3, 5)}
    fixed = {**sessions, "position": place, "adversarial": STUDY.truth}
    assert result == linear(np.log(STUDY.seconds), fixed, STUDY.reader, STUDY.case, slopes=sessions)
    assert [term.name for term in result.random if term.group == "reader"] == ["intercept", "session 3", "session 5"]


def test_individual_changes_of_pace_widen_the_sessions_interval() -> None:
    session, reader, case = (axis.ravel() for axis in np.indices((2, 5, 60)))
    noise = np.random.default_rng(3).normal(0, 0.3, session.size)
    seconds = np.exp(2 + np.array([-0.4, 0.5, -0.1, 0.3, 0.0])[reader] * session + noise)
    rows = (seconds, session, case, case % 2, reader, 100 * session + case)
    alike, own = (log_time_model(*rows, own_pace=own_pace).model.fixed[1] for own_pace in (False, True))
    assert own.se > 3 * alike.se
    assert own.df == pytest.approx(4, abs=0.3)
    assert alike.p < 0.05 < own.p


def test_positions_run_from_minus_one_to_one_in_each_readers_session() -> None:
    place = relative_position([1, 2, 3, 7, 1, 2], ["A", "A", "A", "B", "A", "A"], [2, 2, 2, 2, 3, 3])
    np.testing.assert_allclose(place, [-1, 0, 1, 0, -1, 1])


def test_a_reading_of_no_time_has_no_logarithm() -> None:
    with pytest.raises(ValueError, match="seconds must be above 0"):
        log_time_model([0.0, 1.0], [2, 2], [1, 2], [0, 1], ["A", "B"], ["a", "a"])


def test_times_that_never_vary_are_refused() -> None:
    with pytest.raises(ValueError, match="outcome must vary"):
        linear([1.0] * 4, {}, ["A", "A", "B", "B"], ["a", "b", "a", "b"])
