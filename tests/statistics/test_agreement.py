"""Agreement against R's irr and irrCAC, and at the edges where the coefficients part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.statistics.agreement import (
    Agreement,
    Coefficient,
    agreement,
    agreement_of_counts,
    repeat_agreement,
)
from tests.statistics.simulated_study import figures, long_form, published

CELLS = [(2, "real"), (3, "real"), (3, "fake"), (5, "real"), (5, "fake")]


def of_rows(rows: list[list[str]], levels: list[str]) -> Agreement:
    """Agreement of a table with one line per case and one column per rater."""
    given = [(verdict, case) for case, row in enumerate(rows) for verdict in row if verdict != "NA"]
    return agreement([verdict for verdict, _ in given], [case for _, case in given], levels=levels)


@pytest.mark.parametrize(("session", "truth"), CELLS)
def test_each_session_and_truth_agrees_with_r(session: int, truth: str) -> None:
    r = figures("simstudy_r_expected.json")[f"agree_S{session}_{truth}"]
    readings = long_form().where(session=session, truth=int(truth == "fake"))
    result = agreement(readings.verdict, readings.case)
    assert result.cases == result.cases_read_twice == r["n"]
    assert result.readings == 5 * r["n"]
    assert result.fleiss_kappa.value == pytest.approx(r["fleiss"], abs=1e-10)
    assert result.percent.value == pytest.approx(r["pa"], abs=1e-10)
    # irrCAC prints five places.
    assert result.gwet_ac1.value == pytest.approx(r["ac1"], abs=5.1e-6)
    assert result.gwet_ac1.se == pytest.approx(r["ac1_se"], abs=1e-5)
    for name, ours in (("nominal", result.krippendorff_nominal), ("ordinal", result.krippendorff_ordinal)):
        assert ours.value is not None
        assert _as_irr_has_it(ours.value, result.readings) == pytest.approx(r[f"kripp_{name}"], abs=1e-10)


def _as_irr_has_it(alpha: float, readings: int) -> float:
    """irr::kripp.alpha, given tables without gaps, counts each verdict once per other rater (here four times).

    Its small-sample term is too small for it. Krippendorff's definition, irrCAC, and irr itself given a table
    with a gap, count each verdict once; the two tests below hold us to those.
    """
    counted = 4 * readings
    return 1 - (1 - alpha) * readings / (readings - 1) * (counted - 1) / counted


def test_krippendorffs_own_example_with_gaps_agrees_with_r() -> None:
    r = figures("r_misc_expected.json")
    given = [(v, case) for row in r["kripp_nmm_matrix"] for case, v in enumerate(row) if v is not None]
    result = agreement([v for v, _ in given], [case for _, case in given], levels=[1, 2, 3, 4, 5])
    assert (result.cases, result.cases_read_twice, result.readings) == (12, 11, 41)
    assert result.krippendorff_nominal.value == pytest.approx(r["kripp_nominal"], abs=1e-10)
    assert result.krippendorff_ordinal.value == pytest.approx(r["kripp_ordinal"], abs=1e-10)


@pytest.mark.parametrize("data", ["diagnoses", "raw4raters"])
def test_published_ratings_give_irrcacs_results(data: str) -> None:
    rows = published({"diagnoses": "irr_diagnoses.csv", "raw4raters": "irrcac_raw4raters.csv"}[data])
    result = of_rows(rows, sorted({verdict for row in rows for verdict in row} - {"NA"}))
    for name, ours in {
        "gwet.ac1": result.gwet_ac1,
        "fleiss.kappa": result.fleiss_kappa,
        "krippen.alpha": result.krippendorff_nominal,
        "pa.coeff": result.percent,
    }.items():
        r = figures("r_misc_expected.json")[f"irrCAC_{data}_{name}.raw"]
        assert ours.value == pytest.approx(r["coeff.val"], abs=5.1e-6), name
        assert ours.se == pytest.approx(r["coeff.se"], abs=5.1e-6), name
        low, high = (float(bound) for bound in r["conf.int"].strip("()").split(","))
        assert (ours.low, ours.high) == pytest.approx((low, high), abs=5.1e-4), name


def test_fleiss_kappa_of_the_published_diagnoses_agrees_to_ten_places() -> None:
    rows = published("irr_diagnoses.csv")
    result = of_rows(rows, sorted({verdict for row in rows for verdict in row}))
    assert result.fleiss_kappa.value == pytest.approx(
        figures("r_misc_expected.json")["fleiss_diagnoses"]["kappa"], abs=1e-10
    )


def test_at_high_prevalence_kappa_is_nothing_and_ac1_is_high() -> None:
    # Two readers, a hundred cases: 96 times both say real, twice each says it alone.
    verdicts = ["real", "real"] * 96 + ["real", "not_real"] * 2 + ["not_real", "real"] * 2
    result = agreement(verdicts, np.repeat(np.arange(100), 2), levels=["real", "not_real"])
    assert result.percent.value == pytest.approx(0.96)
    assert result.fleiss_kappa.value == pytest.approx((0.96 - 0.9608) / (1 - 0.9608))
    assert result.gwet_ac1.value == pytest.approx((0.96 - 0.0392) / (1 - 0.0392))


def test_identical_verdicts_leave_kappa_and_alpha_undefined() -> None:
    result = agreement(["real"] * 10, np.repeat(np.arange(5), 2))
    nothing = Coefficient(None, None, None, None)
    assert result.fleiss_kappa == result.krippendorff_nominal == result.krippendorff_ordinal == nothing
    assert (result.percent.value, result.gwet_ac1.value) == (1.0, 1.0)


def test_one_case_has_a_coefficient_and_no_interval() -> None:
    result = agreement(["real", "unsure"], ["a", "a"])
    assert result.percent == Coefficient(0.0, None, None, None)


def test_one_reader_alone_has_no_agreement() -> None:
    with pytest.raises(ValueError, match="two readers"):
        agreement(["real", "unsure"], ["a", "b"])


@pytest.mark.parametrize(
    ("verdicts", "levels", "named"),
    [
        (["real", "seen"], ["real", "unsure"], "seen"),
        (["real"], ["real", "unsure"], "same length"),
        ([1, 1], [1], "levels"),
    ],
)
def test_bad_input_is_named(verdicts: list[object], levels: list[object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        agreement(verdicts, ["a", "a"], levels=levels)


table = st.integers(2, 5).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from(["real", "unsure", "not_real"]), min_size=raters, max_size=raters),
        min_size=3,
        max_size=25,
    )
)


@given(table, st.randoms())
def test_neither_the_readers_nor_the_cases_order_matters(rows: list[list[str]], chance: object) -> None:
    shuffled = [chance.sample(row, len(row)) for row in chance.sample(rows, len(rows))]
    here, there = (of_rows(line, ["real", "unsure", "not_real"]) for line in (rows, shuffled))
    for name in ("percent", "fleiss_kappa", "krippendorff_nominal", "krippendorff_ordinal", "gwet_ac1"):
        one, other = getattr(here, name), getattr(there, name)
        assert (one.value is None) == (other.value is None)
        if one.value is not None:
            assert one.value == pytest.approx(other.value, abs=1e-10)
        if one.low is not None:
            assert one.low - 1e-12 <= one.value <= one.high + 1e-12


@given(table)
def test_readers_who_always_agree_have_every_coefficient_at_one(rows: list[list[str]]) -> None:
    same = [[row[0]] * len(row) for row in rows]
    result = of_rows(same, ["real", "unsure", "not_real"])
    for one in (
        result.percent,
        result.fleiss_kappa,
        result.krippendorff_nominal,
        result.krippendorff_ordinal,
        result.gwet_ac1,
    ):
        assert one.value is None or one.value == pytest.approx(1.0)


@given(table)
def test_without_a_verdict_between_the_two_ends_order_changes_nothing(rows: list[list[str]]) -> None:
    ends = [["real" if verdict == "unsure" else verdict for verdict in row] for row in rows]
    result = of_rows(ends, ["real", "unsure", "not_real"])
    if result.krippendorff_nominal.value is None:
        assert result.krippendorff_ordinal.value is None
    else:
        assert result.krippendorff_ordinal.value == pytest.approx(result.krippendorff_nominal.value, abs=1e-10)


def test_an_interval_holds_its_value_even_below_minus_one() -> None:
    kappa = agreement_of_counts([[0, 0, 1], [1, 0, 1]]).fleiss_kappa
    assert kappa.value < -1
    assert kappa.low <= kappa.value <= kappa.high


# --- one reader, twice ----------------------------------------------------------------------------------------
def _kappa(shares):
    expected = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return (float(np.trace(shares)) - expected) / (1 - expected)


@pytest.mark.parametrize("table", [[[22, 3], [5, 20]], [[30, 4, 2], [3, 12, 5], [1, 6, 17]], [[9, 1], [0, 0]]])
def test_cohen_s_kappa_has_the_standard_error_of_the_delta_method(table):
    counts = np.array(table, dtype=float)
    cases, shares = counts.sum(), counts / counts.sum()
    slopes, step = np.zeros_like(shares), 1e-6
    for cell in np.ndindex(shares.shape):
        up, down = shares.copy(), shares.copy()
        up[cell] += step
        down[cell] -= step
        slopes[cell] = (_kappa(up) - _kappa(down)) / (2 * step)
    spread = max(0, (shares * slopes**2).sum() - ((shares * slopes).sum()) ** 2)  # of a multinomial
    result = repeat_agreement(table)
    assert result.cohen_kappa.value == pytest.approx(_kappa(shares))
    assert result.cohen_kappa.se == pytest.approx(np.sqrt(spread / cases), rel=1e-4, abs=1e-4)
    assert result.percent.value == pytest.approx(np.trace(shares))


def test_a_reader_who_says_one_thing_only_has_no_kappa_but_agrees():
    result = repeat_agreement([[7, 0], [0, 0]])
    assert result.cohen_kappa.value is None
    assert (result.percent.value, result.cases) == (1, 7)


def test_one_case_gives_no_interval():
    result = repeat_agreement([[0, 1], [0, 0]])
    assert (result.cohen_kappa.value, result.cohen_kappa.low) == (0, None)


@pytest.mark.parametrize("table", [[[1, 2]], [[-1, 1], [0, 1]], [[0, 0], [0, 0]], [1, 2]])
def test_a_table_that_is_none_is_refused(table):
    with pytest.raises(ValueError, match="square"):
        repeat_agreement(table)
