"""Detectors against the mean of the readers, in the simulated study."""

from dataclasses import replace

import numpy as np
import pytest

from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.report.chapters import Chapters
from readerstudy.analysis.tables.comparison.standalone import detector_against_readers_table
from readerstudy.layout.table import Estimate, to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics import delong
from tests.analysis.tables.test_mrmc import PLAN, full
from tests.analysis.tables.test_mrmc import lines as by_first


def rows(table):
    keys = [column.key for column in table.columns]
    return {(row[0], row[3]): dict(zip(keys, row, strict=True)) for row in table.rows}


def judged(record):
    compared = record.readings.compared
    cases, first = np.unique(compared.case, return_index=True)
    return cases, compared.is_adversarial[first], compared.session[first]


def with_detector(record, score, threshold=0.5):
    detector = DetectorRecord("guard", threshold, ("gan",), ("gan",), score, dict.fromkeys(score, 1), {})
    return replace(record, detectors=(detector,))


def test_a_perfect_detector_is_better_by_what_the_readers_lack():
    record = full()
    cases, altered, _session = judged(record)
    found = rows(
        detector_against_readers_table(
            with_detector(record, dict(zip(cases.tolist(), altered * 0.8, strict=True))), PLAN
        )
    )
    means = by_first(Chapters(record, PLAN, None).primary.items[1])
    for session, name in ((3, "before"), (5, "after")):
        for figure in ("AUC", "Sensitivity", "Specificity", "Balanced accuracy"):
            row, mean = found[str(session), figure], means[figure][name]
            assert (row["of_detector"], row["readers"]) == (1, 5)
            assert row["of_readers"] == pytest.approx(mean.value)
            # A detector without errors adds no spread: the interval mirrors that of the readers' mean.
            assert row["difference"].value == pytest.approx(1 - mean.value)
            assert max(row["difference"].low, 0) == pytest.approx(1 - mean.high)


def test_a_detector_has_its_own_area_and_threshold():
    record = full()
    cases, altered, session = judged(record)
    score = np.random.default_rng(0).random(cases.size) * 0.6 + 0.4 * altered
    table = detector_against_readers_table(
        with_detector(record, dict(zip(cases.tolist(), score.tolist(), strict=True)), threshold=0.55), PLAN
    )
    own = session == 3
    found = rows(table)
    assert found["3", "AUC"]["of_detector"] == pytest.approx(delong.area(altered[own].astype(int), score[own]).auc)
    called = (score > 0.55)[own]
    assert found["3", "Sensitivity"]["of_detector"] == pytest.approx(called[altered[own]].mean())
    assert found["3", "Specificity"]["of_detector"] == pytest.approx(1 - called[~altered[own]].mean())
    assert isinstance(found["3", "AUC"]["difference"], Estimate)
    assert "The detector’s figure minus" in to_html(table)


def test_only_images_with_a_score_are_compared():
    record = full()
    cases, altered, session = judged(record)
    some = (session == 3) & (np.arange(cases.size) % 3 == 0)
    score = dict(zip(cases[some].tolist(), altered[some] * 1.0, strict=True))
    found = rows(detector_against_readers_table(with_detector(record, score), PLAN))
    assert {session for session, _figure in found} == {"3"}
    assert found["3", "AUC"]["images"] == some.sum()


def test_without_scores_or_readers_there_is_no_table():
    assert detector_against_readers_table(full(), PLAN) is None
    record = full()
    cases, altered, _session = judged(record)
    score = dict(zip(cases.tolist(), altered * 1.0, strict=True))
    alone = replace(record, readers={"R1": "high"})
    assert detector_against_readers_table(with_detector(alone, score), PLAN) is None


def test_half_credit_leaves_the_area_alone():
    record = full()
    cases, altered, _session = judged(record)
    score = dict(zip(cases.tolist(), altered * 1.0, strict=True))
    table = detector_against_readers_table(with_detector(record, score), AnalysisPlan(unsure="half"))
    assert {figure for _session, figure in rows(table)} == {"AUC"}


def test_the_chapter_shows_it():
    record = full()
    cases, altered, _session = judged(record)
    shown = with_detector(record, dict(zip(cases.tolist(), altered * 1.0, strict=True)))
    keys = [item.key for item in Chapters(shown, PLAN, None).supporting.items]
    assert keys.index("detector_against_readers") == keys.index("detector") + 1
