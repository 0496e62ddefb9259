"""Obuchowski–Rockette against MRMCaov and RJafroc, and against its own definition."""

from typing import Any

import numpy as np
import pytest

from readerstudy.statistics import mrmc
from readerstudy.statistics.mrmc import figures_of_merit
from tests.statistics.mrmc.data import Study, crossed, expected, near, published, simulated, van_dyke

DESIGNS = {"casesInReaders": "cases_in_reader", "casesInTreatments": "cases_in_condition"}
RANDOM = {"fixedReaders": "cases", "fixedCases": "readers"}
PUBLISHED = [
    f"vandyke_{figure}_{design}_{method}"
    for figure, designs, methods in (
        ("auc", ("factorial", "fixedReaders", "fixedCases"), ("DeLong", "jackknife", "unbiased")),
        ("auc", tuple(DESIGNS), ("jackknife", "unbiased")),
        ("sens_ge3", ("factorial",), ("jackknife",)),
    )
    for design in designs
    for method in methods
]
SIMULATED = {
    "mrmc_auc_nested_jackknife": {"figure": "auc"},
    "mrmc_sens_fake_nested_jackknife": {"figure": "sensitivity", "threshold": 2},
    "mrmc_spec_real_unsureWrong_nested_jackknife": {"figure": "specificity", "threshold": 1},
}


@published
@pytest.mark.parametrize("name", PUBLISHED)
def test_van_dyke_comes_out_as_mrmcaov_has_it(name: str) -> None:
    oracle = expected("mrmcaov_expected.json")[name]
    figure, design, method = name.replace("sens_ge3", "sensitivity").split("_")[1:]
    result = mrmc.obuchowski_rockette(
        *van_dyke(),
        figure=figure,
        threshold=3 if figure == "sensitivity" else None,
        covariance=method.lower(),
        design=DESIGNS.get(design, "crossed"),
        random=RANDOM.get(design, "both"),
    )
    assert list(result.estimates.values()) == [near(row["value"]) for row in by_cell(oracle["metrics"])]
    agree_on_the_test(result, oracle["test_equality"][0])
    agree_on_differences(result, oracle["test_diffs"])
    agree_on_means(result, oracle["test_means"])
    if oracle["vcov_comps"]:
        components = (result.var_r, result.var_tr, result.var, result.cov1, result.cov2, result.cov3)
        assert components == tuple(near(row["Estimate"]) for row in oracle["vcov_comps"])
    if oracle["cov"]:
        assert result.matrix.ravel().tolist() == [near(value) for row in oracle["cov"] for value in row]
    for mine, row in zip(result.reader_differences, oracle["reader_test_diffs"] or (), strict=False):
        assert (mine.reader, mine.estimate, mine.se) == (str(row["Reader"]), near(row["Estimate"]), near(row["StdErr"]))
        assert (mine.low, mine.high, mine.p) == (near(row["CI"][0]), near(row["CI"][1]), near(row["p-value"]))
    for row in oracle["reader_means"] or ():
        mine = result.reader_intervals[str(row["treatment"]), str(row["reader"])]
        assert (mine.estimate, mine.se) == (near(row["empirical_auc"]), near(row["StdErr"]))
        assert [mine.low, mine.high] == [near(bound) for bound in row["CI"]]


@pytest.mark.parametrize(("name", "figure"), SIMULATED.items())
def test_the_simulated_sessions_come_out_as_mrmcaov_has_them(name: str, figure: dict[str, Any]) -> None:
    oracle = expected("simstudy_r_expected.json")[name]
    result = mrmc.obuchowski_rockette(*simulated(), covariance="jackknife", design="cases_in_condition", **figure)
    assert result.estimates == {(row["session"], row["reader"]): near(row["v"]) for row in numbered(oracle["values"])}
    agree_on_the_test(result, oracle["test"][0])
    agree_on_differences(result, oracle["diffs"])
    agree_on_means(result, oracle["means"])
    assert [result.var_r, result.var_tr, result.var] == [near(row["Estimate"]) for row in oracle["vcov"][:3]]


@published
def test_van_dyke_comes_out_as_rjafroc_has_it() -> None:
    oracle = expected("rjafroc_expected.json")["dataset02_OR_jackknife"]
    result = mrmc.obuchowski_rockette(*van_dyke(), covariance="jackknife")
    squares = {row["_row"]: near(row["MS"]) for row in oracle["ANOVA"]["TRanova"]}
    assert {"T": result.ms_t, "R": result.ms_r, "TR": result.ms_tr} == squares
    components = {row["_row"]: near(row["Estimates"]) for row in oracle["ANOVA"]["VarCom"]}
    mine = (result.var_r, result.var_tr, result.cov1, result.cov2, result.cov3, result.var)
    assert dict(zip(("VarR", "VarTR", "Cov1", "Cov2", "Cov3", "Var"), mine, strict=True)) == components
    treatment, error = oracle["RRRC"]["FTests"]
    assert (result.f, result.p, result.df2) == (near(treatment["FStat"]), near(treatment["p"]), near(error["DF"]))


@published
def test_every_treatment_and_reader_alone_comes_out_as_rjafroc_has_it() -> None:
    oracle, study = expected("rjafroc_expected.json")["dataset02_OR_jackknife"], van_dyke()
    for treatment, row, mean in zip(
        "12", oracle["ANOVA"]["IndividualTrt"], oracle["RRRC"]["ciAvgRdrEachTrt"], strict=True
    ):
        alone = mrmc.obuchowski_rockette(*study.only(study.condition == treatment), covariance="jackknife")
        mine = (alone.ms_r, alone.var, alone.cov2)
        assert mine == tuple(near(row[name]) for name in ("msREachTrt", "varEachTrt", "cov2EachTrt"))
        interval = alone.intervals[treatment]
        mine = (interval.estimate, interval.se, interval.df, interval.low, interval.high)
        assert mine == tuple(near(mean[name]) for name in ("Estimate", "StdErr", "DF", "CILower", "CIUpper"))
    for reader, row in zip("12345", oracle["ANOVA"]["IndividualRdr"], strict=True):
        one = study.only(study.reader == reader)
        alone = mrmc.obuchowski_rockette(*one, covariance="jackknife", random="cases")
        mine = (alone.ms_t, alone.var, alone.cov1)
        assert mine == tuple(near(row[name]) for name in ("msTEachRdr", "varEachRdr", "cov1EachRdr"))


@published
def test_the_jackknife_analysis_is_that_of_dorfman_berbaum_and_metz() -> None:
    oracle = expected("rjafroc_expected.json")["dataset02_DBM_jackknife"]
    result = mrmc.obuchowski_rockette(*van_dyke(), covariance="jackknife")
    cov1, cov2, cov3, n = result.cov1 or 0, result.cov2 or 0, result.cov3 or 0, result.cases
    components = {
        "VarR": result.var_r,
        "VarC": n * cov3,
        "VarTR": result.var_tr,
        "VarRC": n * (cov1 - cov3),
        "VarTC": n * (cov2 - cov3),
        "VarErr": n * (result.var - cov1 - cov2 + cov3),
    }
    assert components == {row["_row"]: near(row["Estimates"]) for row in oracle["ANOVA"]["VarCom"]}
    treatment, error = oracle["RRRC"]["FTests"]
    assert (result.f, result.p, result.df2) == (near(treatment["FStat"]), near(treatment["p"]), near(error["DF"]))
    (row,) = oracle["RRRC"]["ciDiffTrt"]
    mine = result.differences[0]
    assert [mine.estimate, mine.se, mine.low, mine.high] == [
        near(row[name]) for name in ("Estimate", "StdErr", "CILower", "CIUpper")
    ]


@pytest.mark.parametrize("figure", ["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("design", ["crossed", "cases_in_condition", "cases_in_reader"])
def test_the_jackknife_is_the_literal_one_with_readings_missing(figure: str, design: str) -> None:
    rng = np.random.default_rng(7)
    study = crossed(rng, conditions=3, negatives=14, positives=12)
    study = study.only(rng.random(study.score.size) > 0.25)
    options: dict[str, Any] = {"figure": figure, "threshold": None if figure == "auc" else 1, "design": design}
    result = mrmc.obuchowski_rockette(*study, covariance="jackknife", **options)
    matrix = literal_jackknife(study, figure, design)
    same_reader, same_condition = (np.equal.outer(part, part) for part in np.indices((3, 4)).reshape(2, -1)[::-1])
    assert result.var == near(matrix[same_reader & same_condition].mean())
    assert result.cov1 == near(matrix[same_reader & ~same_condition].mean())
    assert result.cov2 == near(matrix[~same_reader & same_condition].mean())
    assert result.cov3 == near(matrix[~same_reader & ~same_condition].mean())


@pytest.mark.parametrize("levels", [4, None])
@pytest.mark.parametrize("figure", ["auc", "balanced_accuracy", "accuracy"])
def test_the_unbiased_covariance_is_literal_with_readings_missing(figure: str, levels: int | None) -> None:
    rng = np.random.default_rng(8)
    study = crossed(rng, levels=levels)
    study = study.only(rng.random(study.score.size) > 0.2)
    result = mrmc.obuchowski_rockette(*study, covariance="unbiased", figure=figure, threshold=1)
    one = study.only((study.condition == 0) & (study.reader == 1))
    other = study.only((study.condition == 1) & (study.reader == 1))
    literal = literal_unbiased(one, one, figure) + literal_unbiased(other, other, figure)
    literal -= 2 * literal_unbiased(one, other, figure)
    mine = next(row for row in result.reader_differences if row.reader == 1)
    assert mine.se**2 == near(literal)


def test_categories_and_ranks_give_the_same_components() -> None:
    rng = np.random.default_rng(3)
    tables = tuple(np.where(rng.random((6, n)) < 0.2, np.nan, rng.integers(0, 4, (6, n))) for n in (30, 40))
    for counted, ranked in zip(figures_of_merit._by_counts(*tables), figures_of_merit._by_ranks(*tables), strict=True):
        np.testing.assert_allclose(counted, ranked, rtol=1e-12)


def test_a_negative_cov2_less_cov3_is_constrained_and_reported() -> None:
    # Readers who err on the same cases in different conditions only: the pairs of cells that share a condition do not.
    rng = np.random.default_rng(1)
    base = rng.normal(size=(2, 400))
    truth = np.arange(400) % 2
    score = np.stack([[base[0], base[1]], [base[1], base[0]]]) + truth + 0.3 * rng.normal(size=(2, 2, 400))
    condition, reader, case = (axis.ravel() for axis in np.indices(score.shape))
    result = mrmc.obuchowski_rockette(score.ravel(), truth[case], reader, case, condition)
    assert result.cov2 is not None
    assert result.cov3 is not None
    assert result.cov2 < result.cov3
    assert result.constrained
    assert (result.denominator, result.df2) == (near(result.ms_tr), near(1.0))


def test_three_conditions_share_one_error_and_one_f() -> None:
    result = mrmc.obuchowski_rockette(*crossed(np.random.default_rng(5), conditions=3))
    assert result.df1 == 2
    assert [(row.a, row.b) for row in result.differences] == [(0, 1), (0, 2), (1, 2)]
    assert len({row.se for row in result.differences}) == 1
    assert result.denominator == near(result.ms_tr + 4 * max(result.cov2 - result.cov3, 0))


def literal_estimate(study: Study, figure: str) -> float:
    x, y = study.score[study.truth == 0], study.score[study.truth == 1]
    if figure == "auc":
        return float(((y > x[:, None]) + (y == x[:, None]) / 2).mean())
    sensitivity, specificity = (y >= 1).mean() if y.size else 0.0, (x < 1).mean() if x.size else 0.0
    if figure == "accuracy":
        return float(((study.score >= 1) == study.truth).mean())
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
    }[figure]


def literal_jackknife(study: Study, figure: str, design: str) -> np.ndarray:
    """Every case left out in turn and every cell computed again."""
    keep = {"sensitivity": study.truth == 1, "specificity": study.truth == 0}.get(figure, study.truth >= 0)
    study = study.only(keep)
    nest = {"crossed": study.case * 0, "cases_in_condition": study.condition, "cases_in_reader": study.reader}[design]
    case = study.case * 10 + nest
    cells = [(study.condition == t) & (study.reader == r) for t in range(3) for r in range(4)]
    values = np.array(
        [[literal_estimate(study.only(cell & (case != left_out)), figure) for cell in cells] for left_out in set(case)]
    )
    return np.cov(values.T, bias=True) * (len(values) - 1)


def literal_unbiased(one: Study, other: Study, figure: str) -> float:
    """The product of two estimates less the mean over pairs of pairs that have no case in common."""

    def kernel(study: Study) -> list[tuple[tuple[int, ...], float]]:
        if figure == "accuracy":
            return [((c,), float((s >= 1) == t)) for s, t, c in zip(study.score, study.truth, study.case, strict=True)]
        sides = [study.only(study.truth == side) for side in (0, 1)]
        return [
            ((i, j), literal_estimate(Study(np.array([x, y]), np.array([0, 1]), *[np.array([0, 0])] * 3), figure))
            for x, i in zip(sides[0].score, sides[0].case, strict=True)
            for y, j in zip(sides[1].score, sides[1].case, strict=True)
        ]

    a, b = kernel(one), kernel(other)
    apart = [s * t for cases, s in a for others, t in b if not set(cases) & set(others)]
    return float(np.mean([s for _, s in a]) * np.mean([t for _, t in b]) - np.mean(apart))


def by_cell(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["treatment"], row["reader"]))


def numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "session": int(row["session"])} for row in rows]


def agree_on_the_test(found: mrmc.ObuchowskiRockette, row: dict[str, Any]) -> None:
    known = {
        "MS(T)": found.ms_t,
        "MS(T:R)": found.ms_tr,
        "Cov1": found.cov1,
        "Cov2": found.cov2,
        "Cov3": found.cov3,
        "Denominator": found.denominator,
        "F": found.f,
        "X2": None if found.f is None else found.f * found.df1,
        "df": found.df1,
        "df1": found.df1,
        "df2": found.df2,
        "p-value": found.p,
    }
    assert {name: known[name] for name in row} == {name: near(value) for name, value in row.items()}


def agree_on_differences(found: mrmc.ObuchowskiRockette, rows: list[dict[str, Any]]) -> None:
    for mine, row in zip(found.differences, rows, strict=True):
        assert f"{mine.a} - {mine.b}" == row["Comparison"]
        assert (mine.estimate, mine.se, mine.p) == tuple(near(row[name]) for name in ("Estimate", "StdErr", "p-value"))
        assert [mine.low, mine.high] == [near(bound) for bound in row["CI"]]


def agree_on_means(found: mrmc.ObuchowskiRockette, rows: list[dict[str, Any]]) -> None:
    assert list(found.means.values()) == [near(row["Estimate"]) for row in rows]
    for mine, row in zip(found.intervals.values(), rows, strict=True):
        assert (mine.estimate, mine.se) == (near(row["Estimate"]), near(row["StdErr"]))
        assert mine.df == (near(row["df"]) if "df" in row else np.inf)
        assert [mine.low, mine.high] == [near(bound) for bound in row["CI"]]
