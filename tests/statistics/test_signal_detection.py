"""d′, criterion and ln β against an independent program, by hand, and at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from readerstudy.statistics.signal_detection import criterion_shift, d_prime_shift, detection
from tests.statistics.simulated_study import figures, long_form


def test_every_reader_and_session_agrees_with_an_independent_program() -> None:
    cells = figures("simstudy_sdt_expected.json")["cells"]
    assert len(cells) == 10
    for cell in cells:
        readings = long_form().where(reader=cell["reader"], session=int(cell["session"]))
        called = readings.verdict == "not_real"
        fake = readings.truth == 1
        result = detection(int(called[fake].sum()), int(fake.sum()), int(called[~fake].sum()), int((~fake).sum()))
        assert result is not None
        assert (result.point.hit.hits, result.point.false_alarm.hits) == (cell["hits"], cell["false_alarms"])
        assert result.d_prime == pytest.approx(cell["dprime"], abs=1e-10)
        assert result.criterion == pytest.approx(cell["c"], abs=1e-10)
        assert result.ln_beta == pytest.approx(cell["ln_beta"], abs=1e-10)
        assert result.d_prime_se == pytest.approx(cell["se_dprime"], abs=1e-10)


def test_a_small_case_agrees_with_pencil_and_paper() -> None:
    # 9 of 14 and 4 of 14 become 9.5/15 and 4.5/15.
    result = detection(9, 14, 4, 14)
    assert result is not None
    assert (result.hit_rate, result.false_alarm_rate) == (pytest.approx(9.5 / 15), pytest.approx(0.3))
    assert result.d_prime == pytest.approx(norm.ppf(9.5 / 15) - norm.ppf(0.3))
    assert result.ln_beta == pytest.approx(norm.logpdf(norm.ppf(9.5 / 15)) - norm.logpdf(norm.ppf(0.3)))
    assert (result.d_prime_low + result.d_prime_high) / 2 == pytest.approx(result.d_prime)
    assert result.criterion_se == pytest.approx(result.d_prime_se / 2)


def test_a_reader_who_never_errs_has_a_finite_d_prime() -> None:
    result = detection(20, 20, 0, 20)
    assert result is not None
    assert 3.5 < result.d_prime < 4.5
    assert result.criterion == pytest.approx(0, abs=1e-12)
    assert (result.point.hit.share, result.point.false_alarm.share) == (1.0, 0.0)


@pytest.mark.parametrize(("signals", "noises"), [(0, 10), (10, 0), (0, 0)])
def test_a_session_without_adversarial_images_has_no_d_prime(signals: int, noises: int) -> None:
    assert detection(0, signals, 0, noises) is None


def test_more_hits_than_adversarial_images_are_refused() -> None:
    with pytest.raises(ValueError, match="11 hits are impossible in 10 trials"):
        detection(11, 10, 0, 10)


counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_calling_every_image_the_opposite_turns_both_signs(signal: tuple[int, int], noise: tuple[int, int]) -> None:
    (hits, signals), (alarms, noises) = signal, noise
    here = detection(hits, signals, alarms, noises)
    there = detection(signals - hits, signals, noises - alarms, noises)
    assert here is not None
    assert there is not None
    assert there.d_prime == pytest.approx(-here.d_prime, abs=1e-9)
    assert there.criterion == pytest.approx(-here.criterion, abs=1e-9)
    assert there.d_prime_se == pytest.approx(here.d_prime_se)


def test_growing_suspicion_shifts_the_criterion_and_not_d_prime() -> None:
    n = 1000
    before = detection(round(n * norm.cdf(0)), n, round(n * norm.cdf(-1)), n)
    after = detection(round(n * norm.cdf(0.5)), n, round(n * norm.cdf(-0.5)), n)
    assert before is not None
    assert after is not None
    assert d_prime_shift(before, after).p > 0.9
    shift = criterion_shift(before, after)
    assert shift.difference == pytest.approx(-0.5, abs=0.01)
    assert shift.p < 1e-10
    assert shift.low < -0.5 < shift.high
    assert criterion_shift(after, before).difference == -shift.difference
