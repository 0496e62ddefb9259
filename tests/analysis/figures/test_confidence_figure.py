"""The ROC curves of the confidence ratings: one curve per reader in the reader's style, many as lines or bands."""

import re
from xml.etree import ElementTree

import pytest

from readerstudy.analysis.figures import confidence_figure
from readerstudy.analysis.figures.reader_style import MOST_INDIVIDUAL
from readerstudy.analysis.tables.confidence import confidence_curves
from readerstudy.layout.picture import COLOURS, Picture
from tests.analysis import rated
from tests.analysis.figures.test_figure_rules import words_of


def picture_of(readers: int) -> Picture:
    record = rated.record(rated.crowd(readers))
    picture = confidence_figure(record, confidence_curves(record))
    assert picture is not None
    return picture


@pytest.mark.parametrize("readers", [1, 5, 40, 70])
def test_it_says_what_it_shows(readers: int) -> None:
    picture = picture_of(readers)
    root = ElementTree.fromstring(picture.svg)
    assert [child.text for child in root][:2] == [picture.title, picture.description]
    assert picture.description.count("Session ") == 2
    assert "nan" not in picture.description
    assert "%(" not in picture.title + picture.description + picture.caption
    assert picture == picture_of(readers)


def test_the_description_has_every_readers_area() -> None:
    record = rated.record(rated.crowd(3))
    curves = confidence_curves(record)
    picture = confidence_figure(record, curves)
    for (reader, _session), each in curves.items():
        assert f"{reader} {each.area.value:.2f}" in picture.description


def test_up_to_twelve_readers_are_named_and_more_are_not() -> None:
    assert {f"R{number}" for number in range(1, MOST_INDIVIDUAL + 1)} <= words_of(picture_of(MOST_INDIVIDUAL))
    assert not any(re.fullmatch(r"R\d+", words) for words in words_of(picture_of(MOST_INDIVIDUAL + 1)))


def test_a_reader_without_ratings_does_not_shift_the_colours_of_the_others() -> None:
    ratings = rated.crowd(3)
    cells = {cell: each for cell, each in ratings.cells.items() if cell[0] != "R2"}
    record = rated.record(rated.crowd(3))
    curves = {cell: curve for cell, curve in confidence_curves(record).items() if cell in cells}
    picture = confidence_figure(record, curves)
    own = set(re.findall(r"#[0-9a-f]{6}", picture.svg)) & {colour.lower() for colour in COLOURS}
    assert own - {"#000000"} == {COLOURS[0].lower(), COLOURS[2].lower()}


def test_without_curves_there_is_no_picture() -> None:
    assert confidence_figure(rated.record(None), {}) is None
    assert confidence_figure(rated.record(rated.crowd(1)), {("R1", 3): None}) is None
