"""Tables of speed, learning and limits of agreement: what is compared with what, by hand and against the statistics."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest

from readerstudy.analysis.figures import speed_figure
from readerstudy.analysis.tables.comparison.limits_of_agreement import limits_of_agreement_table
from readerstudy.analysis.tables.learning import learning_table
from readerstudy.analysis.tables.speed_accuracy import speed_accuracy_table
from readerstudy.layout.table import Estimate
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.limits_of_agreement import limits_of_agreement
from readerstudy.statistics.within_reader import within_slope
from tests.analysis import crowd, played, small
from tests.analysis.long_readings import LongReadings, ReadingRow

PLAN = AnalysisPlan()


def column(table, name):
    place = [each.key for each in table.columns].index(name)
    return [row[place] for row in table.rows]


def row_of(table, *head):
    (row,) = (row for row in table.rows if row[: len(head)] == head)
    return dict(zip([each.key for each in table.columns], row, strict=True))


def readings_of(study_rows, session, authenticity):
    return [row for row in study_rows if row.session == session and row.authenticity == authenticity]


@pytest.fixture(scope="module")
def study_rows():
    """Three readers in sessions 3 and 5; R1 is slow and good, R3 fast and bad, and all are hasty when wrong."""
    rng = np.random.default_rng(11)
    rows = []
    for number, (pace, skill) in enumerate(((40.0, 0.8), (20.0, 0.7), (8.0, 0.5)), start=1):
        for session in (3, 5):
            for place in range(1, 61):
                is_correct = bool(rng.random() < skill)
                is_fake = place % 2 == 0
                verdict = "not_real" if is_fake == is_correct else "real"
                seconds = pace * float(np.exp(rng.normal(0.3 * is_correct, 0.5))) * (2 if session == 5 else 1)
                kind = "adversarial" if is_fake else "real"
                rows.append(
                    ReadingRow(
                        f"R{number}",
                        session,
                        place,
                        verdict,
                        kind,
                        "positive",
                        int(1000 * seconds),
                        case=f"{session}-{place}",
                    )
                )
    return rows


@pytest.fixture(scope="module")
def study(study_rows):
    return small.record(readings=LongReadings.of(study_rows), readers=dict.fromkeys(("R1", "R2", "R3"), "high"))


def test_speed_is_compared_within_reader_session_and_kind(study, study_rows):
    table = speed_accuracy_table(study, PLAN)
    for kind in ("real", "adversarial"):
        own = [row for row in study_rows if row.authenticity == kind]
        correct = [(row.verdict == "not_real") == (kind == "adversarial") for row in own]
        seconds = np.log2([row.elapsed_ms / 1000 for row in own])
        reader = np.array([row.reader for row in own])
        stratum = [f"{row.reader} {row.session}" for row in own]
        effect = within_slope(correct, seconds, stratum, cluster=reader).effect
        cells = row_of(table, "all readers", kind)
        found = cells["ratio"]
        assert (found.value, found.low, found.high) == pytest.approx(
            tuple(map(exp, (effect.estimate, effect.low, effect.high)))
        )
        assert cells["p"] == pytest.approx(effect.p)
        for name in ("R1", "R2", "R3"):
            chosen = reader == name
            effect = within_slope(np.array(correct)[chosen], seconds[chosen], np.array(stratum)[chosen]).effect
            cells = row_of(table, name, kind)
            assert cells["ratio"].value == pytest.approx(exp(effect.estimate))
            assert cells["readings"] == 60
            assert cells["fastest"].trials == cells["slowest"].trials == 12


def test_slow_readers_and_slow_sessions_make_no_ratio(study, study_rows):
    slow = [
        row._replace(elapsed_ms=row.elapsed_ms * (10 if row.reader == "R1" else 1) * row.session) for row in study_rows
    ]
    other = replace(study, readings=small.record(readings=LongReadings.of(slow)).readings)
    before, after = (speed_accuracy_table(each, PLAN) for each in (study, other))
    for one, two in zip(column(before, "ratio"), column(after, "ratio"), strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((two.value, two.low, two.high))
    assert column(before, "fastest") == column(after, "fastest")


def test_the_order_of_the_readings_in_memory_does_not_matter(study):
    compared = study.readings.compared
    shuffled = compared.select(np.random.default_rng(2).permutation(len(compared)))
    other = replace(study, readings=replace(study.readings, compared=shuffled))
    for make_table in (speed_accuracy_table, learning_table):
        assert make_table(study, PLAN) == make_table(other, PLAN)
    assert speed_figure(study, PLAN) == speed_figure(other, PLAN)


def test_times_are_under_the_idle_rule(study, study_rows):
    plan = AnalysisPlan(idle_after_s=30)
    capped = [row._replace(elapsed_ms=min(row.elapsed_ms, 30_000)) for row in study_rows]
    other = replace(study, readings=small.record(readings=LongReadings.of(capped)).readings)
    assert column(speed_accuracy_table(study, plan), "ratio") == column(speed_accuracy_table(other, PLAN), "ratio")


def test_unsure_is_excluded_or_half_by_the_plan():
    record = crowd.record(3, unsure="excluded")
    table = speed_accuracy_table(record, AnalysisPlan(unsure="excluded"))
    sums = record.readings.verdicts[:, [record.readings.sessions.index(n) for n in (3, 5)], :4, :2].sum()
    counted = [
        cells
        for cells, name in zip(column(table, "readings"), column(table, "reader"), strict=True)
        if name != "all readers"
    ]
    assert sum(counted) == sums
    half = speed_accuracy_table(crowd.record(3, unsure="half"), AnalysisPlan(unsure="half"))
    assert any(share.hits % 1 == 0.5 for share in column(half, "fastest") if share)


def test_a_small_study_has_dashes_and_says_why():
    table = speed_accuracy_table(small.record(), PLAN)
    assert row_of(table, "R1", "real")["fastest"] is None
    assert any(note.startswith("A dash") for note in table.notes)
    assert speed_figure(small.record(), PLAN) is None or speed_figure(small.record(), PLAN).description
    empty = small.record(readings=LongReadings.of([]))
    assert speed_accuracy_table(empty, PLAN).rows == ()
    assert speed_figure(empty, PLAN) is None
    assert learning_table(empty, PLAN) is None
    assert limits_of_agreement_table(empty, PLAN) is None


def test_the_picture_has_five_parts_of_each_session_and_the_mean(study, study_rows):
    shown = speed_figure(study, PLAN)
    own = [row for row in study_rows if row.reader == "R2" and row.authenticity == "real"]
    hits = np.zeros(5)
    for session in (3, 5):
        ordered = sorted((row.elapsed_ms, row.verdict == "real") for row in own if row.session == session)
        hits += [sum(correct for _time, correct in ordered[6 * part : 6 * part + 6]) for part in range(5)]
    assert f"R2 {' '.join(f'{share:.2f}' for share in hits / 12)}" in shown.description
    assert shown.description.startswith("Real called real, share correct from the fastest to the slowest fifth: mean")


def test_learning_within_a_session_runs_from_its_first_to_its_last_image(study, study_rows):
    table = learning_table(study, PLAN)
    for kind in ("real", "adversarial"):
        own = readings_of(study_rows, 3, kind)
        first, last = min(row.position for row in own), max(row.position for row in own)
        reader = [row.reader for row in own]
        effect = within_slope(
            [(row.verdict == "not_real") == (kind == "adversarial") for row in own],
            [(row.position - first) / (last - first) for row in own],
            reader,
            cluster=reader,
        ).effect
        cells = row_of(table, kind, "within session 3")
        assert (cells["readers"], cells["readings"]) == (3, len(own))
        assert cells["ratio"].value == pytest.approx(exp(effect.estimate))
        assert cells["p"] == pytest.approx(effect.p)


def test_learning_over_sessions_counts_every_session_with_such_images():
    record = crowd.record(4)
    table = learning_table(record, PLAN)
    real, adversarial = (
        row_of(table, kind, f"over sessions {names}, from one to the next")
        for kind, names in (("real", "2, 3, 5"), ("adversarial", "3, 5"))
    )
    credits, step, reader = [], [], []
    for index, name in enumerate(record.readings.readers):
        for number, session in enumerate((2, 3, 5)):
            verdicts = record.readings.verdicts_of(name, session)[:2].sum(axis=0)
            credits += [1] * int(verdicts[0]) + [0] * int(verdicts[1] + verdicts[2])
            step += [number] * int(verdicts[:3].sum())
            reader += [index] * int(verdicts[:3].sum())
    effect = within_slope(credits, step, reader, cluster=reader).effect
    assert real["readings"] == len(credits)
    assert real["ratio"].value == pytest.approx(exp(effect.estimate))
    assert real["p"] == pytest.approx(effect.p)
    assert adversarial["readings"] == 4 * 40


def test_learning_names_what_else_differs(study):
    aided = tuple(
        replace(each, has_aid=each.number == 5, images_of=3 * (each.number == 5)) for each in study.image_sets
    )
    notes = learning_table(replace(study, image_sets=aided), PLAN).notes
    assert any("session 5 an aid" in note for note in notes)
    assert any("remember images" in note for note in notes)
    assert not any("an aid was shown" in note for note in learning_table(study, PLAN).notes)


def test_one_reader_has_no_learning_over_readers():
    assert learning_table(played.record({"R1": {3: "rrnnnr", 5: "rrrnnn"}}), PLAN) is None


def test_limits_of_agreement_are_those_of_the_readers_shares(study, study_rows):
    table = limits_of_agreement_table(study, PLAN)
    for kind in ("real", "adversarial"):
        shares = [
            [
                np.mean(
                    [
                        (row.verdict == "not_real") == (kind == "adversarial")
                        for row in readings_of(study_rows, session, kind)
                        if row.reader == reader
                    ]
                )
                for reader in ("R1", "R2", "R3")
            ]
            for session in (3, 5)
        ]
        expected = limits_of_agreement(*shares)
        cells = row_of(table, "high", kind)
        assert cells["bias"].value == pytest.approx(expected.bias.value)
        assert cells["upper"] == Estimate(
            *(pytest.approx(each) for each in (expected.upper.value, expected.upper.low, expected.upper.high))
        )
        assert cells["lower"].value == pytest.approx(expected.lower.value)
        assert cells["readers"] == 3


def test_two_readers_have_no_limits_of_agreement():
    assert limits_of_agreement_table(crowd.record(2), PLAN) is None
    assert limits_of_agreement_table(crowd.record(3), PLAN) is not None
