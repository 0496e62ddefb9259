"""Models of every reading: the table against the models themselves, t by hand, and models that cannot be fitted."""

import json
from functools import cache
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison import mixed_models
from readerstudy.analysis.tables.comparison.mixed_models import mixed_models_table
from readerstudy.layout.table import Table, to_csv, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mixed import session_by_truth
from readerstudy.statistics.reading_times import log_time_model
from tests.analysis import played, small
from tests.analysis.plan.test_planned_tests import SPREAD, two_arms
from tests.statistics.oracle import simulated_readings
from tests.statistics.simulated_study import LongForm, long_form

PLAN = AnalysisPlan()
SESSION, KIND, BOTH, PLACE = (
    "session 5 against session 3",
    "adversarial against real images",
    "change of adversarial against change of real images",
    "half a session later",
)
ODDS, SECONDS = "odds of a correct verdict", "seconds per image"


@cache
def timed(plan: AnalysisPlan = PLAN) -> StudyRecord:
    """The simulated study with the seconds of its long form."""
    readings, long = simulated_readings(), long_form()
    places = zip(long.reader.tolist(), long.session.tolist(), long.position.tolist(), strict=True)
    seconds = dict(zip(places, long.seconds.tolist(), strict=True))
    keys = zip(readings.reader.tolist(), readings.session.tolist(), readings.position.tolist(), strict=True)
    elapsed = np.array([round(1000 * seconds[key]) for key in keys])
    changed = type(readings)(**{**vars(readings), "elapsed_ms": elapsed})
    return small.record(readings=changed, plan=plan, readers=dict.fromkeys(readings.readers, "high"))


def compared() -> LongForm:
    long = long_form()
    chosen = np.isin(long.session, (3, 5))
    return LongForm(**{name: column[chosen] for name, column in vars(long).items()})


def lines(table: Table) -> dict[tuple[str, str], dict[str, Any]]:
    json.dumps(table.as_dict(), allow_nan=False)
    assert to_csv(table)
    assert to_html(table)
    keys = [column.key for column in table.columns]
    return {row[1:3]: dict(zip(keys, row, strict=True)) for row in table.rows}


def test_the_odds_of_the_model_are_tested_by_t_with_readers_less_one() -> None:
    result, long = lines(mixed_models_table(timed(), PLAN)), compared()
    model = session_by_truth(long.correct, long.session, long.truth, long.reader, long.case)
    for name, effect in zip((SESSION, KIND, BOTH), model.fixed[1:], strict=True):
        line = result[ODDS, name]
        assert log(line["ratio"].value) == pytest.approx(effect.estimate, rel=1e-6)
        assert line["t"] == pytest.approx(effect.statistic, rel=1e-6)
        assert line["df"] == 4
        assert line["p"] == pytest.approx(2 * stats.t.sf(abs(effect.statistic), 4), rel=1e-6)
        assert line["p"] > effect.p
        low, high = stats.t.interval(0.95, 4, effect.estimate, effect.se)
        assert (log(line["ratio"].low), log(line["ratio"].high)) == pytest.approx((low, high), rel=1e-6)


def test_the_times_are_those_of_the_model_with_readers_slopes() -> None:
    result, long = lines(mixed_models_table(timed(), PLAN)), compared()
    rows = (long.seconds, long.session, long.position, long.truth, long.reader, long.case)
    model = log_time_model(*rows, own_pace=True)
    # The browser's clock counts whole milliseconds; the simulated seconds do not.
    for name, ratio, effect in zip((SESSION, PLACE, KIND), model.ratios, model.model.fixed[1:], strict=True):
        line = result[SECONDS, name]
        assert line["ratio"].value == pytest.approx(ratio.ratio, rel=1e-3)
        assert (line["p"], line["df"]) == (
            pytest.approx(ratio.p, rel=2e-2, abs=1e-6),
            pytest.approx(effect.df, rel=1e-2),
        )
    assert result[SECONDS, SESSION]["df"] < 6


def test_the_declared_idle_rule_holds_for_the_times() -> None:
    ruled, long = lines(mixed_models_table(timed(), AnalysisPlan(idle_after_s=10))), compared()
    rows = (np.minimum(long.seconds, 10), long.session, long.position, long.truth, long.reader, long.case)
    wanted = log_time_model(*rows, own_pace=True).ratios[0]
    assert ruled[SECONDS, SESSION]["ratio"].value == pytest.approx(wanted.ratio, rel=1e-3)


def test_the_sentences_say_what_the_lines_say_and_how_the_test_errs() -> None:
    table = mixed_models_table(timed(), PLAN)
    result = lines(table)
    odds, times = result[ODDS, SESSION], result[SECONDS, SESSION]
    assert table.notes[0].startswith(
        f"The odds of a correct verdict on a real image are {odds['ratio'].value:.2f} times as high in session 5"
    )
    assert f"p = {odds['p']:.3f})" in table.notes[0]
    assert table.notes[1].startswith(f"An image takes {times['ratio'].value:.2f} times as long in session 5")
    assert "0.14 to 0.17 of true nulls" in table.notes[2]


def test_two_arms_have_models_of_their_own() -> None:
    table = mixed_models_table(two_arms(), PLAN)
    assert [row[0] for row in table.rows] == ["high"] * 6 + ["low"] * 6
    assert [row[1:] for row in table.rows[:6]] == [row[1:] for row in table.rows[6:]]
    assert table.notes[0].startswith("high. The odds")


def test_excluding_unsure_affects_the_odds_alone() -> None:
    long = compared()
    sure = long.verdict != "unsure"
    rows = (long.correct, long.session, long.truth, long.reader, long.case)
    model = session_by_truth(*(column[sure] for column in rows))
    result = lines(mixed_models_table(timed(), AnalysisPlan(unsure="excluded")))
    assert log(result[ODDS, SESSION]["ratio"].value) == pytest.approx(model.fixed[1].estimate, rel=1e-6)
    half = mixed_models_table(timed(), AnalysisPlan(unsure="half"))
    assert {row[1] for row in half.rows} == {SECONDS}
    assert any("Half credit is not a binary outcome" in note for note in half.notes)


def test_with_many_readings_there_is_a_sentence_and_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed_models, "MOST_READINGS", 4_000)
    table = mixed_models_table(timed(), PLAN)
    assert not table.rows
    assert table.empty.startswith("No mixed model is fitted to more than 4,000 readings")


def test_readings_of_no_time_are_left_out_of_the_times() -> None:
    rows = [row._replace(elapsed_ms=0) if row.position == 1 else row for row in played.rows(SPREAD)]
    readings = type(simulated_readings()).of(rows)
    record = small.record(readings=readings, readers=dict.fromkeys(SPREAD, "high"))
    assert (SECONDS, SESSION) in lines(mixed_models_table(record, PLAN))


@pytest.mark.parametrize(
    ("said", "shown", "sentence"),
    [
        ({}, "RRRFFF", "need verdicts of two readers"),
        ({"R1": SPREAD["R1"]}, "RRRFFF", "need verdicts of two readers"),
        ({name: {3: by[3]} for name, by in SPREAD.items()}, "RRRFFF", "need verdicts of two readers"),
        ({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD}, "RRRFFF", "correct and wrong verdicts on each kind"),
    ],
    ids=["nothing read", "one reader", "session missing", "constant verdicts"],
)
def test_a_sentence_stands_where_no_model_can_be_fitted(
    said: dict[str, dict[int, str]], shown: str, sentence: str
) -> None:
    table = mixed_models_table(played.record(said, shown), PLAN)
    assert not any(row[1] == ODDS for row in table.rows)
    assert sentence in " ".join([table.empty, *table.notes])


def test_without_adversarial_images_the_sessions_are_still_compared() -> None:
    said = {name: {3: by[3][::-1], 5: by[5]} for name, by in SPREAD.items()}
    result = lines(mixed_models_table(played.record(said, "RRRRRR"), PLAN))
    assert [name for model, name in result if model == ODDS] == [SESSION]


letters = st.text("rnu", min_size=6, max_size=6)
studies = st.fixed_dictionaries({name: st.fixed_dictionaries({3: letters, 5: letters}) for name in SPREAD})


@given(studies)
@settings(max_examples=15)
def test_any_verdicts_give_finite_ratios_or_a_sentence(said: dict[str, dict[int, str]]) -> None:
    table = mixed_models_table(played.record(said), PLAN)
    odds = [line for (model, _), line in lines(table).items() if model == ODDS]
    assert odds or any(note.startswith("The model of correct verdicts cannot") for note in table.notes)
    assert all(line["ratio"].low <= line["ratio"].value <= line["ratio"].high for line in odds)


def test_a_singular_model_is_named() -> None:
    """Verdicts drawn independently of the reader: some reader's SD is estimated as 0."""
    rng = np.random.default_rng(0)
    said = {name: {n: "".join(rng.choice(list("rn"), 24)) for n in (3, 5)} for name in ("R1", "R2", "R3")}
    table = mixed_models_table(played.record(said, "RF" * 12), AnalysisPlan())
    assert any(note.startswith("A model is singular") for note in table.notes)
    assert any("about session 3, the reference" in note for note in table.notes)
