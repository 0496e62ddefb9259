"""Cells of a table on a page, in a terminal and in files."""

import csv
from io import StringIO

import pytest

from readerstudy.layout.table import Column, Difference, Estimate, Kind, Missing, Table, shown, to_csv, to_text
from readerstudy.statistics.proportions import Proportion, wilson

SHARE = Proportion(251, 363, 251 / 363, 0.6421, 0.7368)
AREA = Estimate(0.8504, 0.57, 1.0)
DIFFERENCE = Difference(-0.7, -1.1164, -0.284, 0.0002)


@pytest.mark.parametrize(
    ("cell", "kind", "line"),
    [
        (SHARE, Kind.SHARE, "0.69 0.64–0.74, 251/363"),
        (SHARE, Kind.PERCENT, "69.1 % 64.2–73.7 %, 251/363"),
        (SHARE, Kind.MIXED, "69.1 % 64.2–73.7 %, 251/363"),
        (AREA, Kind.ESTIMATE, "0.85 0.57–1.00"),
        (AREA, Kind.AREA, "0.850 0.570–1.000"),
        (AREA, Kind.MIXED, "0.850 0.570–1.000"),
        (0.8504, Kind.AREA, "0.850"),
        (AREA, Kind.CHANGE, "+0.850 +0.570 to +1.000"),
        (Estimate(-0.0001, -0.28, 0.01), Kind.CHANGE, "+0.000 −0.280 to +0.010"),
        (0.25, Kind.CHANGE, "+0.250"),
        (0.99375, Kind.LEVEL, "99.38 %"),
        (DIFFERENCE, Kind.DIFFERENCE, "−0.700 −1.116 to −0.284, p <0.001"),
        (Difference(0.5, None, None, None), Kind.DIFFERENCE, "+0.500"),
        (Missing("one class only"), Kind.AREA, "one class only"),
        (wilson(0, 0), Kind.PERCENT, "—"),
        (None, Kind.MIXED, "—"),
        (16, Kind.MIXED, "16"),
        (-0.001, Kind.SIGNED, "+0.00"),
        (-0.001, Kind.FRACTION, "0.00"),
        (Difference(-0.0001, -0.0002, 0.1, None), Kind.DIFFERENCE, "+0.000 +0.000 to +0.100"),
    ],
)
def test_a_cell_is_shown_by_its_type_and_kind(cell, kind, line):
    assert shown(cell, kind).line == line


def test_a_file_has_each_number_of_a_mixed_column():
    table = Table(
        key="t",
        title="T",
        caption="",
        columns=(Column("figure", ""), Column("a", "A", Kind.MIXED)),
        rows=(("n", 16), ("area", AREA), ("share", SHARE), ("change", DIFFERENCE), ("none", Missing("no images"))),
    )
    lines = list(csv.reader(StringIO(to_csv(table))))
    assert lines == [
        ["figure", "a", "a_low", "a_high", "a_hits", "a_trials", "a_p"],
        ["n", "16", "", "", "", "", ""],
        ["area", "0.8504", "0.57", "1.0", "", "", ""],
        ["share", str(251 / 363), "0.6421", "0.7368", "251", "363", ""],
        ["change", "-0.7", "-1.1164", "-0.284", "", "", "0.0002"],
        ["none", "", "", "", "", "", ""],
    ]
    assert "no images" in to_text(table)
