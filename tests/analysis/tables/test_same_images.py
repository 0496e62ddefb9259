"""The same images under two conditions: paired where tables compare, counted once where they add up."""

from dataclasses import replace

import numpy as np
import pytest

from readerstudy.analysis.figures.flow_numbers import flow_table
from readerstudy.analysis.report.build import StudyReport
from readerstudy.analysis.report.gallery import choose_images
from readerstudy.analysis.tables.article import table_2
from readerstudy.analysis.tables.comparison.mrmc import compare_figure
from readerstudy.analysis.tables.comparison.same_images import same_images_table
from readerstudy.analysis.tables.comparison.subgroup_tests import subgroup_comparisons
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.mrmc import obuchowski_rockette, u_statistic
from readerstudy.statistics.proportions import newcombe_paired, wilson
from tests import make
from tests.analysis import conducted, played, small
from tests.analysis.long_readings import LongReadings

SHOWN = "RRRRFFFF"
# Letters are about the same images in both sessions.
SAID = {
    "R1": {3: "rrnunnrr", 5: "rrrrnnnr"},
    "R2": {3: "nrrrrrrn", 5: "rrrrnnrn"},
    "R3": {3: "rrrrrnnr", 5: "rrnrnnnn"},
}
PLAN = AnalysisPlan()


def record(said=SAID, *, aided=(), **changes):
    rows = [row._replace(case=row.case.split("-")[1]) for row in played.rows(said, SHOWN)]
    image_sets = tuple(
        replace(each, images_of=3 if each.number == 5 else 0, has_aid=each.number in aided)
        for each in small.image_sets()
    )
    values = {"readers": dict.fromkeys(said, "high"), "image_sets": image_sets, **changes}
    return small.record(readings=LongReadings.of(rows), **values)


def rows_of(table, *names):
    places = [[column.key for column in table.columns].index(name) for name in names]
    return [tuple(row[place] for place in places) for row in table.rows]


def test_images_and_readers_are_crossed_with_the_sessions():
    study = record()
    comparison = compare_figure(study, PLAN, "high", "auc")
    score = {"real": 0, "unsure": 1, "not_real": 2}
    rows = [row._replace(case=row.case.split("-")[1]) for row in played.rows(SAID, SHOWN)]
    columns = (
        [score[row.verdict] for row in rows],
        [int(row.authenticity == "adversarial") for row in rows],
        [row.reader for row in rows],
        [row.case for row in rows],
        [row.session for row in rows],
    )
    crossed, nested = (obuchowski_rockette(*columns, design=design) for design in ("crossed", "cases_in_condition"))
    assert comparison.result.cases == 8
    assert comparison.p == pytest.approx(crossed.p)
    assert comparison.result.cov1 == pytest.approx(crossed.cov1)
    assert (nested.cov1, crossed.cov1 > 0) == (0, True)  # two readings of an image by one reader
    tables = StudyReport(study, at=make.MONDAY).tables
    assert any(note.startswith("Both sessions show the same images") for note in tables["mrmc"].notes)
    gallas = u_statistic(*columns, design="crossed").comparisons[0]
    (row,) = (row for row in tables["alternatives"].rows if str(row[1]).startswith("U-statistics"))
    assert row[-1] == pytest.approx(gallas.u.p_bdg)


def test_each_reader_has_the_paired_difference():
    table = same_images_table(record(), PLAN)
    by_hand = {
        ("R1", "all"): (4, 0, 3, 1),
        ("R1", "real"): (2, 0, 2, 0),
        ("R1", "adversarial"): (2, 0, 1, 1),
        ("R2", "all"): (4, 0, 3, 1),
        ("R3", "adversarial"): (2, 0, 2, 0),
        ("R3", "real"): (3, 1, 0, 0),
    }
    rows = {
        row[:2]: row[2:] for row in rows_of(table, "reader", "images_are", "images", "first", "second", "difference")
    }
    for key, counts in by_hand.items():
        both, only_first, only_second, _neither = counts
        images, first, second, difference = rows[key]
        expected = newcombe_paired(*counts)
        assert images == sum(counts)
        assert first.value == pytest.approx((both + only_first) / images)
        assert first.low == pytest.approx(wilson(both + only_first, images).low)
        assert second.value == pytest.approx((both + only_second) / images)
        assert difference == Estimate(expected.difference, expected.low, expected.high)


def test_all_readers_have_the_crossed_analysis_in_the_direction_of_the_aid():
    forward, backward = (same_images_table(record(aided=aided), PLAN) for aided in ((5,), (3,)))
    for there, back in zip(
        rows_of(forward, "reader", "images_are", "first", "second", "difference", "p"),
        rows_of(backward, "reader", "images_are", "second", "first", "difference", "p"),
        strict=True,
    ):
        assert there[:2] == back[:2]
        assert there[2:4] == back[2:4]
        assert there[4].value == pytest.approx(-back[4].value)
        assert (there[4].low, there[4].high) == pytest.approx((-back[4].high, -back[4].low))
        assert there[5] == back[5]
    (overall,) = (
        row for row in rows_of(forward, "reader", "images_are", "difference") if row[:2] == ("all readers", "real")
    )
    assert overall[2] == compare_figure(record(), PLAN, "high", "specificity").change
    assert "session 3, with aid" in {column.title for column in backward.columns}


def test_a_missing_or_excluded_verdict_takes_its_pair_along():
    short = {**SAID, "R1": {3: "rrnunnrr", 5: "rrrr"}}
    rows = [
        row._replace(case=row.case.split("-")[1])
        for reader, by_session in short.items()
        for session, letters in by_session.items()
        for row in played.rows({reader: {session: letters}}, SHOWN[: len(letters)])
    ]
    study = replace(record(), readings=small.record(readings=LongReadings.of(rows)).readings)
    for rule, images in (("wrong", 4), ("excluded", 3), ("half", 4)):
        table = same_images_table(study, AnalysisPlan(unsure=rule))
        (first, *_others) = rows_of(table, "reader", "images_are", "images")
        assert first == ("R1", "all", images)


def test_tests_of_independent_readings_leave_such_sessions_out():
    study = record()
    assert subgroup_comparisons(study, groups=5) == ()
    other = replace(study, image_sets=small.image_sets())
    assert {(each.a, each.b) for each in subgroup_comparisons(other, groups=5)} == {(3, 5)}
    tables = StudyReport(study, at=make.MONDAY).tables
    for key in ("pvalues", "detection"):
        assert any("the test takes readings as independent" in note for note in tables[key].notes)
    assert not any("p =" in note or "p <" in note for note in tables["detection"].notes)
    assert "same_images" in tables
    assert "same_images" not in StudyReport(other, at=make.MONDAY).tables


def test_sums_over_the_sessions_count_such_images_once():
    study = record(conduct=conducted.conduct())
    own = sum(len(shown) for number, shown in small.SHOWN.items() if number != 5)
    (total,) = (row for row in table_2(study).rows if row[0] == "All")
    assert total[3:5] == (own, own)
    plain = replace(study, image_sets=small.image_sets())
    counted, plainly = (flow_table(each, PLAN).rows[-1][4] for each in (study, plain))
    assert (counted, plainly) == (len(small.SHOWN[3]), len(small.SHOWN[3]) + len(small.SHOWN[5]))


def test_the_gallery_shows_an_image_of_both_sessions_once():
    images = choose_images(record(), PLAN)
    assert len(images) == len({image.case for image in images})
    assert len({image.case for image in images if image.is_adversarial}) == 4


def test_both_readings_of_an_image_are_of_one_case():
    study = record()
    compared = study.readings.compared
    assert np.unique(compared.case).size == 8
    assert len(compared) == 2 * 3 * 8
