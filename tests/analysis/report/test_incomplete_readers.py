"""The whole report of a study with two incomplete readers: its parts agree, and its German numbers are German."""

import re

import pytest
from django.utils.translation import override

from readerstudy.analysis.report.build import StudyReport, as_text, standalone
from readerstudy.protocol.analysis_plan import AnalysisPlan
from tests import make
from tests.analysis import incomplete

VERSIONS = re.compile(r"\d+\.\d+\.\d+")


@pytest.fixture(scope="module")
def report() -> StudyReport:
    return StudyReport(incomplete.record(), at=make.MONDAY, plan=AnalysisPlan())


def rows(report: StudyReport, key: str) -> list[dict[str, object]]:
    return report.tables[key].as_dict()["rows"]


def test_every_part_counts_the_same_readers(report: StudyReport) -> None:
    """Four of six are analysed; R4 and R5 are excluded everywhere."""
    assert {row["readers"] for row in rows(report, "mrmc")} == {4}
    (analysis,) = (row for row in rows(report, "flow_table") if row["analysed"] is not None)
    assert (analysis["enrolled"], analysis["analysed"]) == (6, 4)
    notes = " ".join(report.tables["missing"].notes)
    assert "4 of 6 enrolled readers are included" in notes
    assert ("Excluded: R4." in notes, "Excluded: R5." in notes) == (True, True)
    stard = {row["item"]: row["record"] for row in rows(report, "stard")}
    assert "Readers analysed: 4, excluded: 2." in stard["19"]
    assert stard["10a"].startswith("6 enrolled readers were asked to call each image")
    assert "over 4 readers" in report.summary[0]


def test_unsure_verdicts_are_not_counted_if_nothing_was_read(report: StudyReport) -> None:
    unsure = {(row["reader"], row["session"]): row["unsure"] for row in rows(report, "table2b")}
    for reader in incomplete.READERS:
        for session in (2, 3, 5):
            assert (unsure[reader, str(session)] is None) == (not incomplete.has_read(reader, session))


def test_decimals_are_german_in_german_prose_and_tables(report: StudyReport) -> None:
    with override("de"):
        german = report.in_another_language(gallery=None, codes=report.codes)
        text = "\n".join([*german.summary, as_text(german)])
        page = standalone(german)
        csv = german.tables["mrmc"].as_dict()["rows"]
    words = VERSIONS.sub("", text)
    assert re.findall(r"\d\.\d.{0,30}", re.sub(r"\d\.\d{3}(?!\d)", "", words)) == []  # but thousands
    assert re.search(r"0\.\d", words) is None
    assert "0,05" in page
    assert isinstance(csv[0]["p"], float)
