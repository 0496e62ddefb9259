"""Odds ratios on the same images under two conditions: counts by hand, directions, and what cannot be estimated."""

from math import exp

import pytest

from readerstudy.analysis.report.build import StudyReport
from readerstudy.analysis.tables.comparison.paired_odds import paired_odds_table
from readerstudy.analysis.tables.comparison.same_images import same_images_table
from readerstudy.layout.table import Missing, to_csv, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.conditional_logistic import conditional_logistic, paired_odds, pooled_odds
from tests import make
from tests.analysis import small
from tests.analysis.tables.test_same_images import PLAN, SAID, record, rows_of

ODDS = ("only_first", "only_second", "odds_ratio", "low", "high", "p")
# The eight images are real, real, real, real, adversarial, adversarial, adversarial, adversarial.
MIXED = {
    "R1": {3: "rrrnnnrr", 5: "rnnrnrnn"},
    "R2": {3: "nrrrrrrn", 5: "rrnrnnrn"},
    "R3": {3: "rnrrnnnr", 5: "nrnrrnrn"},
}


def odds_of(table, reader, images_are):
    (row,) = (row for row in rows_of(table, "reader", "images_are", *ODDS) if row[:2] == (reader, images_are))
    return row[2:]


def test_each_reader_has_the_exact_odds_ratio_of_the_discordant_pairs():
    table = paired_odds_table(record(MIXED), PLAN)
    # R1: real images 2 and 3 right only in session 3, image 4 only in session 5; of the adversarial ones image 6 only
    # in session 3, images 7 and 8 only in session 5.
    for images_are, counts in (("real", (2, 1)), ("adversarial", (1, 2)), ("all", (3, 3))):
        expected = paired_odds(*counts)
        found = odds_of(table, "R1", images_are)
        assert found == (*counts, expected.odds_ratio, expected.low, expected.high, expected.p)


def test_all_readers_are_the_conditional_model_with_readers_as_clusters():
    table = paired_odds_table(record(MIXED), PLAN)
    said = [
        (reader, place, session, letter)
        for reader, by in MIXED.items()
        for session, letters in by.items()
        for place, letter in enumerate(letters)
    ]
    correct = [letter == ("r" if place < 4 else "n") for _reader, place, _session, letter in said]
    model = conditional_logistic(
        correct,
        {"second": [session == 5 for _reader, _place, session, _letter in said]},
        [f"{reader} {place}" for reader, place, _session, _letter in said],
        cluster=[reader for reader, *_ in said],
    )
    (effect,) = model.fixed
    *_counts, ratio, low, high, p = odds_of(table, "all readers", "all")
    assert (ratio, low, high) == pytest.approx((exp(effect.estimate), exp(effect.low), exp(effect.high)))
    assert p == pytest.approx(effect.p)
    assert "2 df" not in table.caption


def test_the_counts_are_those_of_the_table_of_shares():
    ours, theirs = (make_table(record(MIXED), PLAN) for make_table in (paired_odds_table, same_images_table))
    names = ("reader", "images_are", "only_first", "only_second")
    counted = {row for row in rows_of(theirs, *names) if row[0] != "all readers"}
    assert {row for row in rows_of(ours, *names) if row[0] != "all readers"} == counted


def test_an_aid_turns_the_ratio_around():
    forward, backward = (paired_odds_table(record(MIXED, aided=aided), PLAN) for aided in ((5,), (3,)))
    for reader in ("R1", "R2", "R3", "all readers"):
        there, back = (odds_of(table, reader, "all") for table in (forward, backward))
        assert there[:2] == (back[1], back[0])
        assert there[2] == pytest.approx(1 / back[2])
        assert (there[3], there[4]) == pytest.approx((1 / back[4], 1 / back[3]))
        assert there[5] == pytest.approx(back[5])
    assert "session 3, with aid" in backward.caption


def test_without_pairs_in_both_directions_there_is_a_bound_or_a_dash():
    table = paired_odds_table(record(SAID), PLAN)
    # R1's adversarial images: none right only in session 3, one only in session 5.
    _first, second, ratio, low, high, p = odds_of(table, "R1", "adversarial")
    assert (second, ratio, high, p) == (1, Missing("∞"), Missing("∞"), 1.0)
    assert low == pytest.approx(0.025 / 0.975)
    one = odds_of(paired_odds_table(record({**SAID, "R3": SAID["R1"], "R2": SAID["R1"]}), PLAN), "all readers", "all")
    assert one[2:] == (None, None, None, None)
    same = {reader: {3: "rrrrnnnn", 5: "rrrrnnnn"} for reader in SAID}
    assert odds_of(paired_odds_table(record(same), PLAN), "R1", "all") == (0, 0, None, None, None, None)
    assert "∞" in to_html(table)
    assert "∞" not in to_csv(table)


def test_a_single_reader_has_no_row_of_all_readers():
    table = paired_odds_table(record({"R1": MIXED["R1"]}), PLAN)
    assert {row[0] for row in rows_of(table, "reader")} == {"R1"}


def test_the_report_has_the_table_only_for_the_same_images():
    assert paired_odds_table(small.record(), AnalysisPlan()) is None
    assert "paired_odds" not in StudyReport(small.record(), at=make.MONDAY).tables
    assert "paired_odds" in StudyReport(record(MIXED), at=make.MONDAY).tables


def test_the_pooled_row_is_robust():
    table = paired_odds_table(record(MIXED), PLAN)
    counts = [odds_of(table, reader, "adversarial")[:2] for reader in MIXED]
    effect = pooled_odds(*zip(*counts, strict=True))
    assert odds_of(table, "all readers", "adversarial")[5] == pytest.approx(effect.p)
