"""Slopes within readers against R's glm with robust errors, by simulation with a known slope, and at the edges."""

import numpy as np
import pytest
from scipy.special import expit

from readerstudy.statistics.reading_times import relative_position
from readerstudy.statistics.within_reader import (
    NO_SPREAD,
    NOT_FINITE,
    ONE_READER,
    conditional_accuracy,
    time_bins,
    within_slope,
)
from tests.statistics.simulated_study import figures, long_form

R = figures("r_behaviour_expected.json")
READERS = ("R1", "R2", "R3", "R4", "R5")
WITH_FAKES = np.isin(long_form().session, (3, 5))
CELL = 10 * long_form().session + long_form().truth  # session and kind of image


@pytest.mark.parametrize("reader", READERS)
def test_speed_against_accuracy_agrees_with_rs_glm(reader: str) -> None:
    study, theirs = long_form(), R[f"speed_{reader}"]
    own = WITH_FAKES & (study.reader == reader)
    slope = within_slope(study.correct[own], np.log2(study.seconds[own]), CELL[own])
    assert slope.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-9)
    assert slope.effect.se == pytest.approx(theirs["se"], rel=1e-6)
    assert slope.effect.p == pytest.approx(theirs["p"], rel=1e-6)


def robust(theirs: dict, name: str = "robust") -> float:
    return max(theirs["naive"], theirs[name])


def test_the_slope_over_readers_has_robust_errors_as_in_r() -> None:
    study, theirs = long_form(), R["speed_all"]
    stratum = np.char.add(study.reader, CELL.astype(str))[WITH_FAKES]
    log_time, reader = np.log2(study.seconds[WITH_FAKES]), study.reader[WITH_FAKES]
    slope = within_slope(study.correct[WITH_FAKES], log_time, stratum, cluster=reader)
    assert (slope.effect.df, slope.strata, slope.clusters) == (4, 20, 5)
    assert slope.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-9)
    assert slope.effect.se == pytest.approx(robust(theirs, "se"), rel=1e-6)


@pytest.mark.parametrize(("kind", "truth"), [("real", 0), ("fake", 1)])
@pytest.mark.parametrize("session", [3, 5])
def test_learning_within_a_session_agrees_with_r(kind: str, truth: int, session: int) -> None:
    study = long_form()
    own = (study.session == session) & (study.truth == truth)
    place = relative_position(study.position, study.reader, study.session)[own]
    slope = within_slope(study.correct[own], place, study.reader[own], cluster=study.reader[own])
    theirs = R[f"place_{kind}_{session}"]
    assert slope.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-9)
    assert slope.effect.se == pytest.approx(robust(theirs), rel=1e-6)


def test_learning_over_sessions_agrees_with_r_from_counts_as_from_readings() -> None:
    study = long_form().where(truth=0)
    step = np.searchsorted([2, 3, 5], study.session)
    theirs = R["sessions_real"]
    slope = within_slope(study.correct, step, study.reader, cluster=study.reader)
    assert slope.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-9)
    assert slope.effect.se == pytest.approx(theirs["robust"], rel=1e-6)
    rows, number = np.unique(
        np.stack([study.reader, step.astype(str), study.correct.astype(str)]), axis=1, return_counts=True
    )
    counted = within_slope(rows[2].astype(float), rows[1].astype(float), rows[0], cluster=rows[0], weight=number)
    assert counted.effect.estimate == pytest.approx(slope.effect.estimate, abs=1e-9)
    assert counted.effect.se == pytest.approx(slope.effect.se, rel=1e-9)
    assert counted.readings == study.correct.size


def simulate(rng: np.random.Generator, readers: int, spread: float, slope: float) -> tuple[np.ndarray, ...]:
    """Readers with skills, paces and slopes of their own; skilled readers are slow, which no slope should show."""
    reader = np.repeat(np.arange(readers), 120)
    skill = rng.normal(0, 1, readers)
    log_time = 4 + 0.8 * skill[reader] + rng.normal(0, 0.7, reader.size)
    own = slope + rng.normal(0, spread, readers)
    centred = log_time - (4 + 0.8 * skill[reader])
    correct = rng.random(reader.size) < expit(0.5 + skill[reader] + own[reader] * centred)
    return correct.astype(float), log_time, reader


@pytest.mark.parametrize(("readers", "spread"), [(5, 0.0), (5, 0.4), (15, 0.4)])
def test_the_interval_over_readers_holds_the_true_slope(readers: int, spread: float) -> None:
    rng = np.random.default_rng(6)
    true, studies = -0.3, 300
    covered = independent = 0
    for _ in range(studies):
        correct, log_time, reader = simulate(rng, readers, spread, true)
        effect = within_slope(correct, log_time, reader, cluster=reader).effect
        covered += effect.low <= true <= effect.high
        plain = within_slope(correct, log_time, reader).effect
        independent += plain.low <= true <= plain.high
    assert 0.9 < covered / studies <= 1
    if spread:
        assert independent / studies < 0.85  # the differences of readers count as evidence


def test_skilled_and_slow_readers_make_no_slope() -> None:
    correct, log_time, reader = simulate(np.random.default_rng(7), 15, 0.0, 0.0)
    within = within_slope(correct, log_time, reader, cluster=reader).effect
    pooled = within_slope(correct, log_time, np.zeros(reader.size)).effect
    assert within.low < 0 < within.high
    assert pooled.low > 0.1


def test_half_credits_count_half_and_constant_strata_not_at_all() -> None:
    rng = np.random.default_rng(8)
    value, reader = rng.normal(size=90), np.repeat(["a", "b", "c"], 30)
    credit = (rng.random(90) < 0.6).astype(float)
    credit[reader == "c"] = 1.0
    credit[:10] = 0.5
    slope = within_slope(credit, value, reader)
    doubled = [np.concatenate([column, column]) for column in (value, reader)]
    halves = np.concatenate([np.where(credit == 0.5, 1.0, credit), np.where(credit == 0.5, 0.0, credit)])
    expected = within_slope(halves, *doubled, weight=np.full(180, 0.5))
    assert slope.effect.estimate == pytest.approx(expected.effect.estimate)
    assert slope.effect.se == pytest.approx(expected.effect.se)
    assert (slope.strata, slope.readings) == (2, 60)


def test_what_has_no_slope_says_why() -> None:
    for credit, value in (([1, 1, 1], [1, 2, 3]), ([1, 0, 1], [2, 2, 2]), ([], [])):
        with pytest.raises(ValueError, match="no stratum") as error:
            within_slope(credit, value, ["a"] * len(credit))
        assert str(error.value) == NO_SPREAD
    with pytest.raises(ValueError, match="not finite") as error:
        within_slope([0, 0, 1, 1], [1, 2, 3, 4], ["a"] * 4)
    assert str(error.value) == NOT_FINITE
    with pytest.raises(ValueError, match="one reader") as error:
        within_slope([0, 1, 0, 1, 1, 1], [1, 2, 3, 4, 1, 2], [*"aaaabb"], cluster=[*"aaaabb"])
    assert str(error.value) == ONE_READER
    for name, arguments in (
        ("credit", ([2], [1], ["a"])),
        ("value", ([1], [np.inf], ["a"])),
        ("stratum", ([1], [1], ["a", "b"])),
    ):
        with pytest.raises(ValueError, match=name):
            within_slope(*arguments)
    with pytest.raises(ValueError, match="weight"):
        within_slope([1], [1], ["a"], weight=[-1])


def test_parts_are_equal_within_strata() -> None:
    rng = np.random.default_rng(9)
    seconds = np.concatenate([rng.exponential(5, 23), rng.exponential(50, 40)])
    stratum = np.repeat(["one", "two"], [23, 40])
    part = time_bins(seconds, stratum)
    for name in ("one", "two"):
        own, times = part[stratum == name], seconds[stratum == name]
        assert np.ptp(np.bincount(own)) <= 1
        assert all(times[own == low].max() <= times[own == low + 1].min() for low in range(4))
    credit = rng.random(63) < 0.5
    curve = conditional_accuracy(credit, seconds, stratum)
    assert [each.accuracy.hits for each in curve] == [credit[part == number].sum() for number in range(5)]
    assert [each.seconds for each in curve] == [np.median(seconds[part == number]) for number in range(5)]
    assert conditional_accuracy(credit[:4], seconds[:4], stratum[:4]) == ()
    assert time_bins([3.0, 3.0, 3.0, 3.0], ["a"] * 4, bins=2).tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="negative"):
        time_bins([-1.0], ["a"])
    with pytest.raises(ValueError, match="bins"):
        time_bins([1.0], ["a"], bins=0)
    with pytest.raises(ValueError, match="credit"):
        conditional_accuracy([2.0], [1.0], ["a"])
