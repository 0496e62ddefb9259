"""The flow chart, and its numbers as a table."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from readerstudy.analysis.figures.flow_diagram import FlowBox, FlowDiagram
from readerstudy.analysis.figures.flow_numbers import flow_picture, flow_table
from readerstudy.layout.table import to_html
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests.analysis import conducted, small

PLAN = AnalysisPlan()
A4 = 794  # CSS pixels across
SVG = "{http://www.w3.org/2000/svg}"


def recorded(**changes):
    return small.record(conduct=conducted.conduct(**changes))


def two_arms():
    """R2 reads the same lists at low resolution."""
    conduct = conducted.conduct()
    moved = tuple(
        replace(reader_session, arm="low") if reader_session.reader == "R2" else reader_session
        for reader_session in conduct.reader_sessions
    )
    drawn = (*conduct.drawn, *(replace(image_set, arm="low") for image_set in conduct.drawn))
    conduct = replace(conduct, reader_sessions=moved, drawn=drawn, patients_drawn={"high": 17, "low": 17})
    image_sets = (*small.image_sets(), *(replace(image_set, arm="low") for image_set in small.image_sets()))
    return small.record(conduct=conduct, readers={"R1": "high", "R2": "low"}, image_sets=image_sets)


def words(picture):
    return [text.text for text in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")]


def test_the_picture_has_every_number_in_words_too():
    picture = flow_picture(recorded(), PLAN)
    for said in (
        "Cohort films: 17 patients, 61 images; 6 of the patients with a malignant finding",
        "7 files excluded at the last import",
        "Training split: 10 patients, 40 images",
        "2 readers enrolled",
        "Readers: 2 started, 1 finished; Allocated 16, shown 13, read 12, missing 4",
        "MRMC analysis: session 5 against 3: 1 reader, 13 readings",
        "Fewer than two readers: no MRMC analysis; Excluded: 1 (R2); 1 × Session 5: not started.",
    ):
        assert said in picture.description
    drawn = " ".join(words(picture))
    assert "Allocated 16, shown 13, read 12, missing 4" in drawn
    assert picture.svg.index("<title") < picture.svg.index("<desc") < picture.svg.index("<rect")


def test_one_and_two_arms_fit_on_paper():
    for record in (recorded(), two_arms()):
        picture = flow_picture(record, PLAN)
        assert picture.width <= A4
        assert picture.height <= 1.3 * A4
    assert "Arm high" in picture.description
    assert "Arm low" in picture.description


def test_nothing_is_drawn_outside_the_picture_or_over_another_box():
    picture = flow_picture(two_arms(), PLAN)
    frames = []
    for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}rect"):
        if element.get("fill") == "none":
            x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
            assert x >= 0
            assert y >= 0
            assert x + width <= picture.width
            assert y + height <= picture.height
            frames.append((x, y, x + width, y + height))
    assert len(frames) == 4 + 2 * 7
    for number, (left, top, right, bottom) in enumerate(frames):
        for other in frames[:number]:
            assert right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]


def test_the_same_study_gives_the_same_bytes_and_names_are_escaped():
    record = recorded()
    assert flow_picture(record, PLAN).svg == flow_picture(record, PLAN).svg
    odd = recorded(cohort=replace(record.conduct.cohort, name="<b>&"))
    assert "Cohort <b>&" in words(flow_picture(odd, PLAN))


def test_many_left_out_are_counted_and_only_some_are_named():
    readers = {f"R{number}": "high" for number in range(1, 41)}
    picture = flow_picture(small.record(conduct=conducted.conduct(), readers=readers), PLAN)
    assert "Excluded: 39 (R2, R3, R4, R5 and 35 more)" in picture.description


def test_without_a_conduct_there_is_a_sentence_and_no_picture():
    assert flow_picture(small.record(), PLAN) is None
    assert "are not from a study" in to_html(flow_table(small.record(), PLAN))


def test_the_flow_is_drawn_without_readers():
    record = small.record(conduct=conducted.conduct(reader_sessions=()), readers={})
    assert "Allocated 0, shown 0, read 0, missing 0" in flow_picture(record, PLAN).description
    assert flow_table(record, PLAN).rows


@pytest.mark.parametrize("make_record", [recorded, two_arms])
def test_the_table_adds_up(make_record):
    record = make_record()
    table = flow_table(record, PLAN)
    keys = [column.key for column in table.columns]
    lines = [dict(zip(keys, row, strict=True)) for row in table.rows]
    read = [line for line in lines if line["stage"] == "Drawn and read"]
    assert len(read) == 5 * len(record.arms)
    assert all(line["allocated"] == line["read"] + line["missing"] for line in read)
    assert sum(line["read"] for line in read) == len(record.readings)
    splits = [line["images"] for line in lines if line["stage"].endswith("split")]
    assert lines[0]["images"] == sum(splits)
    assert next(line["read"] for line in lines if line["stage"] == "MRMC analysis") == 13


def test_words_that_do_not_fit_are_broken():
    box = FlowBox("A heading", ("word " * 60,))
    chart = FlowDiagram(top=(box,), splits=(), columns=((box,),))
    assert box.height(200) > box.height(700)
    assert chart.svg("t", "d").count("<text") > 8
