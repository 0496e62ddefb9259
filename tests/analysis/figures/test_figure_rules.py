"""What holds for every picture: words for who cannot see it, a legend for few readers, the same bytes twice."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from readerstudy.analysis import figures
from readerstudy.analysis.figures import Picture
from readerstudy.analysis.figures.reader_style import MOST_INDIVIDUAL
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import mrmc_comparisons
from readerstudy.analysis.tables.comparison.reader_changes import ReaderChange, reader_changes
from readerstudy.analysis.tables.comparison.subgroup_tests import subgroup_comparisons
from readerstudy.layout.picture import COLOURS
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure
from tests.analysis import crowd, played, small
from tests.analysis.long_readings import LongReadings

SVG = "{http://www.w3.org/2000/svg}"
Draw = Callable[[StudyRecord, AnalysisPlan], Picture | None]

DRAW: dict[str, Draw] = {
    "accuracy": lambda record, plan: figures.accuracy_figure(record, Unsure(plan.unsure)),
    "detection": figures.detection_figure,
    "blocks": figures.blocks_figure,
    "times": figures.times_figure,
    "speed": figures.speed_figure,
    "agreement": figures.agreement_figure,
    "forest": lambda record, plan: figures.forest_figure(record, plan, mrmc_comparisons(record, plan)),
    "reader changes": lambda record, plan: figures.reader_changes_figure(record, plan, changes_of(record, plan)),
    "classifier": lambda record, plan: figures.classifier_figure(record, plan, crowd.scores(record)),
}
NAMING = ("accuracy", "detection", "blocks", "times", "speed", "forest", "reader changes")  # pictures of single readers
NEEDS_TWO = ("agreement", "forest")


def changes_of(record: StudyRecord, plan: AnalysisPlan) -> tuple[ReaderChange, ...]:
    return reader_changes(record, plan, subgroup_comparisons(record, groups=plan.groups))


every_picture = pytest.mark.parametrize("name", DRAW)


def words_of(picture: Picture) -> set[str]:
    return {element.text or "" for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")}


@every_picture
@pytest.mark.parametrize("readers", [1, 5, 40, 70])
def test_a_picture_of_any_number_of_readers_says_what_it_shows(name: str, readers: int) -> None:
    picture = DRAW[name](crowd.record(readers), AnalysisPlan())
    if readers == 1 and name in NEEDS_TWO:
        assert picture is None
        return
    assert picture is not None
    root = ElementTree.fromstring(picture.svg)
    assert [child.text for child in root][:2] == [picture.title, picture.description]
    assert root.get("aria-labelledby") == "title desc"
    assert picture.description.endswith(".")
    assert "nan" not in picture.description
    assert "%(" not in picture.title + picture.description + picture.caption


@pytest.mark.parametrize("name", NAMING)
def test_up_to_twelve_readers_are_named_and_more_are_not(name: str) -> None:
    few, many = (
        DRAW[name](crowd.record(readers), AnalysisPlan()) for readers in (MOST_INDIVIDUAL, MOST_INDIVIDUAL + 1)
    )
    assert few is not None
    assert many is not None
    assert {f"R{number}" for number in range(1, MOST_INDIVIDUAL + 1)} <= words_of(few)
    assert not any(re.fullmatch(r"R\d+", words) for words in words_of(many))


@every_picture
def test_the_same_study_gives_the_same_bytes(name: str) -> None:
    first, second = (DRAW[name](crowd.record(5), AnalysisPlan()) for _ in range(2))
    assert first is not None
    assert first == second


@every_picture
def test_the_size_that_a_page_keeps_free_is_the_pictures(name: str) -> None:
    picture = DRAW[name](crowd.record(5), AnalysisPlan())
    assert picture is not None
    box = ElementTree.fromstring(picture.svg).get("viewBox")
    assert box is not None
    width, height = (float(side) for side in box.split()[2:])  # in points, 72 to the inch
    assert (picture.width, picture.height) == (round(width * 96 / 72), round(height * 96 / 72))


@every_picture
def test_two_arms_are_drawn(name: str) -> None:
    picture = DRAW[name](crowd.record(6, arms=2), AnalysisPlan())
    assert picture is not None
    if name in NEEDS_TWO:
        assert "low" in picture.description


@every_picture
def test_without_readings_there_is_no_picture(name: str) -> None:
    assert DRAW[name](small.record(readings=LongReadings.of([])), AnalysisPlan()) is None


@every_picture
@pytest.mark.parametrize("unsure", ["wrong", "excluded"])
@pytest.mark.parametrize(
    "study",
    [
        pytest.param(small.record(), id="a reader who stopped"),
        pytest.param(played.record({"R1": {3: "rrr", 5: "rrr"}}, "RRR"), id="no adversarial images"),
        pytest.param(played.record({name: {3: "rrrrrr", 5: "rrrrrr"} for name in ("R1", "R2")}), id="constant"),
        pytest.param(played.record({name: {3: "uuuuuu", 5: "uuuuuu"} for name in ("R1", "R2")}), id="only unsure"),
        pytest.param(played.record({"R1": {3: "rrnnru"}, "R2": {3: "rrrnnn"}}), id="a session is missing"),
    ],
)
def test_hard_readings_never_stop_a_picture(name: str, unsure: str, study: StudyRecord) -> None:
    picture = DRAW[name](study, AnalysisPlan(unsure=unsure))
    assert picture is None or "nan" not in picture.description.split()


@pytest.mark.parametrize("name", ["accuracy", "detection", "times", "reader changes"])
def test_a_reader_without_readings_does_not_shift_the_colours_of_the_others(name: str) -> None:
    study = played.record({"R1": {3: "rrnnru", 5: "rrrnnn"}, "R2": {}, "R3": {3: "nrrrrn", 5: "nnrnnr"}})
    picture = DRAW[name](study, AnalysisPlan())
    assert picture is not None
    own = set(re.findall(r"#[0-9a-f]{6}", picture.svg)) & {colour.lower() for colour in COLOURS}
    assert own - {"#000000"} == {COLOURS[0].lower(), COLOURS[2].lower()}


def test_no_two_pictures_share_a_name_or_take_a_tables() -> None:
    keys = [picture.key for draw in DRAW.values() if (picture := draw(crowd.record(5), AnalysisPlan()))]
    assert len(keys) == len(set(keys)) == len(DRAW)
    # The tables' keys stand as ids in the same page.
    assert not {"detection", "agreement", "seconds", "mrmc"} & set(keys)


def test_a_thousand_readers_stay_a_small_file() -> None:
    study = crowd.repeated(crowd.record(40), 25)
    for name in ("accuracy", "detection", "blocks", "times"):
        picture = DRAW[name](study, AnalysisPlan())
        assert picture is not None
        assert "1000 readers" in picture.description + picture.caption
        assert len(picture.svg) < 1_000_000, name
