"""The figure: a picture for those who see it, words for those who do not."""

import re
from xml.etree import ElementTree

from django.utils import translation

from readerstudy.analysis.figures import accuracy_figure
from readerstudy.statistics.unsure import Unsure
from tests.analysis import small
from tests.analysis.long_readings import LongReadings

SVG = "{http://www.w3.org/2000/svg}"


def test_the_figure_carries_its_title_and_description() -> None:
    picture = accuracy_figure(small.record(code="a<b"), Unsure.WRONG)
    assert picture is not None
    root = ElementTree.fromstring(picture.svg)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert [child.text for child in root][:2] == [picture.title, picture.description]
    assert "a<b" in picture.title


def test_the_description_holds_every_share_of_the_picture() -> None:
    picture = accuracy_figure(small.record(), Unsure.WRONG)
    assert picture is not None
    assert "R1 0.50 (session 2), 0.75 (session 3), 1.00 (session 5)" in picture.description
    assert "R1 0.75 (session 3), 0.00 (session 5); R2 1.00 (session 3)" in picture.description


def test_words_in_the_figure_stay_words() -> None:
    picture = accuracy_figure(small.record(), Unsure.WRONG)
    assert picture is not None
    words = {element.text for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")}
    assert {"R1", "R2", "Session", "Real images called real", "Adversarial images called not real"} <= words


def test_the_same_study_gives_the_same_bytes() -> None:
    assert accuracy_figure(small.record(), Unsure.WRONG) == accuracy_figure(small.record(), Unsure.WRONG)


def test_thirty_readers_are_drawn_with_their_mean_and_no_legend() -> None:
    rows = [row._replace(reader=f"R{number:02d}") for number in range(30) for row in small.rows()[:20]]
    unique = {(row.reader, row.session, row.position): row for row in rows}
    picture = accuracy_figure(small.record(readings=LongReadings.of(unique.values())), Unsure.WRONG)
    assert picture is not None
    assert "R29" not in picture.svg
    # Session 3 goes by what R1 said of four real and four adversarial images, thirty times over.
    assert "session 3: mean 0.75, median 0.75, quartiles 0.75 and 0.75, from 0.75 to 0.75" in picture.description


def test_without_verdicts_there_is_no_figure() -> None:
    seen = [row for row in small.rows() if row.verdict == "seen"]
    assert accuracy_figure(small.record(readings=LongReadings.of(seen)), Unsure.WRONG) is None


def test_a_german_figure_has_german_decimals_at_its_axes_and_in_its_words() -> None:
    with translation.override("de"):
        picture = accuracy_figure(small.record(), Unsure.WRONG)
    assert picture is not None
    words = [element.text or "" for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")]
    assert {"0,2", "0,8", "1,0"} <= set(words)
    assert not [word for word in words if re.search(r"[0-9]\.[0-9]", word)]
    assert "R1 0,50 (Sitzung 2), 0,75 (Sitzung 3), 1,00 (Sitzung 5)" in picture.description
