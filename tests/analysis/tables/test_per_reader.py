"""Signal detection, agreement and pace of each reader: against R, and where they are undefined."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.build import StudyReport, write_report
from readerstudy.analysis.tables.agreement import agreement_table
from readerstudy.analysis.tables.reading_pace import reading_pace_table
from readerstudy.analysis.tables.signal_detection import signal_detection_table
from readerstudy.layout.table import Estimate, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests import make
from tests.analysis import played, small
from tests.analysis.long_readings import LongReadings
from tests.statistics.oracle import SECONDS, simulated_readings
from tests.statistics.simulated_study import figures

PLAN, EXCLUDED, HALF = (AnalysisPlan(unsure=rule) for rule in ("wrong", "excluded", "half"))
SPREAD = {"R1": {3: "rrnnru", 5: "rrrnnu"}, "R2": {3: "rurnrr", 5: "rnrnnn"}}


def lines(table: Table) -> list[dict[str, Any]]:
    return [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.rows]


def full() -> StudyRecord:
    readings = simulated_readings()
    return small.record(readings=readings, readers=dict.fromkeys(readings.readers, "high"))


def rest_stands(record: StudyRecord, folder: Path) -> str:
    """The page of the whole report; its JSON must hold nothing that JSON cannot."""
    report = StudyReport(record, at=make.MONDAY)
    write_report(report, folder)
    json.dumps(report.as_dict(), allow_nan=False)
    return (folder / "report.html").read_text()


def test_d_prime_and_criterion_are_those_of_an_independent_program() -> None:
    result = {(line["reader"], int(line["session"])): line for line in lines(signal_detection_table(full(), PLAN))}
    cells = figures("simstudy_sdt_expected.json")["cells"]
    assert len(cells) == len(result) == 10
    for cell in cells:
        line = result[cell["reader"], int(cell["session"])]
        assert line["d_prime"].value == pytest.approx(cell["dprime"], abs=1e-10)
        assert line["criterion"].value == pytest.approx(cell["c"], abs=1e-10)
        assert (line["called_adversarial"].hits, line["called_real"].hits) == (cell["hits"], cell["false_alarms"])


@pytest.mark.parametrize(
    ("plan", "shares"),
    [
        # R1 says r r n | n r u of three real and three adversarial images in session 3.
        (PLAN, ((1, 3), (1, 3))),
        (EXCLUDED, ((1, 2), (1, 3))),
        (HALF, ((1.5, 3), (1, 3))),
    ],
)
def test_unsure_is_a_call_by_the_declared_rule(plan: AnalysisPlan, shares: tuple[tuple[float, int], ...]) -> None:
    line = lines(signal_detection_table(played.record(SPREAD), plan))[0]
    assert tuple((line[key].hits, line[key].trials) for key in ("called_adversarial", "called_real")) == shares


def test_saying_not_real_more_often_is_a_shift_of_criterion() -> None:
    said = {"R1": {3: "r" * 27 + "n" * 3 + "r" * 20 + "n" * 10, 5: "r" * 18 + "n" * 12 + "r" * 9 + "n" * 21}}
    caution, sentence, *_ = signal_detection_table(played.record(said, "R" * 30 + "F" * 30), PLAN).notes
    assert "Exploratory" in caution
    assert sentence.startswith("R1: no clear change of discrimination")
    assert "calls images not real more often" in sentence


def test_without_adversarial_images_d_prime_is_undefined(tmp_path: Path) -> None:
    record = played.record(SPREAD, "RRRRRR")
    table = signal_detection_table(record, PLAN)
    assert {(line["d_prime"], line["criterion"]) for line in lines(table)} == {(None, None)}
    assert any("undefined" in note for note in table.notes)
    assert "d′ and c are undefined" in rest_stands(record, tmp_path)


def test_constant_verdicts_have_a_finite_d_prime(tmp_path: Path) -> None:
    record = played.record({"R1": {3: "nnnnnn", 5: "rrrnnn"}})
    never, always = lines(signal_detection_table(record, PLAN))
    assert never["d_prime"].value == pytest.approx(0)
    assert np.isfinite(always["d_prime"].value)
    rest_stands(record, tmp_path)


def test_without_one_session_there_is_no_sentence_about_a_change(tmp_path: Path) -> None:
    record = played.record({name: {3: by[3]} for name, by in SPREAD.items()})
    table = signal_detection_table(record, PLAN)
    assert [line["session"] for line in lines(table)] == ["3", "3"]
    assert not any(note.startswith("R") and "clear change" in note for note in table.notes)
    rest_stands(record, tmp_path)


def test_before_anything_is_read_every_table_has_a_sentence(tmp_path: Path) -> None:
    record = played.record({})
    tables = signal_detection_table(record, PLAN), agreement_table(record), reading_pace_table(record, PLAN)
    assert [table.rows for table in tables] == [(), (), ()]
    page = rest_stands(record, tmp_path)
    assert all(table.empty in page for table in tables)


def test_agreement_is_that_of_r() -> None:
    result = lines(agreement_table(full()))
    assert [(line["session"], line["images_are"]) for line in result] == [
        ("2", "real"),
        *((session, kind) for session in "35" for kind in ("real", "adversarial")),
    ]
    for line in result:
        truth = "real" if line["images_are"] == "real" else "fake"
        r = figures("simstudy_r_expected.json")[f"agree_S{line['session']}_{truth}"]
        assert line["images"] == r["n"]
        assert line["percent"].value == pytest.approx(r["pa"], abs=1e-10)
        assert line["fleiss_kappa"].value == pytest.approx(r["fleiss"], abs=1e-10)
        assert line["ac1"].value == pytest.approx(r["ac1"], abs=5.1e-6)  # printed with five places
        assert line["ac1"].low < r["ac1"] < line["ac1"].high


def test_one_reader_has_nobody_to_agree_with(tmp_path: Path) -> None:
    record = played.record({"R1": SPREAD["R1"]})
    table = agreement_table(record)
    assert {line["percent"] for line in lines(table)} == {None}
    assert any("read by two readers" in note for note in table.notes)
    assert "no image was read by two readers" in rest_stands(record, tmp_path)


def test_identical_verdicts_leave_kappa_undefined_but_not_ac1(tmp_path: Path) -> None:
    record = played.record({name: {3: "rrrrrr", 5: "rrrnnn"} for name in SPREAD})
    table = agreement_table(record)
    first = lines(table)[0]
    assert (first["percent"], first["fleiss_kappa"], first["alpha_ordinal"], first["ac1"]) == (1.0, None, None, 1.0)
    assert "Session 3, real: all readers give every image the same verdict." in table.notes
    assert any("undefined" in note for note in table.notes)
    rest_stands(record, tmp_path)


def test_readers_of_two_arms_are_not_set_against_each_other() -> None:
    image_sets = (
        *small.image_sets(),
        *(type(image_set)(**{**vars(image_set), "arm": "low"}) for image_set in small.image_sets()),
    )
    said = {"R1": SPREAD["R1"], "R2": SPREAD["R2"], "R3": SPREAD["R1"], "R4": SPREAD["R1"]}
    arms = {"R1": "high", "R2": "high", "R3": "low", "R4": "low"}
    result = lines(agreement_table(played.record(said, image_sets=image_sets, readers=arms)))
    percent = {(line["arm"], line["session"], line["images_are"]): line["percent"] for line in result}
    assert percent["low", "3", "real"] == 1.0
    assert isinstance(percent["high", "3", "real"], Estimate)
    # r and r, r and u, n and r: they agree once in three.
    assert percent["high", "3", "real"].value == pytest.approx(1 / 3)


def test_seconds_have_numpys_quartiles() -> None:
    record = played.record({"R1": {3: "rrrrrr", 5: "rrrrrr"}, "R2": {3: "rrrrrr"}})
    first, second = lines(reading_pace_table(record, PLAN))
    lower, median, upper = np.percentile([1, 2, 3, 4, 5, 6], (25, 50, 75))
    assert [first[f"session5_{key}"] for key in ("median", "lower_quartile", "upper_quartile")] == [
        median,
        lower,
        upper,
    ]
    assert second["session5_median"] is None


def test_the_pace_of_two_sessions_is_shown_as_a_ratio() -> None:
    notes = reading_pace_table(full(), PLAN).notes
    assert f"R1 takes {SECONDS}.0 s per image in session 5 and {SECONDS}.0 s in session 3: 1.00 times as long." in notes


def test_no_time_at_all_is_no_ratio(tmp_path: Path) -> None:
    rows = [row._replace(elapsed_ms=0) for row in played.rows(SPREAD)]
    record = small.record(readings=LongReadings.of(rows), readers=dict.fromkeys(SPREAD, "high"))
    assert reading_pace_table(record, PLAN).notes == ()
    rest_stands(record, tmp_path)
