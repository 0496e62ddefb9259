"""The bootstrap against copying readings one by one, against theory and the multi-reader analysis, and at its edges."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from readerstudy.statistics import bootstrap
from readerstudy.statistics.bootstrap import reader_by_case
from tests.statistics.simulated_study import figures, long_form

SCALE = {"real": 0.0, "unsure": 1.0, "not_real": 2.0}


def small_study(levels: int = 3, readers: int = 4, cases: int = 30, conditions: int = 2) -> dict[str, NDArray[Any]]:
    """Every reader reads every case in every condition; odd cases are adversarial."""
    rng = np.random.default_rng(11)
    condition, reader, case = (axis.ravel() for axis in np.indices((conditions, readers, cases)))
    seen = (
        rng.normal(size=case.size) + 0.9 * (case % 2) + 0.4 * condition * (case % 2) + rng.normal(0, 0.5, cases)[case]
    )
    score = np.digitize(seen, np.linspace(-0.2, 1.0, levels - 1)) if levels else seen
    return {
        "score": score.astype(float),
        "truth": case % 2,
        "reader": np.array(list("ABCDEFGHIJ"))[reader],
        "case": case,
        "condition": condition,
    }


def run(study: dict[str, NDArray[Any]], **options: Any) -> bootstrap.BootstrapResult:
    return reader_by_case(**study, rng=np.random.default_rng(1), **{"replicates": 400, **options})


def auc(score: NDArray[Any], truth: NDArray[Any]) -> float:
    signal, noise = score[truth == 1], score[truth == 0]
    return float(mannwhitneyu(signal, noise).statistic / (signal.size * noise.size))


def right(score: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.bool_]:
    return (score >= 1) == (truth == 1)


LITERAL = {
    "auc": auc,
    "sensitivity": lambda score, truth: float(right(score, truth)[truth == 1].mean()),
    "specificity": lambda score, truth: float(right(score, truth)[truth == 0].mean()),
    "accuracy": lambda score, truth: float(right(score, truth).mean()),
    "mean": lambda score, truth: float(score.mean()),
}


@pytest.mark.parametrize("levels", [3, 0], ids=["few levels", "continuous"])
@pytest.mark.parametrize("figure", list(LITERAL))
def test_every_replicate_is_what_copying_the_drawn_readings_gives(levels: int, figure: Any) -> None:
    study = small_study(levels)
    design = bootstrap._design(*study.values(), None, figure, None if figure in ("auc", "mean") else 1.0)
    ((of_cases, of_readers),) = bootstrap._weights(design, "both", 6, np.random.default_rng(2))
    result = design.means(of_cases, of_readers, figure)
    readers = np.unique(study["reader"])
    for k in range(6):
        for condition in (0, 1):
            values = []
            for reader, times in zip(readers, of_readers[k].astype(int), strict=True):
                mine = (study["reader"] == reader) & (study["condition"] == condition)
                copies = np.repeat(np.flatnonzero(mine), of_cases[k].astype(int)[study["case"][mine]])
                values += [LITERAL[figure](study["score"][copies], study["truth"][copies])] * times
            assert result[k, condition] == pytest.approx(np.mean(values), abs=1e-12)


@pytest.mark.parametrize("figure", ["auc", "mean"])
def test_few_and_many_levels_are_two_ways_to_the_same_figures(figure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    product = run(small_study(), figure=figure)
    monkeypatch.setattr(bootstrap, "FEW_LEVELS", 0)
    assert run(small_study(), figure=figure) == product


def test_small_portions_give_what_one_large_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    study = {**small_study(), "truth": np.ones(240, int)}  # one stratum: the draws come in the same order
    whole = run(study, figure="mean", random="cases")
    monkeypatch.setattr(bootstrap, "_CHUNK", 1000)
    assert run(study, figure="mean", random="cases") == whole


def test_the_estimates_are_the_plain_means_over_readers() -> None:
    study = small_study()
    result = run(study, figure="balanced_accuracy", threshold=1.0)
    for condition, mean in result.means.items():
        chosen = study["condition"] == condition
        correct, truth = right(study["score"], study["truth"])[chosen], study["truth"][chosen]
        assert mean.estimate == pytest.approx((correct[truth == 1].mean() + correct[truth == 0].mean()) / 2)
        assert mean.low < mean.estimate < mean.high
    (difference,) = result.differences
    assert difference.estimate == pytest.approx(result.means[1].estimate - result.means[0].estimate)


def test_resampling_cases_alone_gives_the_textbook_standard_error() -> None:
    study = small_study(readers=1, cases=200, conditions=1)
    ones = {**study, "truth": np.ones(200, int), "score": (study["score"] > 0).astype(float)}
    result = run(ones, figure="mean", random="cases", replicates=4000).means[0]
    share = result.estimate
    assert result.se == pytest.approx((share * (1 - share) / 200) ** 0.5, rel=0.05)


def test_resampling_readers_alone_gives_their_spread() -> None:
    study = small_study(readers=8)
    result = run(study, figure="mean", random="readers", replicates=4000).means[0]
    first = study["condition"] == 0
    means = [study["score"][first & (study["reader"] == reader)].mean() for reader in np.unique(study["reader"])]
    assert result.se == pytest.approx(np.std(means) / 8**0.5, rel=0.05)


def test_the_standard_error_is_close_to_that_of_the_mrmc_analysis() -> None:
    study = long_form()
    asked = study.session != 2
    score = np.array([SCALE[verdict] for verdict in study.verdict])
    result = reader_by_case(
        score[asked],
        study.truth[asked],
        study.reader[asked],
        study.case[asked],
        study.session[asked],
        rng=np.random.default_rng(1),
        replicates=1000,
    )
    r = figures("simstudy_r_expected.json")["mrmc_auc_nested_jackknife"]["diffs"][0]
    (difference,) = result.differences
    assert (difference.a, difference.b) == (3, 5)
    assert difference.estimate == pytest.approx(-r["Estimate"], abs=1e-10)
    assert difference.se == pytest.approx(r["StdErr"], rel=0.2)
    assert difference.p > 0.1
    assert result.undefined == 0


def test_exchanged_conditions_change_only_the_sign() -> None:
    study = small_study()
    there = run(study).differences[0]
    back = run({**study, "condition": 1 - study["condition"]}).differences[0]
    assert (back.estimate, back.se, back.p) == pytest.approx((-there.estimate, there.se, there.p), abs=1e-12)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), abs=1e-12)


def test_order_of_readings_and_names_of_readers_change_nothing() -> None:
    study = small_study()
    order = np.random.default_rng(3).permutation(study["score"].size)
    shuffled = {name: values[order] for name, values in study.items()}
    shuffled["reader"] = np.char.add("reader ", shuffled["reader"])
    assert run(shuffled) == run(study)


def test_missing_readings_leave_the_rest_standing() -> None:
    study = small_study()
    kept = np.random.default_rng(4).random(study["score"].size) < 0.8
    result = run({name: values[kept] for name, values in study.items()})
    assert result.means[0].estimate == pytest.approx(run(study).means[0].estimate, abs=0.1)


def test_a_reader_without_one_condition_counts_in_the_other() -> None:
    study = small_study()
    kept = (study["reader"] != "A") | (study["condition"] == 1)
    result = run({name: values[kept] for name, values in study.items()}, random="cases")
    rest = study["reader"] != "A"
    assert result.means[0].estimate == run({name: values[rest] for name, values in study.items()}).means[0].estimate
    assert result.means[1].estimate == run(study).means[1].estimate


def test_images_of_one_patient_are_drawn_together() -> None:
    # Each patient's ten images read alike: as good as three patients of one image each, not thirty of one.
    study = small_study(readers=2, cases=30, conditions=1)
    patient = study["case"] // 10
    alike = {**study, "score": patient.astype(float)}
    together = run(alike, figure="mean", random="cases", cluster=patient).means[0]
    apart = run(alike, figure="mean", random="cases").means[0]
    assert together.se > 2.5 * apart.se


def test_replicates_without_both_kinds_are_excluded_and_counted() -> None:
    # B read one adversarial image alone: a replicate that did not draw it, (14/15)¹⁵ of them, says nothing about B.
    study = small_study(readers=2, conditions=1)
    kept = (study["reader"] != "B") | (study["truth"] == 0) | (study["case"] == 1)
    result = run({name: values[kept] for name, values in study.items()}, random="cases", replicates=2000)
    assert result.undefined / 2000 == pytest.approx((14 / 15) ** 15, abs=0.05)
    assert result.means[0].low < result.means[0].high


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"truth": np.zeros(240, int)}, "both classes"),
        ({"truth": np.arange(240) % 3}, "truth 0 or 1"),
        ({"truth": np.arange(240) // 7 % 2}, "truth differs"),
        ({"case": np.arange(240) % 2}, "must identify a reading"),
        ({"reader": np.array(["A"])}, "same length"),
        ({"figure": "specificity"}, "threshold"),
        ({"figure": "kappa", "threshold": 1.0}, "kappa"),
        ({"replicates": 10}, "replicates"),
        ({"score": np.full(240, np.nan)}, "finite"),
    ],
)
def test_bad_input_is_named(changes: dict[str, Any], named: str) -> None:
    arguments = {**small_study(), **changes}
    with pytest.raises(ValueError, match=named):
        reader_by_case(**arguments, rng=np.random.default_rng(1))


def test_one_reader_alone_is_not_resampled() -> None:
    study = small_study(readers=1)
    with pytest.raises(ValueError, match="two readers"):
        run(study)
    assert run(study, random="cases").means[0].se > 0
