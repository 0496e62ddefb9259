"""Readings against their order: each line against the statistics themselves, by hand, and at its edges."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readerstudy.analysis.tables import reading_order
from readerstudy.analysis.tables.plan_rng import plan_rng
from readerstudy.analysis.tables.reading_order import permutations_for, reading_order_table
from readerstudy.layout.table import Estimate, Table, to_csv, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.order_effects import kendall, trend
from tests.analysis import played
from tests.analysis.plan.test_planned_tests import SPREAD, full, two_arms
from tests.statistics.simulated_study import long_form

PLAN = AnalysisPlan()


def lines(table: Table) -> dict[tuple[str, str, str], dict[str, Any]]:
    json.dumps(table.as_dict(), allow_nan=False)
    assert to_csv(table)
    assert to_html(table)
    keys = [column.key for column in table.columns]
    return {row[:3]: dict(zip(keys, row, strict=True)) for row in table.rows}


def test_every_reader_session_and_kind_has_a_line_of_its_own() -> None:
    result = lines(reading_order_table(full(PLAN), PLAN))
    assert list(result)[:4] == [(reader, session, kind) for reader in ("R1",) for session in "35" for kind in KINDS]
    assert len(result) == 5 * 2 * 2
    assert {line["readings"] for line in result.values()} == {218, 220}


KINDS = ("real", "adversarial")


def test_the_rows_are_the_statistics_of_the_same_readings_from_a_file() -> None:
    result = lines(reading_order_table(full(PLAN), PLAN))
    for number, kind in enumerate(KINDS):
        own = long_form().where(reader="R4", session=3, truth=number)
        order = np.argsort(own.position)
        correct, place = own.correct[order], own.position[order].astype(float)
        line = result["R4", "3", kind]
        tau = kendall(correct, rng=np.random.default_rng(0), permutations=99)
        assert tau is not None
        assert line["tau"] == pytest.approx(tau.value, abs=1e-12)
        slope = trend(correct, 2 * (place - place[0]) / (place[-1] - place[0]) - 1)
        assert slope is not None
        assert (line["trend"].value, line["trend_p"]) == pytest.approx((slope.slope, slope.p), rel=1e-10)
        around = correct - correct.mean()
        assert line["lag_one"] == pytest.approx((around[1:] * around[:-1]).sum() / (around**2).sum(), abs=1e-12)


def test_pencil_and_paper_agree_on_a_reader_who_tires() -> None:
    # Real images right, right, right, wrong, wrong, right; adversarial ones all right.
    said = {"R1": {3: "r" * 3 + "n" * 2 + "r" + "n" * 6}}
    result = lines(reading_order_table(played.record(said, "R" * 6 + "F" * 6), PLAN))
    real = result["R1", "3", "real"]
    # Of the 4 · 2 pairs of a right and a wrong reading, 2 have the right one later and 6 earlier.
    assert real["tau"] == pytest.approx((2 - 6) / np.sqrt(15 * 8))
    assert result["R1", "3", "adversarial"]["tau"] is None


def test_a_wandering_inclination_shows_in_the_kinds_apart() -> None:
    # First half: everything called real; second half: everything called not real. Mixed, half is right throughout.
    said = {"R1": {3: "r" * 20 + "n" * 20}}
    result = lines(reading_order_table(played.record(said, "RF" * 20), PLAN))
    assert result["R1", "3", "real"]["tau"] < -0.6
    assert result["R1", "3", "adversarial"]["tau"] > 0.6
    assert all(line["tau_p"] <= 0.01 < line["lag_one"] for line in result.values())
    assert all(line["trend"] is None for line in result.values())  # separated: the slope has no end


def test_the_declared_rule_for_unsure_holds_here_too() -> None:
    said = {"R1": {3: "rnurrn"}}
    wrong, left_out = (
        lines(reading_order_table(played.record(said, "RRRRRR", plan=plan), plan))["R1", "3", "real"]
        for plan in (PLAN, AnalysisPlan(unsure="excluded"))
    )
    assert (wrong["readings"], left_out["readings"]) == (6, 5)
    assert wrong["tau"] == pytest.approx((4 - 5) / np.sqrt(15 * 9))


def test_the_same_plan_shuffles_the_same_orders() -> None:
    one, again = (reading_order_table(full(PLAN), PLAN).rows for _ in range(2))
    assert one == again
    assert plan_rng(PLAN, "order").random() != plan_rng(replace(PLAN, margin=0.1), "order").random()


def test_how_often_orders_are_shuffled_falls_with_the_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [permutations_for(readings) for readings in (0, 4_380, 30_001, 150_001)] == [999, 999, 199, 0]
    monkeypatch.setattr(reading_order, "PERMUTATIONS", ((100, 999),))
    table = reading_order_table(full(PLAN), PLAN)
    for line in lines(table).values():
        assert (line["tau"], line["lag_one_p"]) == (None, None)
        assert line["trend"] is not None
    assert table.notes[-1].startswith("With 4,380 readings in the two sessions, no permutation tests")


def test_the_sentence_compares_findings_with_chance() -> None:
    table = reading_order_table(full(PLAN), PLAN)
    small = sum(line["tau_p"] < 0.05 for line in lines(table).values())
    assert table.notes[0] == f"Early or late (τ): p below 0.05 in {small} of 20 series; about 1.0 expected by chance."


@pytest.mark.parametrize(
    ("said", "shown", "rows"),
    [
        ({}, "RRRFFF", 0),
        ({"R1": SPREAD["R1"]}, "RRRFFF", 4),
        (SPREAD, "RRRRRR", 6),
        ({name: {3: "rrrrrr", 5: "rrrrrr"} for name in SPREAD}, "RRRFFF", 12),
        ({"R1": {3: "r", 5: "n"}}, "R", 2),
    ],
    ids=["nothing read", "one reader", "no adversarial images", "constant verdicts", "one reading"],
)
def test_hard_readings_give_dashes_and_a_sentence(said: dict[str, dict[int, str]], shown: str, rows: int) -> None:
    table = reading_order_table(played.record(said, shown), PLAN)
    assert len(lines(table)) == rows
    assert table.empty.startswith("No reader has verdicts")
    if rows and all(line["tau"] is None for line in lines(table).values()):
        assert any(note.startswith("A dash (—) means that all verdicts have the same credit") for note in table.notes)


def test_two_arms_stand_reader_by_reader() -> None:
    assert len(lines(reading_order_table(two_arms(), PLAN))) == 6 * 4


letters = st.text("rnu", min_size=8, max_size=8)


@given(letters)
@settings(max_examples=20)
def test_a_session_read_backwards_turns_the_trend_round(said: str) -> None:
    one, other = (
        lines(reading_order_table(played.record({"R1": {3: letters}}, "R" * 8), PLAN))["R1", "3", "real"]
        for letters in (said, said[::-1])
    )
    for name in ("tau", "trend"):
        assert (one[name] is None) is (other[name] is None)
    assert one["tau"] is None or one["tau"] == pytest.approx(-other["tau"], abs=1e-8)
    assert one["trend"] is None or one["trend"].value == pytest.approx(-other["trend"].value, abs=1e-8)
    assert one["lag_one"] is None or one["lag_one"] == pytest.approx(other["lag_one"])


def test_what_chance_gives_is_no_interval_around_the_value() -> None:
    """With one wrong verdict of 22, shuffled orders are skewed; mirrored, they would exclude 0 with a p of 1."""
    said = {"R1": {3: "r" * 10 + "n" + "r" * 11}}
    (line,) = lines(reading_order_table(played.record(said, "R" * 22), PLAN)).values()
    assert line["lag_one_p"] > 0.5
    assert line["lag_one_usual_low"] <= line["lag_one"] <= line["lag_one_usual_high"]
    assert not any(isinstance(line[name], Estimate) for name in ("tau", "lag_one"))
    assert "no confidence interval" in reading_order_table(played.record(said, "R" * 22), PLAN).caption
