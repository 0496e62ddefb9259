"""Lesions on their way in: what a table marks in pixels of the file lies in the right place of the framed picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from readerstudy.cohort.prepare import PreparedImage, prepare
from readerstudy.imaging.image import Size
from readerstudy.imaging.png16 import decode_png
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.modalities.mammography.sources import read_folder, read_table
from readerstudy.sources.source import ImportBatch, ImportProblem
from tests.sources.make_files import film, write_dicom, write_png, write_table

HEADER = "image,patient,pathology,xmin,ymin,xmax,ymax"
CIRCLES = "image,patient,pathology,lesion_x,lesion_y,lesion_radius"
ROWS, COLUMNS = 24, 16  # of the small image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_png(tmp_path / "film.png", film(bits=8, rows=ROWS, columns=COLUMNS).astype(np.uint8))
    return tmp_path


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both resolutions at an eighth, in their own slightly different shapes."""
    for name, layout in dict(MAMMOGRAPHY.layouts).items():
        eighth = replace(layout, rows=layout.rows // 8, columns=layout.columns // 8)
        monkeypatch.setitem(MAMMOGRAPHY.layouts, name, eighth)


def read(folder: Path, *lines: str, header: str = HEADER) -> ImportBatch:
    return read_table(write_table(folder, lines, header=header))


def sentences(found: ImportBatch) -> str:
    return "\n".join(problem.sentence for problem in found.problems)


def sizes(*resolutions: str) -> dict[str, Size]:
    return {name: MAMMOGRAPHY.layouts[name].size for name in resolutions}


def prepared(found: ImportBatch, *resolutions: str) -> PreparedImage:
    (image,) = found.images
    done = prepare(image, modality="MG", sizes=sizes(*(resolutions or ("low",))))
    assert isinstance(done, PreparedImage)
    return done


def breast_with_a_bright_rectangle(shape: tuple[int, int], wall: str) -> tuple[NDArray[np.uint16], str]:
    """Tissue at the chest wall, or in the middle where there is none, and the rectangle's xmin, ymin, xmax, ymax."""
    rows, columns = shape
    y, x = np.mgrid[:rows, :columns]
    middle = {"left": 0, "right": columns, "": columns / 2}[wall]
    reach = columns * (0.4 if wall == "" else 0.8)
    values = np.where(np.hypot((y - rows / 2) * reach * 2 / rows, x - middle) < reach, 15000, 300)
    top, left, bottom, right = (
        round(share * side) for share, side in zip((0.4, 0.3, 0.6, 0.45), shape * 2, strict=True)
    )
    values[top:bottom, left:right] = 60000
    return values.astype(np.uint16), f"{left},{top},{right},{bottom}"


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize("wall", ["left", "right", ""])
@pytest.mark.parametrize("shape", [(400, 200), (150, 400), (216, 176), (128, 104), (300, 260)])
def test_the_box_covers_the_lesion_wherever_the_picture_lies_in_its_frame(
    tmp_path: Path, shape: tuple[int, int], wall: str
) -> None:
    values, box = breast_with_a_bright_rectangle(shape, wall)
    write_png(tmp_path / "film.png", values)
    done = prepared(read(tmp_path, f"film.png,anna,malignant,{box}"), "high", "low")
    assert done.lesions is not None
    (lesion,) = done.lesions
    for png in done.pngs.values():
        bright = decode_png(png) > 40000
        for side, axis in ((("top", "bottom"), 1), (("left", "right"), 0)):
            seen = np.flatnonzero(bright.any(axis=axis))
            start, end = (lesion[name] * bright.shape[1 - axis] for name in side)
            # A pixel of resampling; the second resolution differs from the first by 0.3 %.
            assert (seen[0], seen[-1] + 1) == (pytest.approx(start, abs=1.2), pytest.approx(end, abs=1.2))


def test_a_row_for_each_lesion_brings_all_of_them_and_no_problem(folder: Path) -> None:
    lines = ["film.png,anna,malignant,2,3,6,9,mass", "film.png,anna,malignant,8,12,12,18,calcification"]
    found = read(folder, *lines, header=f"{HEADER},lesion_kind")
    assert not found.problems
    assert found.images[0].groups["lesion_kind"] == "mass"
    assert [(mark.left, mark.top) for mark in found.images[0].lesion_marks or ()] == [(2, 3), (8, 12)]
    assert len(prepared(found).lesions or ()) == 2


def test_a_lesion_that_is_marked_twice_is_one_lesion_and_reported(folder: Path) -> None:
    lines = ["1,1,4,4", "2,3,6,9", "2,3,6,9", ",,,"]
    found = read(folder, *(f"film.png,anna,malignant,{box}" for box in lines))
    assert len(found.images[0].lesion_marks or ()) == 2
    assert sentences(found) == (
        "Row 4 (film.png) repeats row 3; the image is taken once.\n"
        "Row 5 (film.png) repeats row 2; the image is taken once."
    )


def test_rows_with_another_lesion_that_contradict_each_other_leave_the_image_out(folder: Path) -> None:
    found = read(folder, "film.png,anna,malignant,2,3,6,9", "film.png,anna,benign,8,12,12,18")
    assert not found.images
    assert "Row 3 (film.png) names the same image as row 2 but describes it differently" in sentences(found)


def test_a_normal_image_has_no_lesion_and_another_without_a_box_is_not_known(folder: Path) -> None:
    assert prepared(read(folder, "film.png,anna,normal,,,,")).lesions == ()
    assert prepared(read(folder, "film.png,anna,malignant,,,,")).lesions is None
    assert prepared(read(folder, "film.png,anna,normal", header="image,patient,pathology")).lesions is None


def test_a_circle_is_the_square_around_it_cut_off_where_the_picture_ends(folder: Path) -> None:
    marks = read(folder, "film.png,anna,malignant,2,12,4.0", header=CIRCLES).images[0].lesion_marks
    assert marks is not None
    shares = {"top": 8 / ROWS, "left": 0, "bottom": 16 / ROWS, "right": 6 / COLUMNS}
    assert [mark.shares(ROWS, COLUMNS) for mark in marks] == [pytest.approx(shares)]


def test_x_and_y_are_taken_for_a_lesion_only_when_they_are_mapped(folder: Path) -> None:
    """Some tables count y from the bottom: nothing of them is read that was not asked for."""
    table = write_table(folder, ["film.png,anna,malignant,5,12,3"], header="image,patient,pathology,x,y,radius")
    assert read_table(table).images[0].lesion_marks is None
    mapped = read_table(table, columns={"lesion_x": "x", "lesion_y": "y", "lesion_radius": "radius"})
    assert [(mark.left, mark.top) for mark in mapped.images[0].lesion_marks or ()] == [(2, 9)]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ("2,3,6,", "marks a lesion by lesion_left and lesion_top and lesion_right without lesion_bottom."),
        ("2,,,", "marks a lesion by lesion_left without lesion_top and lesion_right and lesion_bottom."),
        ("2,3,six,9", "has the lesion_right 'six'; a number of pixels is understood."),
        ("2,3,nan,9", "has the lesion_right 'nan'; a number of pixels is understood."),
        ("6,3,2,9", "marks a lesion from x 6 to 2 and y 3 to 9; left lies before right, and top above bottom."),
        ("2,9,6,3", "marks a lesion from x 2 to 6 and y 9 to 3; left lies before right, and top above bottom."),
    ],
)
def test_a_box_that_cannot_be_understood_is_a_problem_of_its_row(folder: Path, cells: str, sentence: str) -> None:
    found = read(folder, f"film.png,anna,malignant,{cells}")
    assert not found.images
    assert sentences(found) == f"Row 2 (film.png) {sentence}"


def test_a_circle_without_size_and_a_lesion_marked_in_two_ways_are_refused(folder: Path) -> None:
    assert "Row 2 (film.png) marks a lesion with the radius 0" in sentences(
        read(folder, "film.png,anna,malignant,5,12,0", header=CIRCLES)
    )
    both = read(folder, "film.png,anna,malignant,2,3,6,9,5,12,3", header=f"{HEADER},lesion_x,lesion_y,lesion_radius")
    assert "Row 2 (film.png) marks a lesion by a box and by a circle" in sentences(both)


def test_an_image_with_some_of_its_lesions_refused_is_left_out_whole(folder: Path) -> None:
    found = read(folder, "film.png,anna,malignant,2,3,6,9", "film.png,anna,malignant,8,12,12,nowhere")
    assert not found.images
    assert "Row 3 (film.png) has the lesion_bottom 'nowhere'" in sentences(found)
    assert "Row 2 (film.png) is left out with row 3, which marks another lesion of the image." in sentences(found)


@pytest.mark.parametrize(
    ("cells", "header"),
    [("2,3,18,9", HEADER), ("2,3,6,26", HEADER), ("-2,3,6,9", HEADER), ("20,12,5", CIRCLES), ("5,-1,5", CIRCLES)],
)
def test_a_lesion_outside_its_picture_is_a_problem_of_its_row_once_the_size_is_known(
    folder: Path, cells: str, header: str
) -> None:
    found = read(folder, f"film.png,anna,malignant,{cells}", header=header)
    told = prepare(found.images[0], modality="MG", sizes=sizes("low"))
    assert isinstance(told, ImportProblem)
    assert told.sentence.startswith("Row 2 (film.png) marks a lesion from x ")
    assert told.sentence.endswith("outside the image, which is 16 wide and 24 high.")


def test_a_box_that_counts_its_pixels_from_one_still_fits(folder: Path) -> None:
    marks = read(folder, f"film.png,anna,malignant,1,1,{COLUMNS + 1},{ROWS + 1}").images[0].lesion_marks or ()
    assert [mark.lies_in(ROWS, COLUMNS) for mark in marks] == [True]
    assert [max(mark.shares(ROWS, COLUMNS).values()) for mark in marks] == [1]


def test_the_lesions_of_a_dicom_file_come_from_its_table(tmp_path: Path) -> None:
    write_dicom(tmp_path / "film.dcm", film(bits=12, rows=ROWS, columns=COLUMNS), bits=12)
    lines = ["film.dcm,anna,malignant,2,3,6,9", "film,anna,malignant,8,12,12,18", "film.dcm,anna,malignant,2,3,6,9"]
    found = read_folder(tmp_path, write_table(tmp_path, lines, header=HEADER))
    assert sentences(found) == "Row 4 (film.dcm) repeats row 2."
    assert [(mark.left, mark.bottom) for mark in found.images[0].lesion_marks or ()] == [(2, 9), (8, 18)]


@pytest.mark.parametrize("text", ["4,5", "1,2,3"])
def test_a_position_with_a_comma_is_refused(folder: Path, text: str) -> None:
    header = "image,patient,pathology,lesion_x,lesion_y,lesion_radius"
    found = read(folder, f'film.png,anna,malignant,"{text}",5,3', header=header)
    assert "a number of pixels is understood" in found.problems[0].sentence
    assert not found.images
